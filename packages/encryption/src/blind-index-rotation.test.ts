import { join } from 'node:path';
import { newUuid, systemClock, type Uuid } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases, onlyOn } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createIndexRotations,
  missingIndexVersions,
  type IndexReader,
  type IndexRotations,
} from './blind-index-rotation.ts';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';
import { createRotations } from './rotation.ts';
import { encryptedTables, testRoom } from './rotation.test-support.ts';

const email = ['people', 'email'] as const;
const code = (expected: string) => expect.objectContaining({ code: expected });

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`rotation of a blind index on ${engine.name}`, () => {
    let database: Database;
    let encryption: Encryption;
    let indexes: IndexRotations;
    let people: Uuid[];
    let recorded: string[];

    const inTransaction = <Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> =>
      database.transaction(asSystem, work);

    const write = async (transaction: Transaction, id: Uuid, text: string): Promise<void> => {
      const keys = await encryption.subjects(transaction, [id], { create: true });
      const made = (await indexes.read(transaction)).values(keys, ...email, null, text);
      const sealed = keys.seal({ tenant: null, table: 'people', column: 'email', row: id, subject: id }, text);
      await sql`insert into people (id, email, email_index, email_index_next)
        values (${id}, ${sealed}, ${made['email_index']}, ${made['email_index_next']})
        on conflict (id) do update set email = excluded.email, email_index = excluded.email_index,
          email_index_next = excluded.email_index_next`.execute(transaction);
    };

    const find = (text: string): Promise<readonly Uuid[]> =>
      inTransaction(async (transaction) => findBy(await indexes.read(transaction), transaction, text));

    const findBy = async (reader: IndexReader, transaction: Transaction, text: string): Promise<readonly Uuid[]> => {
      const matches = reader.matches(encryption, ...email, null, text);
      const { rows } = await sql<{ id: Uuid }>`select id from people where ${sql.join(
        matches.map(({ column, value }) => sql`${sql.ref(column)} = ${value}`),
        sql` or `,
      )}`.execute(transaction);
      return rows.map(({ id }) => id);
    };

    /** Everybody is found, by any spelling, and nobody else is. */
    const expectFound = async (): Promise<void> => {
      for (const [number, id] of people.entries()) expect(await find(` Person${number}@Example.org`)).toEqual([id]);
      expect(await find('nobody@example.org')).toEqual([]);
    };

    const filled = async (): Promise<Record<string, number>> => {
      const { rows } = await inTransaction((transaction) =>
        sql<{ first: number; second: number }>`
          select count(email_index) as first, count(email_index_next) as second from people`.execute(transaction),
      );
      return { ...rows[0]! };
    };

    beforeAll(async () => {
      database = await engine.open([manifest, testRoom]);
    });

    beforeEach(async () => {
      await inTransaction(async (transaction) => {
        for (const table of ['people', 'blind_index_rotations', 'subject_keys', 'key_rotations', 'key_tree'])
          await sql`delete from ${sql.table(table)}`.execute(transaction);
        await sql`delete from key_nodes where level = 1`.execute(transaction);
        await sql`delete from key_nodes`.execute(transaction);
      });
      encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
      const options = { database, encryption, clock: systemClock, tables: encryptedTables, rowsAtOnce: 2 };
      const columns = ['email_index', 'email_index_next'] as const;
      recorded = [];
      indexes = createIndexRotations({
        ...options,
        indexes: [{ table: 'people', column: 'email', columns }],
        record: (_, moment, { state, outcome }) =>
          Promise.resolve(void recorded.push(`${moment} ${state} ${String(outcome)}`)),
      });
      people = Array.from({ length: 5 }, () => newUuid());
      await inTransaction(async (transaction) => {
        for (const [number, id] of people.entries()) await write(transaction, id, `person${number}@example.org`);
      });
    });

    const join5 = async (): Promise<void> => {
      const id = newUuid();
      await inTransaction((transaction) => write(transaction, id, `person${people.length}@example.org`));
      people.push(id);
    };

    it('misses nobody in any state, and goes back and forth between the columns', async () => {
      await expectFound();
      await expect(indexes.begin(...email)).rejects.toThrow(code('encryption.key-in-use'));
      await encryption.keyTree.rotate(database, { settle: 0 });
      expect(await indexes.status(...email)).toMatchObject({
        state: 'settled',
        liveColumn: 'email_index',
        liveVersion: 1,
      });
      await indexes.begin(...email);
      await expect(indexes.begin(...email)).rejects.toThrow(code('encryption.rotation-running'));
      await expect(indexes.switch(...email)).rejects.toThrow(code('encryption.rotation-running'));
      await join5();
      await expectFound();
      expect(await filled()).toEqual({ first: 6, second: 1 });
      const filling = await indexes.work(...email);
      expect(filling).toMatchObject({ state: 'filled', otherColumn: 'email_index_next', otherVersion: 2 });
      await join5();
      await expectFound();
      expect(await filled()).toEqual({ first: 7, second: 7 });
      await indexes.switch(...email);
      await expect(indexes.cancel(...email)).rejects.toThrow(code('encryption.rotation-running'));
      await join5();
      await expectFound();
      expect(await indexes.work(...email)).toMatchObject({
        state: 'settled',
        liveColumn: 'email_index_next',
        liveVersion: 2,
        otherColumn: null,
      });
      await expectFound();
      expect(await filled()).toEqual({ first: 0, second: 8 });
      // The values are rotated as well; the first version stays for keyed hashes, the second for the index alone.
      const rotations = createRotations({ database, encryption, clock: systemClock, tables: encryptedTables });
      await rotations.begin({ kind: 'root' }, { settle: 0 });
      await rotations.work();
      expect((await encryption.keyTree.status(database)).versions).toMatchObject([
        { version: 1, isLookupOnly: true },
        { version: 2, isLookupOnly: true },
        { version: 3, isLookupOnly: false },
      ]);
      await expectFound();
      await indexes.begin(...email);
      await indexes.work(...email);
      await indexes.switch(...email);
      await indexes.work(...email);
      expect(await filled()).toEqual({ first: 8, second: 0 });
      await expectFound();
      await rotations.begin({ kind: 'root' }, { settle: 0 });
      await rotations.work();
      expect((await encryption.keyTree.status(database)).versions.map(({ version }) => version)).toEqual([1, 3, 4]);
      await expectFound();
      // The state of before, as an old backup brings it back: that it is under a version that has gone is known before anybody is searched.
      const missing = () => inTransaction((transaction) => missingIndexVersions(transaction, encryption));
      expect(await missing()).toEqual([]);
      await inTransaction((transaction) =>
        sql`update blind_index_rotations set live_version = 2, other_version = 3`.execute(transaction),
      );
      expect(await missing()).toEqual([2]);
    });

    it('goes back until it is switched, and goes on where it was stopped', async () => {
      await encryption.keyTree.rotate(database, { settle: 0 });
      await indexes.begin(...email);
      const stop = new AbortController();
      const stopping = indexes.work(...email, stop.signal);
      setTimeout(() => stop.abort(), 10);
      await stopping.catch(() => undefined);
      await indexes.work(...email);
      expect(await filled()).toEqual({ first: 5, second: 5 });
      await indexes.cancel(...email);
      await expectFound();
      expect(await indexes.work(...email)).toMatchObject({
        state: 'settled',
        liveColumn: 'email_index',
        liveVersion: 1,
      });
      expect(await filled()).toEqual({ first: 5, second: 0 });
      await expectFound();
      expect(recorded).toEqual(['begun filling null', 'ended settled cancelled']);
    });

    it('goes all the way in a job, again from where it stopped, and tells how far it is', async () => {
      await indexes.run();
      expect(await indexes.list()).toMatchObject([{ state: 'settled', startedAt: null, outcome: null }]);
      await encryption.keyTree.rotate(database, { settle: 0 });
      for (const share of [0, 1.5]) await expect(indexes.begin(...email, { share })).rejects.toThrow(TypeError);
      expect(await indexes.begin(...email, { share: 0.5 })).toMatchObject({
        state: 'filling',
        seen: 0,
        total: 5,
        share: 0.5,
      });
      await inTransaction((transaction) =>
        sql`update people set email = set_byte(email, 70, get_byte(email, 70) # 1) where id = ${people[3]}`.execute(
          transaction,
        ),
      );
      await expect(indexes.run()).rejects.toThrow(code('encryption.cannot-open'));
      expect(await indexes.status(...email)).toMatchObject({ state: 'filling', failure: 'encryption.cannot-open' });
      await inTransaction((transaction) => write(transaction, people[3]!, 'person3@example.org'));
      const stop = new AbortController();
      const stopping = indexes.run(stop.signal);
      setTimeout(() => stop.abort(), 10);
      await stopping.catch(() => undefined);
      await Promise.all([indexes.run(), join5()]);
      const [report] = await indexes.list();
      const ended = { state: 'settled', liveColumn: 'email_index_next', liveVersion: 2, outcome: 'complete' };
      expect(report).toMatchObject({ ...ended, otherColumn: null, failure: null, share: 0.5 });
      expect(report!.finishedAt).toBeGreaterThanOrEqual(report!.startedAt!);
      expect(report!.changed).toBeGreaterThanOrEqual(4 + 5);
      expect(await filled()).toEqual({ first: 0, second: 6 });
      await expectFound();
      expect(recorded).toEqual(['begun filling null', 'ended settled complete']);
    });

    it('leaves nothing of the erased, and does not pretend when a value does not open', async () => {
      await encryption.keyTree.shred(database, [people[4]!]);
      await encryption.keyTree.rotate(database, { settle: 0 });
      await inTransaction((transaction) =>
        sql`update people set email = set_byte(email, 70, get_byte(email, 70) # 1) where id = ${people[3]}`.execute(
          transaction,
        ),
      );
      await indexes.begin(...email);
      await expect(indexes.work(...email)).rejects.toThrow(code('encryption.cannot-open'));
      expect(await indexes.status(...email)).toMatchObject({ state: 'filling' });
      await inTransaction((transaction) => write(transaction, people[3]!, 'person3@example.org'));
      await indexes.work(...email);
      await indexes.switch(...email);
      await indexes.work(...email);
      expect(await filled()).toEqual({ first: 0, second: 4 });
      people.pop();
      await expectFound();
      for (const name of ['name', 'nothing']) {
        await expect(indexes.begin('people', name)).rejects.toThrow(code('encryption.column-not-encrypted'));
      }
    });

    onlyOn('PostgreSQL', engine)('waits for whoever writes by the state of before', async () => {
      await encryption.keyTree.rotate(database, { settle: 0 });
      const id = newUuid();
      const [arrived, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const slow = inTransaction(async (transaction) => {
        const keys = await encryption.subjects(transaction, [id], { create: true });
        const made = (await indexes.read(transaction)).values(keys, ...email, null, 'person5@example.org');
        arrived.resolve();
        await go.promise;
        const sealed = keys.seal(
          { tenant: null, table: 'people', column: 'email', row: id, subject: id },
          'person5@example.org',
        );
        await sql`insert into people (id, email, email_index) values (${id}, ${sealed}, ${made['email_index']})`.execute(
          transaction,
        );
      });
      await arrived.promise;
      await indexes.begin(...email);
      let isDone = false;
      const working = indexes.work(...email).finally(() => (isDone = true));
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(isDone).toBe(false);
      go.resolve();
      await slow;
      await working;
      people.push(id);
      expect(await filled()).toEqual({ first: 6, second: 6 });
      await indexes.switch(...email);
      await expectFound();
    });

    onlyOn('PostgreSQL', engine)('finds whom somebody wrote who had switched already', async () => {
      await encryption.keyTree.rotate(database, { settle: 0 });
      await indexes.begin(...email);
      await indexes.work(...email);
      const [held, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const holding = inTransaction(async (transaction) => {
        await sql`select 1`.execute(transaction);
        held.resolve();
        await letGo.promise;
      });
      await held.promise;
      const switching = indexes.switch(...email);
      const [arrived, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      // The switch waits for the one above, and not for this one, which began after it.
      await new Promise((resolve) => setTimeout(resolve, 100));
      const searching = inTransaction(async (transaction) => {
        const reader = await indexes.read(transaction);
        arrived.resolve();
        await written.promise;
        return findBy(reader, transaction, 'person5@example.org');
      });
      await arrived.promise;
      letGo.resolve();
      await Promise.all([holding, switching]);
      const id = newUuid();
      await inTransaction((transaction) => write(transaction, id, 'person5@example.org'));
      written.resolve();
      expect(await searching).toEqual([id]);
      people.push(id);
      await expectFound();
    });
  });
}
