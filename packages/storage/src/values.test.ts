import { databases } from '@strongroom/testing/databases';
import { sql, type RawBuilder } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { inInstallation, type Database } from './database.ts';

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
const time = new Date('2026-02-28T23:59:59.123Z');
const id = '01890a5d-ac96-774b-bcce-b302099a8057';
const tricky = 'a "quoted", \\ back{slashed} NULL, 日本語\n\'';

for (const engine of databases('both')) {
  describe.skipIf(!engine.available)(`values on ${engine.name}`, () => {
    let database: Database;
    beforeAll(async () => {
      database = await engine.open([]);
    });
    const value = (expression: RawBuilder<unknown>): Promise<unknown> =>
      database.transaction(inInstallation, async (transaction) => {
        const { rows } = await sql<{ value: unknown }>`select ${expression} as value`.execute(transaction);
        return rows[0]?.value;
      });

    it.each<[string, RawBuilder<unknown>, unknown]>([
      ['null', sql`null::text`, null],
      ['text', sql`${tricky}::text`, tricky],
      ['empty text', sql`''::text`, ''],
      ['boolean', sql`${true}::boolean`, true],
      ['false', sql`${false}::boolean`, false],
      ['smallint', sql`${-7}::smallint`, -7],
      ['integer', sql`${2_147_483_647}::integer`, 2_147_483_647],
      ['bigint', sql`${Number.MAX_SAFE_INTEGER}::bigint`, Number.MAX_SAFE_INTEGER],
      ['bigint from a BigInt', sql`${12n}::bigint`, 12],
      ['count', sql`count(*)`, 1],
      ['double', sql`${0.1}::float8`, 0.1],
      ['numeric stays text', sql`${'12345678901234567890.10'}::numeric`, '12345678901234567890.10'],
      ['bytea', sql`${bytes}::bytea`, bytes],
      ['empty bytea', sql`${new Uint8Array()}::bytea`, new Uint8Array()],
      ['bytea from a view', sql`${bytes.subarray(3, 5)}::bytea`, Uint8Array.of(3, 4)],
      ['timestamptz', sql`${time}::timestamptz`, time],
      ['date stays text', sql`${'2026-02-28'}::date`, '2026-02-28'],
      ['jsonb object', sql`${{ list: [1, 'two', null], ünï: true }}::jsonb`, { list: [1, 'two', null], ünï: true }],
      ['jsonb array', sql`${JSON.stringify([1, [2]])}::jsonb`, [1, [2]]],
      ['jsonb string', sql`${JSON.stringify('text')}::jsonb`, 'text'],
      ['jsonb null', sql`'null'::jsonb`, null],
      ['uuid', sql`${id}::uuid`, id],
      ['text array', sql`${['a', tricky, '', null, 'NULL']}::text[]`, ['a', tricky, '', null, 'NULL']],
      ['empty array', sql`${[]}::text[]`, []],
      ['integer array', sql`${[1, -2]}::int[]`, [1, -2]],
      ['bigint array', sql`${[1, 2 ** 40]}::bigint[]`, [1, 2 ** 40]],
      ['uuid array', sql`${[id]}::uuid[]`, [id]],
      ['boolean array', sql`${[true, false]}::boolean[]`, [true, false]],
      ['bytea array', sql`${[bytes, new Uint8Array()]}::bytea[]`, [bytes, new Uint8Array()]],
      ['timestamptz array', sql`${[time]}::timestamptz[]`, [time]],
    ])('%s', async (_, expression, expected) => {
      const found = await value(expression);
      expect(found).toEqual(expected);
      if (expected instanceof Uint8Array) {
        expect(Object.getPrototypeOf(found)).toBe(Uint8Array.prototype);
        expect((found as Uint8Array).buffer.byteLength).toBe(expected.length);
      }
    });

    it.each([
      ['above', sql`9007199254740993::bigint`],
      ['below', sql`(-9007199254740993)::bigint`],
    ])('refuses a bigint %s what JavaScript holds exactly', async (_, expression) => {
      await expect(value(expression)).rejects.toMatchObject({ code: 'storage.unsafe-number' });
      expect(await value(sql`1::int`)).toBe(1);
    });

    it('refuses a time that is none', async () => {
      await expect(value(sql`'infinity'::timestamptz`)).rejects.toMatchObject({ code: 'storage.query-failed' });
    });

    it('refuses what cannot be stored', async () => {
      await expect(value(sql`${Symbol('x')}::text`)).rejects.toThrow(TypeError);
    });

    it('counts affected rows alike', async () => {
      const counts = await database.transaction(inInstallation, async (transaction) => {
        const inserted = await sql`insert into jobs (name) select 'job-' || g from generate_series(1, 3) g`.execute(
          transaction,
        );
        const updated = await sql`update jobs set nudges = 1 where name <> 'job-1'`.execute(transaction);
        const removed = await sql`delete from jobs returning name`.execute(transaction);
        const read = await sql`select * from jobs`.execute(transaction);
        return [inserted, updated, removed, read].map((result) => [result.numAffectedRows, result.rows.length]);
      });
      expect(counts).toEqual([
        [3n, 0],
        [2n, 0],
        [3n, 3],
        [undefined, 0],
      ]);
    });
  });
}
