import type { Manifest } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { compareAndSwap, countRows, tableShape, walk, type RowKey } from './walk.ts';

const room = {
  name: 'walked',
  migrations: [
    {
      name: '0001-walked',
      sql: `create table walked (part text not null, number bigint not null, at timestamptz not null default now(), content bytea, note text, primary key (part, number));
        insert into walked select chr(97 + g % 3), g, now() + g * interval '1 microsecond', '\\x00', null from generate_series(1, 10) g;
        create table heap (content text);`,
    },
  ],
  dataMap: {
    walked: {
      scope: 'installation',
      columns: {
        part: { kind: 'operational' },
        number: { kind: 'operational' },
        at: { kind: 'operational' },
        content: { kind: 'operational' },
        note: { kind: 'operational' },
      },
    },
    heap: { scope: 'installation', columns: { content: { kind: 'operational' } } },
  },
} as const satisfies Manifest;

for (const engine of databases()) {
  describe.skipIf(!engine.available)(engine.name, () => {
    const inTransaction = <Result>(database: Database, work: (transaction: Transaction) => Promise<Result>) =>
      database.transaction(asSystem, work);

    it('sees every row once, in the order of the key, and goes on where it stopped', async () => {
      const database = await engine.open([room]);
      const shape = await inTransaction(database, (transaction) => tableShape(transaction, 'walked'));
      expect(shape.key.map(({ name, type }) => `${name} ${type}`)).toEqual(['part text', 'number bigint']);
      expect(await inTransaction(database, (transaction) => countRows(transaction, shape))).toBe(10);
      const seen: string[] = [];
      let saved: RowKey | null = null;
      const stop = new AbortController();
      const options = {
        database,
        shape,
        columns: ['content', 'note'],
        rows: 3,
        work: async (_: Transaction, { rows }: { rows: readonly { key: RowKey }[] }) => {
          seen.push(...rows.map(({ key }) => key.join('')));
        },
        committed: ({ after }: { after: RowKey }) => {
          saved = after;
          if (seen.length === 6) stop.abort();
        },
      };
      await expect(walk({ ...options, signal: stop.signal })).rejects.toThrow();
      expect(seen).toHaveLength(6);
      expect(await walk({ ...options, after: saved, share: 0.5 })).toBe(4);
      expect(seen).toEqual(['a3', 'a6', 'a9', 'b1', 'b4', 'b7', 'b10', 'c2', 'c5', 'c8']);
      expect(await walk({ ...options, after: saved })).toBe(0);
      await expect(walk({ ...options, share: 0 })).rejects.toThrow(/share/);
      await expect(inTransaction(database, (transaction) => tableShape(transaction, 'heap'))).rejects.toThrow(/key/);
      await expect(inTransaction(database, (transaction) => tableShape(transaction, 'nowhere'))).rejects.toThrow(/key/);

      // A swap changes what is still as it was read, nulls included, and nothing else.
      await inTransaction(database, (transaction) =>
        sql`update walked set content = '\\x05' where number = 5`.execute(transaction),
      );
      const swaps = ['1', '5', '8', '99'].map((number) => ({
        key: [['b', 'c', 'c', 'c'][['1', '5', '8', '99'].indexOf(number)]!, number],
        from: [Uint8Array.of(0), null],
        to: [Uint8Array.of(7), 'new "note"'],
      }));
      const changed = await inTransaction(database, (transaction) =>
        compareAndSwap(transaction, shape, ['content', 'note'], swaps),
      );
      expect(changed).toBe(2);
      const { rows } = await inTransaction(database, (transaction) =>
        sql<{
          number: number;
        }>`select number, content, note from walked where content <> '\\x00' order by number`.execute(transaction),
      );
      expect(rows).toEqual([
        { number: 1, content: Uint8Array.of(7), note: 'new "note"' },
        { number: 5, content: Uint8Array.of(5), note: null },
        { number: 8, content: Uint8Array.of(7), note: 'new "note"' },
      ]);
      await expect(
        inTransaction(database, (transaction) => compareAndSwap(transaction, shape, ['none'], swaps)),
      ).rejects.toThrow(/none/);
      expect(await inTransaction(database, (transaction) => compareAndSwap(transaction, shape, ['content'], []))).toBe(
        0,
      );
    });
  });
}
