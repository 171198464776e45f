/** What opens a commitment lies under the keys of those it is about. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { createRotations, encryptedTable } from '@strongroom/encryption';
import { concatBytes, newUuid, toHex, utf8, type Uuid } from '@strongroom/kernel';
import type { AuditEvent } from '@strongroom/pipeline';
import { asSystem, inTenant, type Transaction } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyBundle } from './bundle.ts';
import { showsDigest } from './entry.ts';
import type { LogSource } from './log-source.ts';
import { accountActor, alice, auditEvent, bob, type House, openHouse, tenant } from './log.test-support.ts';
import { manifest } from './manifest.ts';
import { verifyLog } from './verify-log.ts';
import { writeBundle } from './write-bundle.ts';

const PREFIX = '198.51.100.0/24';
const digest = new Uint8Array(createHash('sha256').update('state').digest());

const from = (account: Uuid | null, changes: Partial<AuditEvent> = {}): AuditEvent =>
  auditEvent({
    subjects: [],
    context: {
      requestId: newUuid(),
      actor: account === null ? { kind: 'anonymous' } : accountActor(account),
      addressPrefix: PREFIX,
      receivedAt: 0,
    },
    ...changes,
  });

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`openings on ${engine.name}`, () => {
    let house: House;
    beforeEach(async () => {
      house = await openHouse(engine);
    });
    afterEach(() => house.close());

    const log = async (...events: readonly AuditEvent[]): Promise<void> => {
      await house.append(...events);
      await house.auditLog.sequence();
    };
    const entryAt = async (index: number) => (await house.auditLog.source().entries(index, index + 1))[0]!;
    const shown = async (count: number) =>
      (await house.auditLog.source().entries(0, count)).map(({ addressPrefix }) => addressPrefix?.value ?? null);
    const judge = async () => verifyLog(house.auditLog.source(), { keys: await house.auditLog.verifierKeys() });
    const judgeBundle = async (source: LogSource = house.auditLog.source()) => {
      let text = '';
      const keys = await house.auditLog.verifierKeys();
      for await (const part of writeBundle(source, { keys })) text += part;
      return verifyBundle(linesOf(text), {});
    };
    const system = <Result>(work: (transaction: Transaction) => Promise<Result>) =>
      house.database.transaction(asSystem, work);
    const shred = (account: Uuid) => house.encryption.keyTree.shred(house.database, [account]);

    it('are stored encrypted, on the way in and where they stay, and open for whoever may read', async () => {
      await house.append(from(alice), from(null));
      const waiting = await house.peek(`select encode(opening, 'hex') as opening from audit_inbox`);
      await house.auditLog.sequence();
      const stored = await house.peek(`select encode(opening, 'hex') as opening from audit_openings`);
      expect(new Set(waiting.map(({ opening }) => opening))).toEqual(new Set(stored.map(({ opening }) => opening)));
      expect(stored).toHaveLength(2);
      for (const { opening } of stored) {
        expect(opening).toMatch(/^03/);
        expect(opening).not.toContain(toHex(utf8(PREFIX)));
      }
      expect(await shown(2)).toEqual([PREFIX, PREFIX]);
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 0 });
    });

    it('cost no statement for somebody the process has just met', async () => {
      const counted = async (event: AuditEvent): Promise<number> => {
        let count = 0;
        await house.database.transaction(inTenant(tenant), (transaction) =>
          house.auditLog.append(
            transaction.withPlugin({
              transformQuery: ({ node }) => {
                count += 1;
                return node;
              },
              transformResult: async ({ result }) => result,
            }),
            event,
          ),
        );
        return count;
      };
      expect(await counted(from(alice))).toBeGreaterThan(3);
      await counted(from(null));
      // Met, but not yet remembered: the rows were of those very transactions.
      expect([await counted(from(alice)), await counted(from(null))]).toEqual([3, 2]);
      expect([await counted(from(alice)), await counted(from(null))]).toEqual([0, 0]);
      house.clock.time += 60_000;
      expect(await counted(from(alice))).toBe(3);
    });

    it('are bound to their event, and a key that is gone without its person being erased is missed', async () => {
      await log(from(alice), from(alice), from(bob));
      await house.attack(
        `alter table audit_openings disable trigger all`,
        `update audit_openings as o set opening = other.opening from audit_openings as other, audit_leaves as l, audit_leaves as m
          where l.event_id = o.event_id and m.event_id = other.event_id and l.index = 0 and m.index = 1`,
      );
      const wrong = 'salt or value are not those that were logged';
      expect((await judge()).findings).toEqual([{ where: 'event 0, column address_prefix', what: wrong }]);
      // What is not what was logged is shown to nobody, not even when only one bit of it is another.
      expect(await shown(3)).toEqual(['', PREFIX, PREFIX]);
      await house.attack(
        `update audit_openings as o set opening = set_byte(opening, 50, get_byte(opening, 50) # 1) from audit_leaves as l where l.event_id = o.event_id and l.index = 1`,
      );
      expect(await shown(3)).toEqual(['', '', PREFIX]);
      await house.attack(`delete from audit_opening_keys where account_id = '${bob}'`);
      expect((await judge()).findings).toContainEqual({ where: 'event 2, column address_prefix', what: wrong });
      // The key of somebody who was erased in the place of another one's must not make their events look redacted.
      const gone = newUuid();
      await system((transaction) => house.encryption.subjects(transaction, [gone], { create: true }));
      await shred(gone);
      await house.attack(`update audit_opening_keys set account_id = '${gone}' where account_id = '${alice}'`);
      expect((await judge()).findings.map(({ what }) => what)).toContain(
        'it is not of the account that its pseudonym stands for',
      );
      await house.attack(
        `update audit_opening_keys set account_id = '${alice}', sealed_key = set_byte(sealed_key, 60, get_byte(sealed_key, 60) # 1) where account_id = '${gone}'`,
      );
      const fresh = await house.replica(house.database);
      const damaged = await verifyLog(fresh.source(), { keys: await fresh.verifierKeys() });
      expect(damaged.findings).toContainEqual({ where: 'event 1, column address_prefix', what: wrong });
    });

    it('are each used once, whoever writes how much from wherever', async () => {
      const places = ['203.0.113.0/24', PREFIX, '2001:db8::/48'];
      const context = from(alice).context;
      const events = Array.from({ length: 60 }, (_, index) =>
        from(
          index % 4 === 3 ? bob : alice,
          index % 4 === 3 ? {} : { context: { ...context, addressPrefix: places[index >> 5]! } },
        ),
      );
      // The first of each makes their key, which is remembered from the second on.
      for (const event of events) await house.append(event);
      await house.auditLog.sequence();
      expect(await shown(60)).toEqual(events.map((event) => event.context.addressPrefix));
      const entries = await house.auditLog.source().entries(0, 60);
      const salts = entries.map(({ addressPrefix }) => toHex(addressPrefix!.salt));
      expect(new Set(salts).size).toBe(60);
      // One encryption serves several, and none twice.
      const stored = await house.peek<{ readonly opening: string }>(
        `select encode(opening, 'hex') as opening from audit_openings`,
      );
      expect(new Set(stored.map(({ opening }) => opening)).size).toBe(60);
      const seeds = new Set(stored.map(({ opening }) => opening.slice(4)));
      expect(seeds.size).toBeLessThan(10);
      expect(new Set([...seeds].map((sealed) => sealed.slice(0, 24))).size).toBe(seeds.size);
      expect(await judge()).toMatchObject({ ok: true, size: 60 });
    });

    it('of the form before, encrypted for one event each, still open there and nowhere else', async () => {
      await log(from(alice), from(alice));
      const accounts = await house.peek<{ readonly pseudonym: string }>(`select pseudonym from audit_pseudonyms`);
      const person = accounts[0]!.pseudonym;
      const keys = await system((transaction) =>
        house.auditLog.openings.forWriting(transaction, [{ person, account: alice }], 0),
      );
      const entries = await house.auditLog.source().entries(0, 2);
      for (const { event, addressPrefix } of entries) {
        if (typeof event === 'string') throw new TypeError(event);
        const vector = randomBytes(12);
        const cipher = createCipheriv('aes-256-gcm', keys.get(person)!, vector);
        cipher.setAAD(utf8(`strongroom/audit-opening/v1\0${event.tenantId}\0${event.eventId}`));
        const text = cipher.update(concatBytes(addressPrefix!.salt, utf8(PREFIX)));
        cipher.final();
        const former = toHex(concatBytes(Uint8Array.of(1), vector, text, cipher.getAuthTag()));
        await house.attack(
          `alter table audit_openings disable trigger all`,
          `update audit_openings set opening = '\\x${former}' where event_id = '${event.eventId}'`,
        );
      }
      expect(await shown(2)).toEqual([PREFIX, PREFIX]);
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 0 });
      await house.attack(
        `update audit_openings as o set opening = other.opening from audit_openings as other where other.event_id < o.event_id`,
      );
      expect(await shown(2)).toEqual([PREFIX, '']);
    });

    it('close with the key of their person, whatever rows are left, and the log says so when it notices', async () => {
      await log(from(alice), from(bob), from(alice));
      await shred(alice);
      expect(await shown(3)).toEqual([null, PREFIX, null]);
      expect(await house.peek('select 1 from audit_openings')).toHaveLength(3);
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 2 });
      const before = await judgeBundle({ ...house.auditLog.source(), settled: async () => undefined });
      expect(before.findings.map(({ what }) => what)).toEqual(Array(2).fill('the logged value is missing'));

      expect(await system((transaction) => house.auditLog.redactErased(transaction, [bob]))).toBe(0);
      expect(await system((transaction) => house.auditLog.redactErased(transaction))).toBe(1);
      await house.auditLog.sequence();
      expect(await house.peek('select 1 from audit_openings')).toHaveLength(1);
      expect(await judge()).toMatchObject({ ok: true, size: 4, redactedEntries: 2 });
      expect(await judgeBundle()).toMatchObject({ ok: true, redactedEntries: 2 });
      expect(await system((transaction) => house.auditLog.redactErased(transaction))).toBe(0);
    });

    it('are not made any more about somebody who was erased, and what a process still writes opens for nobody', async () => {
      const other = await house.replica(house.database);
      const write = (auditLog: Pick<House['auditLog'], 'append'>) =>
        system((transaction) => auditLog.append(transaction, from(alice)));
      await write(other);
      await write(other);
      await shred(alice);
      await write(other);
      await write(house.auditLog);
      await house.auditLog.sequence();
      const entries = await house.auditLog.source().entries(0, 4);
      expect(entries.map(({ isErased = false }) => isErased)).toEqual([true, true, true, false]);
      expect(entries.map(({ event }) => typeof event !== 'string' && event.addressCommitment !== null)).toEqual([
        true,
        true,
        true,
        false,
      ]);
      await system((transaction) => house.auditLog.redactErased(transaction));
      await house.auditLog.sequence();
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 3 });
      expect(await judgeBundle()).toMatchObject({ ok: true, redactedEntries: 3 });
    });

    it('leave no key behind for somebody who is forgotten while a process still knows them', async () => {
      const other = await house.replica(house.database);
      const write = (event: AuditEvent) => system((transaction) => other.append(transaction, event));
      const silent = from(alice, { context: { ...from(alice).context, addressPrefix: null } });
      await write(silent);
      await write(silent);
      await house.auditLog.sequence();
      await system((transaction) => house.auditLog.redactSubject(transaction, alice));
      // It knows the pseudonym, but no key yet.
      await write(from(alice));
      await house.auditLog.sequence();
      expect(await house.peek('select 1 from audit_opening_keys')).toEqual([]);
      expect(await judge()).toMatchObject({ ok: true });
    });

    it('of changes close with each of the people the event names', async () => {
      const carol = newUuid();
      await log(
        from(alice, { subjects: [bob, carol], digests: { before: digest } }),
        from(alice, { subjects: [bob, carol] }),
        from(carol),
      );
      const entry = await entryAt(0);
      expect(showsDigest(entry as never, 'before', digest)).toBe(true);
      await shred(bob);
      expect(await shown(3)).toEqual([null, PREFIX, PREFIX]);
      await system((transaction) => house.auditLog.redactErased(transaction));
      await house.auditLog.sequence();
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 1 });
      expect(await judgeBundle()).toMatchObject({ ok: true, redactedEntries: 1 });
      // The other one is forgotten later: nothing is counted twice.
      await shred(carol);
      await system((transaction) => house.auditLog.redactErased(transaction));
      // About somebody erased no digest is kept, the address of whoever acts is.
      await log(from(alice, { subjects: [bob], digests: { after: digest } }));
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 2 });
      const last = await entryAt(4);
      expect(last).toMatchObject({ addressPrefix: { value: PREFIX }, event: { details: '{"version":3}' } });
    });

    it('survive a rotation of keys, which wraps their keys anew and not them', async () => {
      await log(from(alice), from(null));
      const stored = () => house.peek(`select encode(opening, 'hex') as opening from audit_openings order by opening`);
      const wrapped = () =>
        house.peek(`select encode(sealed_key, 'hex') as key from audit_opening_keys order by person`);
      const [openings, keys] = [await stored(), await wrapped()];
      const table = encryptedTable(manifest.dataMap!, 'audit_opening_keys', {
        row: ['person'],
        subjects: { sealed_key: 'account_id' },
      });
      // The signing keys are another room's business here; they would be lost with the version.
      const rotations = createRotations({ ...house, tables: [table] });
      await rotations.begin({ kind: 'root' }, { settle: 0, keepsFormer: true });
      await rotations.work();
      expect((await rotations.list())[0]).toMatchObject({ state: 'complete', rewritten: 2, damaged: 0 });
      expect(await stored()).toEqual(openings);
      for (const [index, { key }] of (await wrapped()).entries()) expect(key).not.toBe(keys[index]!['key']);
      await log(from(alice));
      const fresh = await house.replica(house.database);
      expect((await fresh.source().entries(0, 3)).map(({ addressPrefix }) => addressPrefix?.value)).toEqual(
        Array(3).fill(PREFIX),
      );
      expect(await judge()).toMatchObject({ ok: true });
    });

    it('of the time before are encrypted where they are, and dropped where nobody may have them', async () => {
      await log(from(alice), from(null), from(bob));
      const clear = async (index: number): Promise<void> => {
        const { event, addressPrefix } = await entryAt(index);
        if (typeof event === 'string') throw new Error('no event');
        const bytes = `00${toHex(addressPrefix!.salt)}${toHex(utf8(addressPrefix!.value))}`;
        await house.attack(`update audit_openings set opening = '\\x${bytes}' where event_id = '${event.eventId}'`);
      };
      for (const index of [0, 1, 2]) await clear(index);
      await house.attack(`delete from audit_opening_keys`);
      const other = await house.replica(house.database);
      expect((await other.source().entries(0, 3)).map(({ addressPrefix }) => addressPrefix?.value)).toEqual(
        Array(3).fill(PREFIX),
      );
      await shred(bob);
      expect(await other.sealOpenings()).toBe(3);
      expect(await other.sealOpenings()).toBe(0);
      if (engine.name === 'PGlite') {
        // On PostgreSQL the owner of this test has taken the triggers away.
        const again = house.database.transaction(asSystem, (transaction) =>
          sql`update audit_openings set opening = opening`.execute(transaction),
        );
        await expect(again).rejects.toMatchObject({ sqlState: '42501' });
      }
      const stored = await house.peek(`select encode(opening, 'hex') as opening from audit_openings`);
      expect(stored).toHaveLength(2);
      for (const { opening } of stored) expect(opening).toMatch(/^02/);
      await system((transaction) => other.redactErased(transaction));
      await other.sequence();
      expect((await other.source().entries(0, 3)).map(({ addressPrefix }) => addressPrefix?.value)).toEqual([
        PREFIX,
        PREFIX,
        undefined,
      ]);
      const keys = await other.verifierKeys();
      expect(await verifyLog(other.source(), { keys })).toMatchObject({ ok: true, redactedEntries: 1 });
    });
  });
}

async function* linesOf(bundle: string): AsyncIterable<string> {
  for (const line of bundle.split('\n').slice(0, -1)) yield line;
}
