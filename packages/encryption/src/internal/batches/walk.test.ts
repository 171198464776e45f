import type { Manifest } from '@strongroom/kernel';
import { setTimeout as delay } from 'node:timers/promises';
import { asSystem, StorageError, type Database, type Transaction } from '@strongroom/storage';
import { databases, onlyOn } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  compareAndSwap,
  countRows,
  tableShape,
  walk,
  type Batch,
  type RowKey,
  type Turn,
  type WalkOptions,
} from './walk.ts';

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

    it('takes few long values at a time, and one that is longer than a batch by itself', async () => {
      const database = await engine.open([room]);
      const shape = await inTransaction(database, (transaction) => tableShape(transaction, 'walked'));
      // Bytes and text count, what is not read does not.
      await inTransaction(database, (transaction) =>
        sql`update walked set content = case when part = 'a' then convert_to(repeat('x', 2500000), 'UTF8') when number = 4 then convert_to(repeat('y', 5000000), 'UTF8') end,
          note = case when part = 'c' then repeat('z', 1500000) end`.execute(transaction),
      );
      const walked = async (columns: readonly string[]): Promise<string> => {
        const batches: string[] = [];
        const work = async (_: Transaction, { rows }: Batch) => void batches.push(rows.map(({ key }) => key[1]).join());
        expect(await walk({ database, shape, columns, work })).toBe(10);
        return batches.join(' ');
      };
      expect(await walked(['content', 'note'])).toBe('3,6 9,1,4 7,10,2,5,8');
      expect(await walked(['note', 'at'])).toBe('3,6,9,1,4,7,10,2,5,8');
    });

    describe('with several batches at a time', () => {
      const ENDS = ['a9', 'b7', 'c5', 'c8'];
      let options: Pick<WalkOptions, 'database' | 'shape' | 'columns' | 'rows' | 'atOnce'>;
      let committed: string[];
      const told = ({ after }: Batch) => void committed.push(after.join(''));
      const note = async (transaction: Transaction, { rows }: Batch, note: string): Promise<void> => {
        await sql`update walked set note = ${note} where number = any(${rows.map(({ key }) => key[1])}::bigint[])`.execute(
          transaction,
        );
      };
      const notes = () =>
        inTransaction(options.database, async (transaction) => {
          const { rows } = await sql<{
            note: string;
          }>`select part || number || coalesce(note, '') as note from walked order by part, number`.execute(
            transaction,
          );
          return rows.map((row) => row.note).join(' ');
        });

      beforeAll(async () => {
        const database = await engine.open([room]);
        const shape = await inTransaction(database, (transaction) => tableShape(transaction, 'walked'));
        options = { database, shape, columns: ['content'], rows: 3, atOnce: 3 };
      });

      beforeEach(async () => {
        await inTransaction(options.database, (transaction) =>
          sql`with gone as (delete from walked where number < 1) update walked set note = null`.execute(transaction),
        );
        committed = [];
      });

      it('each comes to its end in its turn', async () => {
        let [underWay, most, isOverlapping] = [0, 0, engine.name !== 'PGlite'];
        const work = async (transaction: Transaction, batch: Batch, turn: Turn) => {
          underWay += 1;
          most = Math.max(most, underWay);
          // The first one waits for the others, which have to wait for it.
          while (isOverlapping && batch.after[0] === 'a' && underWay < 3) await delay(1);
          await turn();
          expect(committed).toEqual(ENDS.slice(0, ENDS.indexOf(batch.after.join(''))));
          await note(transaction, batch, '!');
          underWay -= 1;
        };
        expect(await walk({ ...options, work, committed: told })).toBe(10);
        expect(committed).toEqual(ENDS);
        expect(await notes()).toBe('a3! a6! a9! b1! b4! b7! b10! c2! c5! c8!');
        expect(most).toBe(isOverlapping ? 3 : 1);
        [most, isOverlapping, committed] = [0, false, []];
        await walk({ ...options, share: 0.9, work, committed: told });
        expect(most).toBe(1);
      });

      it('one that fails takes those behind it with it, and nothing is under way afterwards', async () => {
        let underWay = 0;
        const work = async (transaction: Transaction, batch: Batch, turn: Turn) => {
          underWay += 1;
          try {
            await turn();
            await note(transaction, batch, '!');
            if (batch.after[0] === 'b') throw new Error('it is the second one');
          } finally {
            await delay(5);
            underWay -= 1;
          }
        };
        await expect(walk({ ...options, work, committed: told })).rejects.toThrow('it is the second one');
        expect(underWay).toBe(0);
        expect(committed).toEqual(['a9']);
        expect(await notes()).toBe('a3! a6! a9! b1 b4 b7 b10 c2 c5 c8');
        // So does a stop; what is under way then is finished.
        const stop = new AbortController();
        await expect(
          walk({
            ...options,
            work: (transaction, batch) => note(transaction, batch, '?'),
            committed: () => stop.abort(),
            signal: stop.signal,
          }),
        ).rejects.toThrow('aborted');
        expect(await notes()).toMatch(/^a3\? a6\? a9\? .*c8$/);
      });

      onlyOn('PostgreSQL', engine)('one that is repeated has the same range, whatever came in', async () => {
        let attempts = 0;
        const work = async (transaction: Transaction, batch: Batch, turn: Turn) => {
          await turn();
          await note(transaction, batch, '!');
          if (batch.after[0] !== 'a' || (attempts += 1) > 1) return;
          // Another connection, as a writer has.
          await changing();
          throw new StorageError('storage.conflict');
        };
        const change = Promise.withResolvers<void>();
        const changed = Promise.withResolvers<void>();
        const changing = async () => {
          change.resolve();
          await changed.promise;
        };
        const walked = walk({ ...options, work, committed: told });
        await change.promise;
        await inTransaction(options.database, (transaction) =>
          sql`insert into walked (part, number) values ('a', -1), ('a', 0)`.execute(transaction),
        );
        changed.resolve();
        expect(await walked).toBe(12);
        expect(committed).toEqual(ENDS);
        expect(attempts).toBe(2);
        expect(await notes()).toBe('a-1! a0! a3! a6! a9! b1! b4! b7! b10! c2! c5! c8!');
      });
    });
  });
}
