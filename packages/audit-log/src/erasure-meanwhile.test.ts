/** People are forgotten while the log is verified or a bundle written: between two statements, or before the entry that says so has its place. None of it is damage. */
import { newUuid, toBase64, type Uuid } from '@strongroom/kernel';
import { inTenant } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyBundle } from './bundle.ts';
import { databaseLogSource } from './database-source.ts';
import { openDoor } from './door.test-support.ts';
import { OpeningKeys } from './internal/opening-keys.ts';
import type { LogSource } from './log-source.ts';
import { accountActor, auditEvent, type House, inJson, openHouse, tenant } from './log.test-support.ts';
import { remoteLogSource } from './remote-source.test-support.ts';
import { verifyLog } from './verify-log.ts';
import { writeBundle } from './write-bundle.ts';

/** Somebody else is faster than whoever has read a page and goes on to its keys. */
class SlowKeys extends OpeningKeys {
  #meanwhile: (() => Promise<void>) | undefined;

  constructor(encryption: House['encryption'], meanwhile: () => Promise<void>) {
    super(encryption);
    this.#meanwhile = meanwhile;
  }

  override async forReading(...parameters: Parameters<OpeningKeys['forReading']>) {
    const meanwhile = this.#meanwhile;
    this.#meanwhile = undefined;
    await meanwhile?.();
    return super.forReading(...parameters);
  }
}

type Way = (source: LogSource, house: House) => LogSource;

const overNetwork: Way = (_, house) => ({
  ...remoteLogSource(reader(house)),
  settled: async () => void (await house.auditLog.sequence()),
});

/** Every way in which entries are read: from the database in two forms, and over the routes, where a running server gives events their place. */
const ways: readonly (readonly [string, Way])[] = [
  ['as rows', (source) => source],
  ['as JSON', inJson],
  ['over the network', overNetwork],
];

function reader(house: House): (path: string) => Promise<unknown> {
  const door = openDoor(house, { account: newUuid(), tenant, allowed: true });
  return async (path) => {
    const { status, body } = await door.ask('GET', path);
    return status === 404 ? undefined : body;
  };
}

/** Does something each time before entries are read. */
function eachTime(source: LogSource, work: () => Promise<void>): LogSource {
  const entries: LogSource['entries'] = async (from, to) => {
    await work();
    return source.entries(from, to);
  };
  if (source.checkedEntries === undefined) return { ...source, entries };
  const checkedEntries: LogSource['checkedEntries'] = async (from, to) => {
    await work();
    return source.checkedEntries!(from, to);
  };
  return { ...source, entries, checkedEntries };
}

async function* linesOf(bundle: string): AsyncIterable<string> {
  for (const line of bundle.split('\n').slice(0, -1)) yield line;
}

const missing = (index: number) => ({
  where: `event ${index}, column address_prefix`,
  what: 'the logged value is missing',
});

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`while somebody is forgotten, on ${engine.name}`, () => {
    let house: House;
    let keys: readonly string[];
    /** Entries of people who were forgotten. */
    let redacted = 0;
    beforeAll(async () => {
      house = await openHouse(engine);
    });
    afterAll(() => house.close());

    /** So many people more, each with an event in the log, the first of them in place `first`. */
    async function newcomers(count: number): Promise<{ people: Uuid[]; first: number }> {
      const people = Array.from({ length: count }, () => newUuid());
      await house.auditLog.sequence();
      await house.append(...people.map((person) => auditEvent({}, accountActor(person))));
      await house.auditLog.sequence();
      keys = await house.auditLog.verifierKeys();
      const [newest] = await house.peek('select max(size) as size from audit_checkpoints');
      return { people, first: Number(newest!['size']) - count };
    }
    async function forget(account: Uuid): Promise<void> {
      const redaction = await house.database.transaction(inTenant(tenant), (transaction) =>
        house.auditLog.redactSubject(transaction, account),
      );
      if (redaction !== null) redacted += 1;
    }
    /** The opening of the event in this place is taken away without a word, and put back. */
    async function without(index: number, work: () => Promise<void>): Promise<void> {
      const row = `event_id = (select event_id from audit_leaves where index = ${index})`;
      await house.attack(
        `create table kept as select * from audit_openings where ${row}`,
        `delete from audit_openings where ${row}`,
      );
      await work();
      await house.attack('insert into audit_openings table kept', 'drop table kept');
    }
    const sourceOf = (as: Way) => as(house.auditLog.source(), house);
    const verify = (source: LogSource) => verifyLog(source, { keys });
    async function write(source: LogSource, range: { from?: number; to?: number } = {}): Promise<string> {
      let text = '';
      for await (const part of writeBundle(source, { keys, ...range })) text += part;
      return text;
    }
    const judge = (bundle: string) => verifyBundle(linesOf(bundle), { keys });

    describe.each(ways)('a log that is read %s', (_, as) => {
      it('is verified up to the entry that says so, and not excused by others', async () => {
        const { people, first } = await newcomers(2);
        await forget(people[0]!);
        const verdict = await verify(sourceOf(as));
        expect(verdict).toMatchObject({ findings: [], redactedEntries: redacted });
        expect(verdict.size).toBeGreaterThan(first + 2);
        await without(first + 1, async () => {
          expect((await verify(sourceOf(as))).findings).toEqual([missing(first + 1)]);
        });
      });
    });

    // The second way is that of the first one here.
    describe.each(ways.slice(1))('a log that is read %s', (name, as) => {
      it('is written to no bundle between a removal and its entry', async () => {
        const { people } = await newcomers(2);
        await forget(people[0]!);
        const before = await judge(await write(sourceOf(as)));
        expect(before).toMatchObject({ findings: [], redactedEntries: redacted });
        expect(before.verifiedEntries + before.withheldEntries).toBe(before.size);
        // Nor when somebody is forgotten while it is written.
        const source = eachTime(sourceOf(as), () => forget(people[1]!));
        const meanwhile = await judge(await write(source));
        expect(meanwhile).toMatchObject({ findings: [], redactedEntries: redacted });
        figure(`a bundle that is written during an erasure, read ${name}: valid`);
      });
    });

    it('a log is not verified anew for each of many who are forgotten one after the other', async () => {
      const { people } = await newcomers(6);
      let reads = 0;
      const source = eachTime(sourceOf(overNetwork), async () => {
        reads += 1;
        const person = people.pop();
        if (person !== undefined) await forget(person);
      });
      expect((await verify(source)).findings).toEqual([]);
      expect(reads).toBe(2);
    });

    it('a bundle of a part of the log says why something is gone from there', async () => {
      const { people, first } = await newcomers(2);
      await forget(people[0]!);
      await newcomers(1);
      const part = await judge(await write(house.auditLog.source(), { from: first, to: first + 1 }));
      expect(part).toMatchObject({ findings: [], verifiedEntries: 2, redactedEntries: 1 });
      const other = await judge(await write(house.auditLog.source(), { from: first + 1, to: first + 2 }));
      expect(other).toMatchObject({ findings: [], verifiedEntries: 1, redactedEntries: 0 });
    });

    it('a log is verified as well when its keys change meanwhile', async () => {
      const { people } = await newcomers(1);
      const settled = async () => {
        await house.auditLog.rotateKeys('command-line');
        await house.append(auditEvent());
        await house.auditLog.sequence();
      };
      await forget(people[0]!);
      const verdict = await verify({ ...sourceOf(overNetwork), settled });
      expect(verdict).toMatchObject({ findings: [], redactedEntries: redacted });
      expect(verdict.keys).toEqual(await house.auditLog.verifierKeys());
    });

    it('a bundle shows what nothing accounts for as it is, and is waited for once', async () => {
      const { first } = await newcomers(1);
      let waits = 0;
      const settled = async () => {
        waits += 1;
        await house.append(auditEvent());
        await house.auditLog.sequence();
      };
      await without(first, async () => {
        const bundle = await write({ ...house.auditLog.source(), settled });
        expect((await judge(bundle)).findings).toEqual([missing(first)]);
      });
      expect(waits).toBe(1);
    });

    it('a bundle is believed behind its checkpoint only as far as another one covers it', async () => {
      const { people, first } = await newcomers(1);
      await forget(people[0]!);
      const lines = (await write(house.auditLog.source())).split('\n').slice(0, -1);
      const judged = (changed: readonly string[]) => judge(`${changed.join('\n')}\n`);
      expect(await judged(lines)).toMatchObject({ ok: true, size: first + 1 });
      expect((await judged(lines.slice(0, -1))).findings).toEqual([
        { where: `entry ${first + 1}`, what: 'no checkpoint of the bundle covers it' },
      ]);
      expect((await judged(lines.slice(0, -2))).findings).toEqual([missing(first)]);
      const changed = lines.with(
        lines.length - 2,
        lines.at(-2)!.replace('"outcome":"success"', '"outcome":"success","x":1'),
      );
      expect(await judged(changed).catch(({ code }: { code: string }) => code)).not.toMatchObject({ ok: true });
      const other = lines.with(lines.length - 2, lines.at(-2)!.replace('audit-log.redaction', 'audit-log.sequence'));
      expect((await judged(other)).standing).toBe('DIVERGED');
      const hidden = JSON.stringify({ from: first + 1, to: first + 2, hashes: [toBase64(new Uint8Array(32))] });
      expect((await judged(lines.with(lines.length - 2, hidden))).findings).toContainEqual(missing(first));
      // What stands there must not be about more than what is said to be shown.
      const doubled = [...lines, lines.at(-2)!];
      await expect(judged(doubled)).rejects.toMatchObject({ code: 'audit-log.invalid-bundle' });
    });

    it('a bundle is not written where it would need keys that its first line does not name', async () => {
      const { people } = await newcomers(1);
      await forget(people[0]!);
      const settled = async () => void (await house.auditLog.rotateKeys('command-line'));
      await expect(write({ ...house.auditLog.source(), settled })).rejects.toMatchObject({
        code: 'audit-log.keys-changed',
      });
      expect(await judge(await write(house.auditLog.source()))).toMatchObject({
        findings: [],
        redactedEntries: redacted,
      });
    });

    it('the log says who was forgotten whose keys alone were destroyed, before a bundle is written', async () => {
      const { people, first } = await newcomers(1);
      await house.encryption.keyTree.shred(house.database, people);
      redacted += 1;
      expect(await judge(await write(house.auditLog.source()))).toMatchObject({
        findings: [],
        redactedEntries: redacted,
      });
      expect(await verify(house.auditLog.source())).toMatchObject({ findings: [], size: first + 2 });
    });

    // PGlite has one session: nothing gets between two statements of a transaction.
    it.skipIf(engine.name === 'PGlite').each(ways.slice(0, 2))(
      'between a page and its keys, read %s',
      async (name, as) => {
        const { people, first } = await newcomers(2);
        // In a session of its own: one inside of a transaction is refused.
        const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
        const forgotten = asked.then(() => forget(people[0]!));
        const openings = new SlowKeys(house.encryption, async () => {
          ask();
          await forgotten;
        });
        const source = databaseLogSource(house.database, house.clock, openings, () => house.auditLog.sequence());
        expect(await verify(as(source, house))).toMatchObject({ findings: [], redactedEntries: redacted });
        await house.attack(
          'create table kept as table audit_opening_keys',
          `update audit_opening_keys set sealed_key = '\\x00'`,
        );
        expect((await verify(sourceOf(as))).findings).toContainEqual({
          where: `event ${first + 1}, column address_prefix`,
          what: 'salt or value are not those that were logged',
        });
        await house.attack(
          'update audit_opening_keys as k set sealed_key = kept.sealed_key from kept where k.person = kept.person',
          'drop table kept',
        );
        figure(`an erasure between a page and its keys, read ${name}: no false finding`);
      },
    );
  });
}
