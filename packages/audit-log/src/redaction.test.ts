/** A person is forgotten: every proof holds, and nothing leads to them any more. */
import { createHash } from 'node:crypto';
import { createEncryption, fileSlot } from '@strongroom/encryption';
import { fromHex, newUuid, toHex, utf8, type Uuid } from '@strongroom/kernel';
import { asSystem, inInstallation, inTenant } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyBundle } from './bundle.ts';
import { REDACTION } from './entry.ts';
import {
  accountActor,
  alice,
  auditEvent,
  bob,
  type House,
  openHouse,
  otherTenant,
  tenant,
} from './log.test-support.ts';
import { manifest } from './manifest.ts';
import { createTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts';
import { verifyLog } from './verify-log.ts';
import { writeBundle } from './write-bundle.ts';

const ALICE_PREFIX = '198.51.100.0/24';
const BOB_PREFIX = '203.0.113.0/24';

const by = (account: Uuid, of: Uuid, addressPrefix: string) =>
  auditEvent(
    {
      tenant: of,
      subjects: [account],
      object: { type: 'account', id: account },
      context: { requestId: newUuid(), actor: accountActor(account, of), addressPrefix, receivedAt: 0 },
    },
    accountActor(account, of),
  );

async function* linesOf(bundle: string): AsyncIterable<string> {
  for (const line of bundle.split('\n').slice(0, -1)) yield line;
}

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`forgetting a person on ${engine.name}`, () => {
    let house: House;
    let keys: readonly string[];

    const judge = () => verifyLog(house.auditLog.source(), { keys });
    async function bundle(): Promise<string> {
      let text = '';
      for await (const part of writeBundle(house.auditLog.source(), { keys })) text += part;
      return text;
    }
    /** Every row of every table of the room. */
    async function everything(): Promise<string> {
      const parts: string[] = [];
      for (const table of Object.keys(manifest.dataMap!)) {
        for (const row of await house.peek(`select t::text as row from ${table} as t`)) parts.push(row['row']!);
      }
      return parts.join('\n');
    }
    const redact = async (account: Uuid) => {
      const redaction = await house.database.transaction(inTenant(tenant), (transaction) =>
        house.auditLog.redactSubject(transaction, account),
      );
      await house.auditLog.sequence();
      return redaction;
    };

    beforeEach(async () => {
      house = await openHouse(engine);
      await house.append(
        by(alice, tenant, ALICE_PREFIX),
        by(bob, tenant, BOB_PREFIX),
        by(alice, otherTenant, ALICE_PREFIX),
        // A failed sign-in: nobody acts, and the address is that of the person it names first.
        auditEvent({
          subjects: [alice, bob],
          context: { requestId: newUuid(), actor: { kind: 'anonymous' }, addressPrefix: ALICE_PREFIX, receivedAt: 0 },
        }),
      );
      await house.auditLog.sequence();
      keys = await house.auditLog.verifierKeys();
    });
    afterEach(() => house.close());

    it('keeps every proof, made before or after', async () => {
      const before = await bundle();
      const proofs = await Promise.all([0, 1, 2, 3].map((index) => createTlogProof(house.auditLog.source(), index)));
      const remembered = await judge();
      expect(remembered).toMatchObject({ ok: true, redactedEntries: 0 });
      expect(await redact(alice)).toEqual({ openings: 3, events: 2 });
      const after = await bundle();

      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 3, size: 6 });
      const { size, root } = remembered;
      expect(await verifyLog(house.auditLog.source(), { keys, remembered: { size, root } })).toMatchObject({
        ok: true,
      });
      expect(await verifyBundle(linesOf(before), { keys })).toMatchObject({ ok: true, redactedEntries: 0 });
      expect(await verifyBundle(linesOf(after), { keys, remembered: { size, root } })).toMatchObject({
        ok: true,
        redactedEntries: 3,
      });
      for (const proof of proofs)
        expect(await verifyTlogProof(parseTlogProof(proof), { keys })).toMatchObject({ ok: true });
      figure('1 person forgotten: bundles and proofs from before and after verify, INTACT with 3 redacted');
    });

    it('leaves nothing that leads to them, whoever searches with all keys that are left', async () => {
      const before = `${await bundle()}\n${await everything()}`;
      await redact(alice);
      const after = `${await bundle()}\n${await everything()}`;
      const salts = [...before.matchAll(/"salt":"([\w-]{43})"/g)].map(([, salt]) => Buffer.from(salt!, 'base64url'));
      expect(new Set(salts.map((salt) => salt.toString('hex'))).size).toBe(4);

      const forms = (text: string) => [
        text,
        toHex(utf8(text)),
        Buffer.from(text).toString('base64').replace(/=+$/, ''),
      ];
      const needles = [...forms(alice), alice.replaceAll('-', ''), ...forms(ALICE_PREFIX)];
      expect(needles.some((needle) => before.includes(needle))).toBe(true);
      for (const needle of needles) expect(after).not.toContain(needle);
      // The person who was not forgotten is still there: the search can find.
      for (const needle of [bob, BOB_PREFIX]) expect(after).toContain(needle);

      // Dictionary: every candidate, hashed with everything the attacker still has, against every 32 bytes that are stored.
      const dictionary = [alice, ALICE_PREFIX, ...Array.from({ length: 256 }, (_, byte) => `198.51.${byte}.0/24`)];
      const encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root.key')) });
      const digests = (text: string, known: readonly Uint8Array[]) => [
        createHash('sha256').update(text).digest('hex'),
        toHex(encryption.keyedHash('audit-log', utf8(text))),
        ...known.map((salt) => createHash('sha256').update(salt).update(text).digest('hex')),
      ];
      const left = [...after.matchAll(/\\\\x00([0-9a-f]{64})/g)].map(([, salt]) => fromHex(salt!));
      const isKnown = (haystack: string, known: readonly Uint8Array[]) => (word: string) =>
        digests(word, known).some((digest) => haystack.includes(digest));
      const commitments = (text: string) =>
        text.replaceAll(/"addressCommitment":"([\w-]{43})"/g, (_, commitment: string) =>
          Buffer.from(commitment, 'base64url').toString('hex'),
        );
      expect(dictionary.filter(isKnown(commitments(before), salts))).toContain(ALICE_PREFIX);
      expect(dictionary.filter(isKnown(commitments(after), left))).toEqual([]);
    });

    it('records the rest of the transaction under the former pseudonym, without an address', async () => {
      await house.database.transaction(inTenant(tenant), async (transaction) => {
        const role = await sql<{ role: string }>`select current_setting('role') as role`.execute(transaction);
        await house.auditLog.redactSubject(transaction, alice);
        await house.auditLog.append(transaction, by(alice, tenant, ALICE_PREFIX));
        const now = await sql<{ role: string }>`select current_setting('role') as role`.execute(transaction);
        expect(now.rows).toEqual(role.rows);
      });
      await house.auditLog.sequence();
      const [first, ...others] = await house.peek<{ actor: string | null; subjects: string[]; type: string }>(
        'select actor, subjects::text[] as subjects, type from audit_leaves join audit_events using (event_id) order by index',
      );
      expect(others.filter(({ type }) => type === REDACTION).map(({ subjects }) => subjects)).toEqual([
        [first!.actor],
        [first!.actor],
      ]);
      // The one redaction stands for all that was committed with it, so it comes last.
      expect(others.at(-1)!.type).toBe(REDACTION);
      expect(others.findLast(({ type }) => type !== REDACTION)!.actor).toBe(first!.actor);
      expect(await everything()).not.toContain(alice);
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 3 });
    });

    it('is taken back with its transaction, and happens once', async () => {
      const stop = new Error('stop');
      const attempt = house.database.transaction(inInstallation, async (transaction) => {
        await house.auditLog.redactSubject(transaction, alice);
        throw stop;
      });
      await expect(attempt).rejects.toBe(stop);
      expect(await everything()).toContain(alice);
      expect(await redact(alice)).not.toBeNull();
      expect(await redact(alice)).toBeNull();
      expect(await redact(newUuid())).toBeNull();
      expect(await judge()).toMatchObject({ ok: true, size: 6 });
    });

    it('cannot be feigned: a value that is gone without its redaction is missed, one kept in spite of it is found', async () => {
      const [row] = await house.peek(
        'select * from audit_openings where event_id = (select event_id from audit_leaves where index = 0)',
      );
      await house.attack(`delete from audit_openings where event_id = '${row!['event_id']}'`);
      const place = 'event 0, column address_prefix';
      expect((await judge()).findings).toEqual([{ where: place, what: 'the logged value is missing' }]);
      await redact(bob);
      // The redaction of another one excuses nothing.
      expect((await judge()).findings.map(({ where }) => where)).toEqual([place]);
      await redact(alice);
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 4 });
      const id = row!['event_id']!;
      await house.attack(
        `insert into audit_openings select '${id}', 'address_prefix', tenant_id, actor, '\\x0001' from audit_events where event_id = '${id}'`,
      );
      expect((await judge()).findings.map(({ what }) => what)).toContain(
        'a value is stored about somebody who has no pseudonym any more',
      );
    });

    /** Redactions that the sequencer added by itself. */
    const late = () => house.peek(`select type from audit_events where actor_via = 'audit-log.sequence'`);

    it('waits for nobody who is just acting, and keeps nothing of what they still write', async () => {
      if (house.database.engine === 'pglite') return;
      // The first look takes locks that the open transaction below would hold up.
      expect(await late()).toEqual([]);
      let acted = () => {};
      const acting = new Promise<void>((resolve) => (acted = resolve));
      let proceed = () => {};
      const gate = new Promise<void>((resolve) => (proceed = resolve));
      const writing = house.database.transaction(asSystem, async (transaction) => {
        await house.auditLog.append(transaction, by(alice, tenant, ALICE_PREFIX));
        acted();
        await gate;
      });
      await acting;
      expect(await redact(alice)).toMatchObject({ openings: 3 });
      expect(await late()).toEqual([]);
      proceed();
      await writing;
      await house.auditLog.sequence();
      expect(await late()).toEqual([{ type: REDACTION }]);
      expect(await everything()).not.toContain(alice);
      expect(await everything()).not.toContain(toHex(utf8(ALICE_PREFIX)));
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 4 });
    });

    it('holds for another process that still remembers the pseudonym', async () => {
      const replica = await house.replica(house.database);
      const write = (of: Uuid) =>
        house.database.transaction(asSystem, (transaction) => replica.append(transaction, by(alice, of, ALICE_PREFIX)));
      await write(tenant);
      await redact(alice);
      const [known] = await house.peek(
        'select actor from audit_events e join audit_leaves using (event_id) where index = 0',
      );
      await write(tenant);
      await write(tenant);
      await write(otherTenant);
      await house.auditLog.sequence();
      expect(await late()).toHaveLength(2);
      const rows = await house.peek('select actor from audit_events order by event_id desc limit 5');
      expect(rows.filter(({ actor }) => actor === known!['actor'])).toHaveLength(3);
      expect(await everything()).not.toContain(toHex(utf8(ALICE_PREFIX)));
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 7 });
      // A minute later it looks again, and somebody who comes back is somebody new.
      house.clock.time += 61_000;
      await write(tenant);
      await house.auditLog.sequence();
      const [newest] = await house.peek('select actor from audit_events order by event_id desc limit 1');
      expect(newest!['actor']).not.toBe(known!['actor']);
      expect(await judge()).toMatchObject({ ok: true, redactedEntries: 7 });
    });
  });
}
