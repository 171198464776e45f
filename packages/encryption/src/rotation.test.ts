import { join } from 'node:path';
import { newUuid, systemClock, type Uuid } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases, onlyOn } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { algorithms, type Algorithm } from './algorithms.ts';
import { encryptedTable, encryptedTableOf, undeclaredTables } from './encrypted-table.ts';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';
import { createRotations, type RotationsOptions } from './rotation.ts';
import { rowCodec, sealed } from './row-codec.ts';
import {
  addNote,
  addPerson,
  dataMap,
  encryptedTables,
  readNotes,
  readPeople,
  storedVersions,
  testRoom,
} from './rotation.test-support.ts';

const settle = { settle: 0 };
const code = (expected: string) => expect.objectContaining({ code: expected });

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`rotation on ${engine.name}`, () => {
    const [one, two] = [newUuid(), newUuid()];
    let people: Uuid[];
    let database: Database;
    let encryption: Encryption;

    const inTransaction = <Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> =>
      database.transaction(asSystem, work);
    const rotationsOf = (change: Partial<RotationsOptions> = {}) =>
      createRotations({ database, encryption, clock: systemClock, tables: encryptedTables, rowsAtOnce: 2, ...change });
    const texts = () =>
      inTransaction(async (transaction) => [...(await readPeople(encryption, transaction, people)).values()]);

    beforeAll(async () => {
      database = await engine.open([manifest, testRoom]);
    });

    beforeEach(async () => {
      await inTransaction(async (transaction) => {
        for (const table of ['people', 'notes', 'subject_keys', 'key_rotations', 'key_tree'])
          await sql`delete from ${sql.table(table)}`.execute(transaction);
        await sql`delete from key_nodes where level = 1`.execute(transaction);
        await sql`delete from key_nodes`.execute(transaction);
      });
      encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
      people = Array.from({ length: 5 }, () => newUuid());
      await inTransaction(async (transaction) => {
        for (const [index, id] of people.entries()) await addPerson(encryption, transaction, id, `person ${index}`);
        const [author, reader] = [people[0]!, people[1]!];
        for (const tenant of [one, two])
          await addNote(encryption, transaction, { tenant, author, reader, text: 'note' });
      });
    });

    it('brings every value under the new version, retires the former, and changes nothing that anybody reads', async () => {
      const recorded: string[] = [];
      const rotations = rotationsOf({
        record: (_, moment, { state }) => Promise.resolve(void recorded.push(`${moment} ${state}`)),
      });
      const begun = await rotations.begin({ kind: 'root' }, settle);
      expect(begun).toMatchObject({ keyVersion: 2, state: 'running', total: 7, seen: 0, finishedAt: null });
      expect(await storedVersions(database)).toMatchObject({ 'people.email': [1], 'notes.between': [1] });
      await expect(rotations.begin({ kind: 'root' }, settle)).rejects.toThrow(code('encryption.rotation-running'));
      await rotations.work();
      // The second pass is the one that found nothing to rewrite.
      const ended = { state: 'complete', pass: 2, seen: 7, rewritten: 14, authenticated: 14, damaged: 0, retired: [1] };
      expect(await rotations.read(begun.id)).toMatchObject(ended);
      expect(await rotations.list()).toMatchObject([ended]);
      expect(recorded).toEqual(['begun running', 'ended complete']);
      expect(new Set(Object.values(await storedVersions(database)).flat())).toEqual(new Set([2]));
      expect((await texts()).toSorted()).toEqual(people.map((_, index) => `person ${index}`));
      expect(await inTransaction((transaction) => readNotes(encryption, transaction, one))).toEqual(['note note']);
      const algorithms = await inTransaction((transaction) =>
        sql<{ byte: number }>`select distinct get_byte(name, 1) as byte from people`.execute(transaction),
      );
      expect(algorithms.rows).toEqual([{ byte: 2 }]);
      expect((await encryption.keyTree.status(database)).versions).toMatchObject([
        { version: 1, isLookupOnly: true },
        { version: 2, isLookupOnly: false },
      ]);
      await rotations.work();
      await expect(rotations.read(newUuid())).rejects.toThrow(code('encryption.no-such-rotation'));
    });

    it('gives a column the algorithm that its codec declares, also without a new version', async () => {
      const columns = (algorithm: Algorithm) => ({
        email: sealed.text({ index: 'email_index' }),
        name: sealed.text({ algorithm }),
      });
      const stored = () =>
        inTransaction((transaction) =>
          sql<{ name: number; email: number }>`
            select distinct get_byte(name, 1) as name, get_byte(email, 1) as email from people`.execute(transaction),
        );
      for (const algorithm of ['fernet', 'aes-256-gcm'] as const) {
        const codec = rowCodec(dataMap, 'people', { row: ['id'], subject: 'id', columns: columns(algorithm) });
        const rotations = rotationsOf({ tables: [encryptedTableOf(codec), encryptedTables[1]!] });
        const scope = { kind: 'column', table: 'people', column: 'name' } as const;
        const { id, keyVersion } = await rotations.begin(scope, { toPresent: true });
        await inTransaction((transaction) => addPerson(encryption, transaction, people[0]!, 'person 0'));
        await rotations.work();
        expect(await rotations.read(id)).toMatchObject({ state: 'complete', authenticated: 5, damaged: 0 });
        expect(keyVersion).toBe(1);
        expect((await stored()).rows).toEqual([{ name: algorithms[algorithm], email: 1 }]);
        expect((await texts()).toSorted()).toEqual(people.map((_, index) => `person ${index}`));
      }
    });

    it('of a tenant or a column touches nothing else, and keeps the version that the others need', async () => {
      const rotations = rotationsOf();
      const { id } = await rotations.begin({ kind: 'tenant', tenant: two }, settle);
      await rotations.work();
      expect(await rotations.read(id)).toMatchObject({ state: 'complete', rewritten: 2, retired: [] });
      expect(await storedVersions(database)).toMatchObject({ 'people.email': [1], 'notes.text': [1, 2] });
      const column = await rotations.begin({ kind: 'column', table: 'people', column: 'email' }, settle);
      await rotations.work();
      expect(await rotations.read(column.id)).toMatchObject({ state: 'complete', rewritten: 5, retired: [] });
      expect(await storedVersions(database)).toMatchObject({ 'people.email': [3], 'people.name': [1] });
      for (const scope of [
        { kind: 'column', table: 'people', column: 'id' },
        { kind: 'column', table: 'nowhere', column: 'email' },
      ] as const) {
        await expect(rotations.begin(scope)).rejects.toThrow(code('encryption.column-not-encrypted'));
      }
      // Together they are everything, so the former versions go, but for the one that is asked for.
      await rotations.begin({ kind: 'root' }, { ...settle, keepsFormer: true });
      await rotations.work();
      expect((await encryption.keyTree.status(database)).versions.map(({ version }) => version)).toEqual([1, 2, 3, 4]);
      await rotations.begin({ kind: 'column', table: 'people', column: 'email' }, settle);
      await rotations.work();
      expect((await rotations.list())[0]).toMatchObject({ keyVersion: 5, retired: [1, 2, 3] });
      expect(await texts()).toHaveLength(5);
    });

    it('retires nothing and says where, when a value does not open; passes the erased by', async () => {
      await encryption.keyTree.shred(database, [people[1]!, people[2]!]);
      people = people.filter((_, index) => index !== 1 && index !== 2);
      await inTransaction((transaction) =>
        sql`update people set email = set_byte(email, 70, get_byte(email, 70) # 1) where id = ${people[2]}`.execute(
          transaction,
        ),
      );
      const rotations = rotationsOf();
      const { id } = await rotations.begin({ kind: 'root' }, settle);
      await rotations.work();
      expect(await rotations.read(id)).toMatchObject({
        state: 'failed',
        authenticated: 9,
        erased: 4,
        damaged: 1,
        damagedPlaces: [`people.email ${people[2]}`],
        retired: [],
      });
      // It is as it was.
      expect(await storedVersions(database)).toMatchObject({ 'people.email': [1, 2], 'notes.between': [2] });
      expect(await inTransaction((transaction) => readNotes(encryption, transaction, one))).toEqual(['note note']);
      await inTransaction((transaction) => sql`delete from people where id = ${people[2]}`.execute(transaction));
      await rotations.begin({ kind: 'root' }, settle);
      await rotations.work();
      expect((await rotations.list())[0]).toMatchObject({ state: 'complete', erased: 4, damaged: 0, retired: [1, 2] });
    });

    onlyOn('PostgreSQL', engine)('waits for whoever still writes under the former version', async () => {
      const [arrived, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const id = people[0]!;
      const slow = inTransaction(async (transaction) => {
        const keys = await encryption.subjects(transaction, [id]);
        arrived.resolve();
        await go.promise;
        const value = keys.seal({ tenant: null, table: 'people', column: 'name', row: id, subject: id }, 'person 0');
        await sql`update people set name = ${value} where id = ${id}`.execute(transaction);
      });
      await arrived.promise;
      const rotations = rotationsOf();
      const begun = await rotations.begin({ kind: 'root' }, settle);
      const working = rotations.work();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await rotations.read(begun.id)).toMatchObject({ state: 'running', seen: 0 });
      go.resolve();
      await Promise.all([slow, working]);
      expect(await rotations.read(begun.id)).toMatchObject({ state: 'complete', damaged: 0, retired: [1] });
      expect(await storedVersions(database)).toMatchObject({ 'people.name': [2] });
      expect(await texts()).toHaveLength(5);
    });

    it('says what stopped it, and goes on once that is over', async () => {
      const rotations = rotationsOf();
      const { id } = await rotations.begin({ kind: 'root' }, settle);
      await inTransaction((transaction) =>
        sql`alter table notes add constraint stubborn check (get_byte(text, 5) = 1) not valid`.execute(transaction),
      ).catch(() => undefined);
      const isStubborn = await inTransaction((transaction) =>
        sql`select 1 from pg_constraint where conname = 'stubborn'`.execute(transaction),
      );
      // Only PGlite's one session may change tables.
      if (isStubborn.rows.length > 0) {
        await expect(rotations.work()).rejects.toThrow(code('storage.query-failed'));
        expect(await rotations.read(id)).toMatchObject({
          state: 'running',
          rewritten: 10,
          failure: 'storage.query-failed',
        });
        await inTransaction((transaction) => sql`alter table notes drop constraint stubborn`.execute(transaction));
      }
      await rotations.work();
      expect(await rotations.read(id)).toMatchObject({ state: 'complete', rewritten: 14, failure: null });
    });

    it('leaves a row that somebody changed meanwhile to whoever changed it', async () => {
      let meddled = 0;
      // The batch has read its rows; before it writes, one of them changes.
      const meddling = new Proxy(encryption, {
        get(target, name) {
          if (name !== 'subjects') {
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? value.bind(target) : value;
          }
          return async (...given: Parameters<Encryption['subjects']>) => {
            meddled += 1;
            if (meddled === 1) await addPerson(encryption, given[0], people[0]!, 'changed meanwhile');
            return encryption.subjects(...given);
          };
        },
      });
      const rotations = rotationsOf({ encryption: meddling });
      const { id } = await rotations.begin({ kind: 'root' }, settle);
      await rotations.work();
      expect(await rotations.read(id)).toMatchObject({ state: 'complete', leftToWriters: 1, authenticated: 14 });
      expect(await texts()).toContain('changed meanwhile');
    });

    it('goes on where it was stopped, does nothing twice, and ends when it is cancelled', async () => {
      const rotations = rotationsOf();
      const { id } = await rotations.begin({ kind: 'root' }, { ...settle, share: 0.9 });
      for (let rewritten = 0; rewritten < 14;) {
        const stop = new AbortController();
        const stopping = rotationsOf({
          database: new Proxy(database, {
            get(target, name) {
              const value: unknown = Reflect.get(target, name, target);
              if (name !== 'transaction') return value;
              return async (...given: Parameters<Database['transaction']>) => {
                const result = await target.transaction(...given);
                if ((await rotations.read(id)).rewritten > rewritten) stop.abort();
                return result;
              };
            },
          }),
        });
        await expect(stopping.work(stop.signal)).rejects.toThrow('aborted');
        const report = await rotations.read(id);
        expect(report.rewritten - rewritten).toBeLessThanOrEqual(4);
        // What was seen before is not seen again in the same pass.
        expect(report.seen).toBeLessThanOrEqual(report.total);
        ({ rewritten } = report);
        expect(await texts()).toHaveLength(5);
      }
      await Promise.all([rotations.work(), rotations.work()]);
      expect(await rotations.read(id)).toMatchObject({ state: 'complete', pass: 2, rewritten: 14, authenticated: 14 });
      await expect(rotations.cancel(id)).rejects.toThrow(code('encryption.no-such-rotation'));
      const second = await rotations.begin({ kind: 'root' }, settle);
      expect(await rotations.cancel(second.id)).toMatchObject({ state: 'cancelled', rewritten: 0 });
      await rotations.work();
      expect(await texts()).toHaveLength(5);
      // What it left is brought to where it should have been, without another version.
      const rest = await rotations.begin({ kind: 'root' }, { toPresent: true });
      await rotations.work();
      expect(await rotations.read(rest.id)).toMatchObject({ keyVersion: 3, rewritten: 14, retired: [2] });
      expect((await encryption.keyTree.status(database)).tree.version).toBe(3);
      await expect(rotations.begin({ kind: 'root' }, { share: 0 })).rejects.toThrow(TypeError);
    });
  });
}

describe('encrypted tables', () => {
  it('come from the data map, which must know every name', () => {
    expect(encryptedTables[1]).toMatchObject({
      tenant: 'tenant_id',
      columns: [
        { column: 'text', subject: 'author' },
        { column: 'between', subject: ['author', 'reader'] },
      ],
    });
    expect(encryptedTables[0]!.columns[0]!.blindIndex!.normalise(' Ada@X.org ')).toBe('ada@x.org');
    for (const [table, row] of [
      ['nowhere', 'id'],
      ['people', 'nothing'],
    ] as const) {
      expect(() => encryptedTable(dataMap, table, { row: [row] })).toThrow(code('encryption.column-not-encrypted'));
    }
    const columns = { email: sealed.text({ index: 'email_index' }), name: sealed.text() };
    const codec = rowCodec(dataMap, 'people', { row: ['id'], subject: 'id', columns });
    const [table] = encryptedTables;
    const [email, name] = table!.columns;
    expect(encryptedTableOf(codec)).toMatchObject({
      ...table,
      columns: [
        { ...email, blindIndex: { column: 'email_index', normalise: expect.any(Function) as unknown } },
        name,
      ].map((column) => ({ ...column, algorithm: 'aes-256-gcm' })),
    });
    expect(() => encryptedTableOf({})).toThrow(TypeError);
    expect(undeclaredTables(dataMap, encryptedTables.slice(1))).toEqual(['people']);
    expect(undeclaredTables(dataMap, encryptedTables)).toEqual([]);
  });
});
