import { newUuid, systemClock } from '@strongroom/kernel';
import { inInstallation, inTenant } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { createIndexRotations } from './blind-index-rotation.ts';
import { encryptedTable } from './encrypted-table.ts';
import { encryptedQueries } from './kysely-plugin.ts';
import {
  ada,
  bob,
  codecs,
  dataMap,
  openHouse,
  place,
  room,
  run,
  tenant,
  type House,
  type Queries,
  type Settings,
  type Tables,
} from './kysely-plugin.test-support.ts';
import { manifest } from './manifest.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(engine.name, () => {
    let house: House;

    beforeAll(async () => {
      house = await openHouse(await engine.open([manifest, room]));
    });

    it('stores what the row codec stores', async () => {
      const stored = await house.database.transaction(inTenant(tenant), (transaction) =>
        transaction.withTables<Tables>().selectFrom('people').selectAll().orderBy('age').execute(),
      );
      expect(stored.map(({ email }) => email?.[0])).toEqual([1, undefined]);
      expect(stored[0]!.email_index).toEqual(
        codecs.people.blindIndex(house.encryption, 'email', tenant, 'ada@example.org'),
      );
      const [opened] = await run(house, (_, transaction) =>
        codecs.people.openAll(house.encryption, transaction, stored),
      );
      expect(opened).toMatchObject({ email: 'Ada@example.org', settings: { dark: true }, age: 36 });
    });

    describe('accepts', () => {
      it('columns by themselves, renamed and all of them, without what was selected beside them', async () => {
        await run(house, async (queries) => {
          const named = await queries.selectFrom('people').select(['email', 'age']).where('id', '=', ada).execute();
          expect(named).toEqual([{ email: 'Ada@example.org', age: 36 }]);
          expectTypeOf(named[0]!.email).toEqualTypeOf<string | null>();
          const renamed = await queries
            .selectFrom('people as p')
            .select('p.email as id')
            .where('p.id', '=', ada)
            .execute();
          expect(renamed).toEqual([{ id: 'Ada@example.org' }]);
          const all = await queries.selectFrom('people').selectAll().orderBy('age').executeTakeFirstOrThrow();
          const { email_index: _, email_index_next: __, ...open } = all;
          expect(open).toEqual({ ...place, email: 'Ada@example.org', settings: { dark: true }, age: 36 });
          expectTypeOf(all.settings).toEqualTypeOf<Settings | null>();
          const tokens = await queries.selectFrom('tokens').selectAll('tokens').execute();
          expect(tokens).toEqual([{ id: 7, person: ada, token: Uint8Array.of(1, 2) }]);
          // Nothing encrypted: not touched at all.
          expect(await queries.selectFrom('people').select('age').where('id', '=', ada).execute()).toEqual([
            { age: 36 },
          ]);
        });
      });

      it('values of the declared types only', async () => {
        await run(house, async (queries) => {
          // @ts-expect-error -- an address is no number
          const wrong = queries.insertInto('people').values({ ...place, email: 7 });
          await expect(wrong.execute()).rejects.toThrow('row: "email" must be text');
          const people = queries.updateTable('people');
          // @ts-expect-error -- the index fills itself
          const byHand = () => people.set({ email_index: Uint8Array.of(1) }).execute();
          await expect(Promise.resolve().then(byHand)).rejects.toThrow(/filled by itself/);
          // @ts-expect-error -- nor can a number be looked for
          const search = () => queries.selectFrom('people').select('id').where('email', '=', 7).execute();
          await expect(Promise.resolve().then(search)).rejects.toThrow(/people.email is encrypted/);
        });
      });

      it('joins of aliased tables, also where one side is missing', async () => {
        await run(house, async (queries) => {
          const rows = await queries
            .selectFrom('people as p')
            .leftJoin('tokens as t', 't.person', 'p.id')
            .leftJoin('visits', 'visits.person', 'p.id')
            .select(['p.email', 't.token', 'visits.email as visited'])
            .orderBy('p.age')
            .execute();
          expect(rows).toEqual([
            { email: 'Ada@example.org', token: Uint8Array.of(1, 2), visited: 'clear' },
            { email: null, token: null, visited: null },
          ]);
        });
      });

      it('equality with an indexed column, in any spelling, wherever a condition stands', async () => {
        await run(house, async (queries) => {
          const byEmail = (email: string) =>
            queries
              .selectFrom('people')
              .select('id')
              .where('tenant_id', '=', tenant)
              .where('email', '=', email)
              .execute();
          expect(await byEmail(' ada@EXAMPLE.org ')).toEqual([{ id: ada }]);
          expect(await byEmail('eve@example.org')).toEqual([]);
          const found = await queries
            .selectFrom('people as p')
            .select('p.email')
            .where((where) =>
              where.and([
                where('p.tenant_id', '=', tenant),
                where.or([where('p.email', 'in', ['x', 'ada@example.org']), where('p.age', '=', 1)]),
              ]),
            )
            .execute();
          expect(found).toEqual([{ email: 'Ada@example.org' }]);
          const without = await queries.selectFrom('people').select('id').where('email', 'is', null).execute();
          expect(without).toEqual([{ id: bob }]);
          const nested = await queries
            .selectFrom('visits')
            .select('place')
            .where('person', 'in', (where) =>
              where
                .selectFrom('people')
                .select('people.id')
                .where('people.tenant_id', '=', tenant)
                .where('people.email', '=', 'ada@example.org'),
            )
            .execute();
          expect(nested).toEqual([{ place: 'Rome' }]);
          const common = await queries
            .with('found', (inner) =>
              inner
                .selectFrom('people')
                .select('id')
                .where('tenant_id', '=', tenant)
                .where('email', '=', 'ADA@example.org'),
            )
            .selectFrom('found')
            .selectAll()
            .execute();
          // A name of the query's own is not the table.
          const shadow = await queries
            .with('people', (inner) => inner.selectFrom('visits').select(['email', 'person']))
            .selectFrom('people')
            .selectAll()
            .orderBy('email')
            .execute();
          expect(shadow).toEqual([{ email: 'clear', person: ada }]);
          expect(common).toEqual([{ id: ada }]);
        });
      });

      it('updates of a row that the condition names, deletions, and conflicts that do nothing', async () => {
        await run(house, async (queries, transaction) => {
          const change = (values: { email?: string | null; settings?: Settings; age?: number }) =>
            queries
              .updateTable('people')
              .set(values)
              .where((where) => where.and({ tenant_id: tenant, id: ada, owner: ada }))
              .execute();
          await change({ email: 'ada@new.example', settings: { dark: false } });
          const row = () =>
            queries.selectFrom('people').select(['email', 'settings']).where('id', '=', ada).executeTakeFirst();
          expect(await row()).toEqual({ email: 'ada@new.example', settings: { dark: false } });
          expect(
            await queries
              .selectFrom('people')
              .select('id')
              .where('tenant_id', '=', tenant)
              .where('email', '=', 'ada@new.example')
              .execute(),
          ).toEqual([{ id: ada }]);
          await change({ email: null });
          const { rows } = await sql`select email, email_index from people where id = ${ada}`.execute(transaction);
          expect(rows).toEqual([{ email: null, email_index: null }]);
          await change({ email: 'Ada@example.org', settings: { dark: true } });
          // What is not encrypted needs no place.
          await queries.updateTable('people').set({ age: 36 }).where('age', '>', 30).execute();
          const again = await queries
            .insertInto('people')
            .values({ ...place, email: 'other@example.org' })
            .onConflict((conflict) => conflict.column('id').doNothing())
            .returning('age')
            .execute();
          expect(again).toEqual([]);
          await queries
            .insertInto('people')
            .values({ ...place, email: 'other@example.org', age: 1 })
            .onConflict((conflict) => conflict.column('id').doUpdateSet({ age: 36 }))
            .execute();
          expect(await row()).toEqual({ email: 'Ada@example.org', settings: { dark: true } });
          const gone = newUuid();
          await queries
            .insertInto('people')
            .values({ tenant_id: tenant, id: gone, owner: gone, email: 'x@y.z' })
            .execute();
          const deleted = await queries
            .deleteFrom('people')
            .where('tenant_id', '=', tenant)
            .where('email', '=', 'X@y.z')
            .returning('id')
            .execute();
          expect(deleted).toEqual([{ id: gone }]);
        });
      });

      it('raw SQL that mentions nothing encrypted, counts and row locks', async () => {
        await run(house, async (queries) => {
          const counted = await queries
            .selectFrom('people')
            .select(({ fn }) => [fn.countAll<number>().as('people'), sql<number>`max(people.age)`.as('oldest')])
            .executeTakeFirst();
          expect(counted).toEqual({ people: 2, oldest: 36 });
          const locked = await queries
            .selectFrom('people')
            .select('email')
            .where('id', '=', ada)
            .forUpdate('people')
            .where(sql<boolean>`age between ${1} and ${90}`)
            .execute();
          expect(locked).toEqual([{ email: 'Ada@example.org' }]);
        });
      });
    });

    it('writes and searches both columns of an index that is being rotated', async () => {
      const table = encryptedTable(dataMap, 'people', { row: ['id'] });
      const indexes = createIndexRotations({
        ...house,
        clock: systemClock,
        tables: [table],
        indexes: [{ table: 'people', column: 'email', columns: ['email_index', 'email_index_next'] }],
      });
      const during = <Result>(work: (queries: Queries) => Promise<Result>): Promise<Result> =>
        house.database.transaction(inTenant(tenant), async (transaction) =>
          work(
            encryptedQueries(transaction.withTables<Tables>(), house.encryption, codecs, {
              indexes: await indexes.read(transaction),
            }),
          ),
        );
      const find = (email: string) =>
        during((queries) =>
          queries
            .selectFrom('people')
            .select('id')
            .where('tenant_id', '=', tenant)
            .where((where) => where.and([where('email', 'in', ['nobody@example.org', email])]))
            .execute(),
        );
      await house.encryption.keyTree.rotate(house.database, { settle: 0 });
      await indexes.begin('people', 'email');
      const id = newUuid();
      await during((queries) =>
        queries.insertInto('people').values({ tenant_id: tenant, id, owner: id, email: 'new@example.org' }).execute(),
      );
      const both = await during((queries) =>
        queries
          .selectFrom('people')
          .select(['email_index', 'email_index_next'])
          .where('id', '=', id)
          .executeTakeFirstOrThrow(),
      );
      expect([both.email_index, both.email_index_next].filter((value) => value instanceof Uint8Array)).toHaveLength(2);
      expect(both.email_index).not.toEqual(both.email_index_next);
      expect(await find('ADA@example.org')).toEqual([{ id: ada }]);
      await indexes.work('people', 'email');
      await indexes.switch('people', 'email');
      expect(await find('ADA@example.org')).toEqual([{ id: ada }]);
      await indexes.work('people', 'email');
      expect(await find('New@example.org')).toEqual([{ id }]);
      await during((queries) => queries.deleteFrom('people').where('id', '=', id).execute());
    });

    it('refuses values that were put there or moved there', async () => {
      const id = newUuid();
      const select = () =>
        run(house, (queries) => queries.selectFrom('people').select('email').where('id', '=', id).execute());
      await house.database.transaction(inTenant(tenant), async (transaction) => {
        await sql`insert into people (tenant_id, id, owner, email) select tenant_id, ${id}, ${bob}, email from people where id = ${ada}`.execute(
          transaction,
        );
      });
      await expect(select()).rejects.toMatchObject({ code: 'encryption.cannot-open' });
      await house.database.transaction(inTenant(tenant), async (transaction) => {
        await sql`update people set email = ${new TextEncoder().encode('eve@example.org')} where id = ${id}`.execute(
          transaction,
        );
      });
      await expect(select()).rejects.toMatchObject({ code: expect.stringMatching(/cannot-open|unknown-version/) });
      await run(house, (queries) => queries.deleteFrom('people').where('id', '=', id).execute());
    });

    it('refuses rows about the erased, or leaves them out', async () => {
      const eve = newUuid();
      await run(house, (queries) =>
        queries
          .insertInto('people')
          .values({ tenant_id: tenant, id: eve, owner: eve, email: 'eve@example.org', age: 99 })
          .execute(),
      );
      await house.encryption.keyTree.shred(house.database, [eve]);
      const select = (options?: { erased: 'leave-out' }) =>
        run(
          house,
          (queries) => queries.selectFrom('people').select(['age', 'email']).orderBy('age').execute(),
          options,
        );
      await expect(select()).rejects.toMatchObject({ code: 'encryption.subject-erased' });
      expect((await select({ erased: 'leave-out' })).map(({ age }) => age)).toEqual([36, null]);
      const write = run(house, (queries) =>
        queries
          .insertInto('people')
          .values({ tenant_id: tenant, id: newUuid(), owner: eve, email: 'e@example.org' })
          .execute(),
      );
      await expect(write).rejects.toMatchObject({ code: 'encryption.subject-erased' });
      expect(await house.database.transaction(inInstallation, async () => 'goes on')).toBe('goes on');
    });
  });
}
