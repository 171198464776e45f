import { inspect } from 'node:util';
import {
  defineDataMap,
  newUuid,
  operational,
  personal,
  secret,
  subject,
  systemClock,
  type Manifest,
  type Uuid,
} from '@strongroom/kernel';
import { inInstallation, inTenant, tenantTable, type Database, type Transaction } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { sql, type ColumnType, type QueryCreator } from 'kysely';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { createIndexRotations } from './blind-index-rotation.ts';
import { encryptedTable } from './encrypted-table.ts';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { encryptedQueries, type OpenTables } from './kysely-plugin.ts';
import { manifest } from './manifest.ts';
import { rowCodec, sealed } from './row-codec.ts';
import { join } from 'node:path';
import { temporaryFolder } from '@strongroom/testing';

const about = {
  subject: 'owner',
  purpose: 'remembering',
  lawfulBasis: 'contract',
  retention: 'until the account is deleted',
  protection: 'encrypted',
} as const;

const dataMap = defineDataMap({
  people: {
    scope: 'tenant',
    columns: {
      tenant_id: operational,
      id: operational,
      owner: subject,
      email: personal({ ...about, category: 'user.contact.email', blindIndex: 'email_index' }),
      email_index: secret('hashed'),
      email_index_next: secret('hashed'),
      settings: personal({ ...about, category: 'user.behavior' }),
      age: operational,
    },
  },
  tokens: {
    scope: 'installation',
    columns: { id: operational, person: operational, token: secret('encrypted') },
  },
  visits: { scope: 'installation', columns: { person: operational, place: operational, email: operational } },
});

const room = {
  name: 'people',
  migrations: [
    {
      name: '0001-people',
      sql: `
create table people (tenant_id uuid not null, id uuid not null, owner uuid, email bytea, email_index bytea unique, email_index_next bytea unique, settings bytea, age integer, primary key (id));
${tenantTable('people')}
create table tokens (id bigint primary key, person uuid not null, token bytea);
create table visits (person uuid, place text, email text);`,
    },
  ],
  dataMap,
} as const satisfies Manifest;

interface Settings {
  readonly dark: boolean;
}

const codecs = {
  people: rowCodec(dataMap, 'people', {
    row: ['id'],
    subject: 'owner',
    columns: { email: sealed.text({ index: 'email_index' }), settings: sealed.json<Settings>() },
  }),
  tokens: rowCodec(dataMap, 'tokens', { row: ['id'], columns: { token: sealed.bytes() } }),
};

type Tables = {
  people: {
    tenant_id: Uuid;
    id: Uuid;
    owner: Uuid | null;
    email: Uint8Array | null;
    email_index: Uint8Array | null;
    email_index_next: Uint8Array | null;
    settings: Uint8Array | null;
    age: number | null;
  };
  tokens: { id: number; person: Uuid; token: Uint8Array | null };
  visits: { person: Uuid; place: ColumnType<string, string, string>; email: string | null };
};

type Queries = QueryCreator<OpenTables<Tables, typeof codecs>>;

for (const engine of databases()) {
  describe.skipIf(!engine.available)(engine.name, () => {
    let database: Database;
    let encryption: Encryption;
    const tenant = newUuid();
    const [ada, bob] = [newUuid(), newUuid()];
    const place = { tenant_id: tenant, id: ada, owner: ada };

    const run = <Result>(
      work: (queries: Queries, transaction: Transaction) => Promise<Result>,
      options: { erased?: 'leave-out' } = {},
    ): Promise<Result> =>
      database.transaction(inTenant(tenant), (transaction) =>
        work(encryptedQueries(transaction.withTables<Tables>(), encryption, codecs, options), transaction),
      );

    beforeAll(async () => {
      database = await engine.open([manifest, room]);
      encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
      await run(async (queries) => {
        await queries
          .insertInto('people')
          .values([
            { ...place, email: 'Ada@example.org', settings: { dark: true }, age: 36 },
            { tenant_id: tenant, id: bob, owner: bob, email: null, settings: { dark: false } },
          ])
          .execute();
        await queries
          .insertInto('tokens')
          .values({ id: 7, person: ada, token: Uint8Array.of(1, 2) })
          .execute();
        await queries.insertInto('visits').values({ person: ada, place: 'Rome', email: 'clear' }).execute();
      });
    });

    it('stores what the row codec stores', async () => {
      const stored = await database.transaction(inTenant(tenant), (transaction) =>
        transaction.withTables<Tables>().selectFrom('people').selectAll().orderBy('age').execute(),
      );
      expect(stored.map(({ email }) => email?.[0])).toEqual([1, undefined]);
      expect(stored[0]!.email_index).toEqual(codecs.people.blindIndex(encryption, 'email', tenant, 'ada@example.org'));
      const [opened] = await run((_, transaction) => codecs.people.openAll(encryption, transaction, stored));
      expect(opened).toMatchObject({ email: 'Ada@example.org', settings: { dark: true }, age: 36 });
    });

    describe('accepts', () => {
      it('columns by themselves, renamed and all of them, without what was selected beside them', async () => {
        await run(async (queries) => {
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

      it('joins of aliased tables, also where one side is missing', async () => {
        await run(async (queries) => {
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
        await run(async (queries) => {
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
        await run(async (queries, transaction) => {
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
        await run(async (queries) => {
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

    describe('refuses, naming the way out', () => {
      type Refusal = [
        name: string,
        code: 'query-refused' | 'place-unknown',
        detail: RegExp,
        query: (queries: Queries) => unknown,
      ];
      const people = (queries: Queries) => queries.selectFrom('people');
      const inTenantOnly = (queries: Queries) => people(queries).select('id').where('tenant_id', '=', tenant);

      const refusals: Refusal[] = [
        [
          'an insert without the row',
          'place-unknown',
          /give people.id/,
          (q) => q.insertInto('people').values({ tenant_id: tenant, owner: ada, email: 'x' } as never),
        ],
        [
          'an insert without the person',
          'place-unknown',
          /give people.owner/,
          (q) => q.insertInto('people').values({ tenant_id: tenant, id: newUuid(), email: 'x' }),
        ],
        [
          'an insert whose row the database makes',
          'place-unknown',
          /give people.id/,
          (q) => q.insertInto('people').values({ ...place, id: sql<Uuid>`gen_random_uuid()`, email: 'x' }),
        ],
        [
          'one of several rows without its person',
          'place-unknown',
          /give people.owner/,
          (q) =>
            q.insertInto('people').values([
              { ...place, email: 'x' },
              { tenant_id: tenant, id: newUuid(), email: 'y' },
            ]),
        ],
        [
          'an expression as a value',
          'query-refused',
          /Give its value/,
          (q) => q.insertInto('people').values({ ...place, email: sql<string>`upper('x')` }),
        ],
        [
          'an index filled by hand',
          'query-refused',
          /filled by itself/,
          (q) => q.insertInto('people').values({ ...place, email_index: Uint8Array.of(1) } as never),
        ],
        [
          'an insert from a query',
          'query-refused',
          /insert the open rows/,
          (q) =>
            q
              .insertInto('people')
              .columns(['tenant_id', 'id', 'email'])
              .expression(q.selectFrom('visits').select(['person', 'person as id', 'email']) as never),
        ],
        [
          'a conflict that updates',
          'place-unknown',
          /second statement/,
          (q) =>
            q
              .insertInto('people')
              .values({ ...place, email: 'x' })
              .onConflict((c) => c.column('id').doUpdateSet({ email: 'y' })),
        ],
        [
          'a conflict that updates from what was excluded',
          'query-refused',
          /people.email is encrypted/,
          (q) =>
            q
              .insertInto('people')
              .values({ ...place, email: 'x' })
              .onConflict((c) => c.column('id').doUpdateSet((row) => ({ age: row.ref('excluded.email') as never }))),
        ],
        [
          'a conflict over the encrypted column',
          'place-unknown',
          /people.email/,
          (q) =>
            q
              .insertInto('people')
              .values({ ...place, email: 'x' })
              .onConflict((c) => c.column('email').doNothing()),
        ],
        [
          'an update of nobody in particular',
          'place-unknown',
          /give people.id/,
          (q) => q.updateTable('people').set({ email: 'x' }),
        ],
        [
          'an update without the person',
          'place-unknown',
          /give people.owner/,
          (q) => q.updateTable('people').set({ email: 'x' }).where('id', '=', ada).where('tenant_id', '=', tenant),
        ],
        [
          'an update of a row in another spelling',
          'place-unknown',
          /give people.id/,
          (q) =>
            q
              .updateTable('people')
              .set({ email: 'x' })
              .where('tenant_id', '=', tenant)
              .where('owner', '=', ada)
              .where('id', '=', ada.toUpperCase() as Uuid),
        ],
        [
          'an update of a row or another one',
          'place-unknown',
          /give people.id/,
          (q) =>
            q
              .updateTable('people')
              .set({ email: 'x' })
              .where('tenant_id', '=', tenant)
              .where('owner', '=', ada)
              .where((w) => w.or([w('id', '=', ada), w('id', '=', bob)])),
        ],
        [
          'an update of several rows',
          'place-unknown',
          /give people.id/,
          (q) =>
            q
              .updateTable('people')
              .set({ email: 'x' })
              .where('tenant_id', '=', tenant)
              .where('owner', '=', ada)
              .where('id', 'in', [ada]),
        ],
        [
          'an update from another table',
          'query-refused',
          /more than one table/,
          (q) => q.updateTable('people').from('visits').set({ email: 'x' }).where('people.id', '=', ada),
        ],
        [
          'an update by an expression',
          'query-refused',
          /Give its value/,
          (q) =>
            q
              .updateTable('people')
              .set({ email: sql<string>`lower('x')` })
              .where('id', '=', ada),
        ],
        [
          'an update from another column',
          'query-refused',
          /Give its value/,
          (q) =>
            q
              .updateTable('people')
              .set((eb) => ({ email: eb.ref('age') as never }))
              .where('id', '=', ada),
        ],
        [
          'an encrypted column copied into another',
          'query-refused',
          /people.email is encrypted/,
          (q) =>
            q
              .updateTable('people')
              .set((eb) => ({ age: eb.ref('email') as never }))
              .where('id', '=', ada),
        ],
        [
          'a row that moves to another person',
          'query-refused',
          /bound to people.owner/,
          (q) => q.updateTable('people').set({ owner: bob }).where('id', '=', ada),
        ],
        [
          'returning an encrypted column',
          'query-refused',
          /people.email is encrypted/,
          (q) =>
            q
              .insertInto('people')
              .values({ ...place, email: 'x' })
              .returning('email'),
        ],
        [
          'returning everything',
          'query-refused',
          /Name the columns/,
          (q) => q.deleteFrom('people').where('age', '=', 1).returningAll(),
        ],
        ['an order', 'query-refused', /people.email is encrypted/, (q) => people(q).select('id').orderBy('email')],
        [
          'an order by the name of a result',
          'query-refused',
          /no order/,
          (q) => people(q).select('email as mail').orderBy('mail'),
        ],
        ['like', 'query-refused', /compared for equality/, (q) => inTenantOnly(q).where('email', 'like', 'a%')],
        ['greater than', 'query-refused', /people.email is encrypted/, (q) => inTenantOnly(q).where('email', '>', 'a')],
        ['not equal', 'query-refused', /people.email is encrypted/, (q) => inTenantOnly(q).where('email', '!=', 'a')],
        [
          'equality of two columns',
          'query-refused',
          /people.email is encrypted/,
          (q) => inTenantOnly(q).whereRef('email', '=', 'age' as never),
        ],
        [
          'a join over an encrypted column',
          'query-refused',
          /people.email is encrypted/,
          (q) => people(q).innerJoin('visits', 'visits.email', 'people.email').select('people.id'),
        ],
        [
          'equality without an index',
          'query-refused',
          /no blind index/,
          (q) =>
            q
              .selectFrom('people')
              .select('id')
              .where('settings', '=', '{}' as never),
        ],
        [
          'equality without the tenant',
          'place-unknown',
          /people.tenant_id/,
          (q) => people(q).select('id').where('email', '=', 'x'),
        ],
        [
          'equality in a tenant or any other',
          'place-unknown',
          /people.tenant_id/,
          (q) =>
            people(q)
              .select('id')
              .where((w) => w.or([w('tenant_id', '=', tenant), w('age', '=', 1)]))
              .where('email', '=', 'x'),
        ],
        [
          'a list that is no list of texts',
          'query-refused',
          /people.email is encrypted/,
          (q) => inTenantOnly(q).where('email', 'in', [7 as never]),
        ],
        [
          'a function',
          'query-refused',
          /people.email is encrypted/,
          (q) => people(q).select(({ fn }) => fn<string>('lower', ['email']).as('mail')),
        ],
        [
          'an aggregate',
          'query-refused',
          /people.email is encrypted/,
          (q) => people(q).select(({ fn }) => fn.max('email').as('last')),
        ],
        [
          'a row as JSON',
          'query-refused',
          /Whole rows/,
          (q) => people(q).select(({ fn }) => fn.toJson('people').as('row')),
        ],
        ['distinct', 'query-refused', /distinct/, (q) => people(q).select('email').distinct()],
        ['groups', 'query-refused', /grouped/, (q) => people(q).select('email').groupBy('id')],
        [
          'a union',
          'query-refused',
          /two queries/i,
          (q) => people(q).select('email').union(q.selectFrom('visits').select('email')),
        ],
        [
          'the other side of a union',
          'query-refused',
          /within another query/,
          (q) => q.selectFrom('visits').select('email').union(people(q).select('email')),
        ],
        [
          'a subquery',
          'query-refused',
          /within another query/,
          (q) => q.selectFrom(people(q).select('email as mail').as('inner')).select('inner.mail'),
        ],
        [
          'a subquery that selects everything',
          'query-refused',
          /within another query/,
          (q) => q.selectFrom(people(q).selectAll().as('inner')).selectAll(),
        ],
        [
          'a common table expression',
          'query-refused',
          /within another query/,
          (q) =>
            q
              .with('inner', (inner) => inner.selectFrom('people').select('email'))
              .selectFrom('inner')
              .selectAll(),
        ],
        [
          'a value within a selection',
          'query-refused',
          /within another query/,
          (q) =>
            q.selectFrom('visits').select((eb) => eb.selectFrom('people').select('people.email').limit(1).as('mail')),
        ],
        [
          'a mention further out',
          'query-refused',
          /people.email is encrypted/,
          (q) =>
            people(q)
              .select('people.id')
              .where((w) =>
                w.exists(w.selectFrom('visits').select('place').whereRef('visits.email', '=', 'people.email')),
              ),
        ],
        [
          'everything of several tables',
          'query-refused',
          /"\*" of several tables/,
          (q) => people(q).innerJoin('visits', 'visits.person', 'people.id').selectAll(),
        ],
        [
          'two results of one name',
          'query-refused',
          /Two results/,
          (q) => people(q).innerJoin('visits', 'visits.person', 'people.id').select(['people.email', 'visits.email']),
        ],
        [
          'everything and a result of the same name',
          'query-refused',
          /Two results/,
          (q) =>
            people(q)
              .innerJoin('visits', 'visits.person', 'people.id')
              .selectAll('people')
              .select('visits.email as settings'),
        ],
        [
          'a name that two tables have',
          'query-refused',
          /column of two tables/,
          (q) => q.selectFrom(['people as one', 'people as two']).select('email' as never),
        ],
        [
          'raw SQL with an encrypted column',
          'query-refused',
          /Raw SQL mentions people.email/,
          (q) => people(q).select(sql<string>`lower(email)`.as('mail')),
        ],
        [
          'raw SQL with a reference',
          'query-refused',
          /people.email is encrypted/,
          (q) => people(q).select(sql<string>`lower(${sql.ref('people.email')})`.as('mail')),
        ],
        [
          'raw SQL with an identifier',
          'query-refused',
          /Raw SQL mentions people.email/,
          (q) => people(q).select(sql<string>`lower(${sql.id('email')})`.as('mail')),
        ],
        [
          'raw SQL with a whole row',
          'query-refused',
          /Raw SQL mentions people/,
          (q) => people(q).select(sql<string>`to_json(people)`.as('row')),
        ],
        [
          'raw SQL with an escaped name',
          'query-refused',
          /escaped/,
          (q) => people(q).select(sql<string>`U&"em\\0061il"`.as('mail')),
        ],
        [
          'raw SQL about a table that is not in the query',
          'query-refused',
          /Raw SQL mentions people/,
          (q) => q.selectFrom('visits').select(sql<string>`(select min(email) from people)`.as('mail')),
        ],
        [
          'a condition in raw SQL',
          'query-refused',
          /Raw SQL mentions people.email/,
          (q) =>
            people(q)
              .select('id')
              .where(sql<boolean>`people.email = 'x'`),
        ],
        [
          'an order in raw SQL',
          'query-refused',
          /Raw SQL mentions people.email/,
          (q) =>
            people(q)
              .select('id')
              .orderBy(sql`email`),
        ],
        [
          'a merge',
          'query-refused',
          /merge with people/,
          (q) => q.mergeInto('people').using('visits', 'visits.person', 'people.id').whenMatched().thenDelete(),
        ],
      ];

      it.each(refusals)('%s', async (_name, code, detail, query) => {
        await run(async (queries) => {
          const built = async (): Promise<unknown> => {
            const builder = query(queries) as { execute: () => Promise<unknown> };
            return builder.execute();
          };
          const error: unknown = await built().catch((caught: unknown) => caught);
          expect(error).toMatchObject({ code: `encryption.${code}` });
          expect((error as Error).message).toMatch(detail);
        });
      });

      it('queries that were built elsewhere or compiled away, and streams', async () => {
        await run(async (queries, transaction) => {
          const compiled = queries
            .insertInto('people')
            .values({ ...place, email: 'secret@example.org' })
            .compile();
          expect(inspect(compiled, { depth: 9 })).not.toContain('secret@');
          await expect(transaction.executeQuery(compiled)).rejects.toThrow(/not sealed yet/);
        });
        await run(async (queries) => {
          await expect(queries.selectFrom('people').select('email').stream().next()).rejects.toThrow(/streamed/);
        });
        expect(() => encryptedQueries({} as never, encryption, { visits: codecs.people } as never)).toThrow(
          /needs the codec/,
        );
      });
    });

    it('writes and searches both columns of an index that is being rotated', async () => {
      const table = encryptedTable(dataMap, 'people', { row: ['id'] });
      const indexes = createIndexRotations({
        database,
        encryption,
        clock: systemClock,
        tables: [table],
        indexes: [{ table: 'people', column: 'email', columns: ['email_index', 'email_index_next'] }],
      });
      const during = <Result>(work: (queries: Queries) => Promise<Result>): Promise<Result> =>
        database.transaction(inTenant(tenant), async (transaction) =>
          work(
            encryptedQueries(transaction.withTables<Tables>(), encryption, codecs, {
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
      await encryption.keyTree.rotate(database, { settle: 0 });
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
        run((queries) => queries.selectFrom('people').select('email').where('id', '=', id).execute());
      await database.transaction(inTenant(tenant), async (transaction) => {
        await sql`insert into people (tenant_id, id, owner, email) select tenant_id, ${id}, ${bob}, email from people where id = ${ada}`.execute(
          transaction,
        );
      });
      await expect(select()).rejects.toMatchObject({ code: 'encryption.cannot-open' });
      await database.transaction(inTenant(tenant), async (transaction) => {
        await sql`update people set email = ${new TextEncoder().encode('eve@example.org')} where id = ${id}`.execute(
          transaction,
        );
      });
      await expect(select()).rejects.toMatchObject({ code: expect.stringMatching(/cannot-open|unknown-version/) });
      await run((queries) => queries.deleteFrom('people').where('id', '=', id).execute());
    });

    it('refuses rows about the erased, or leaves them out', async () => {
      const eve = newUuid();
      await run((queries) =>
        queries
          .insertInto('people')
          .values({ tenant_id: tenant, id: eve, owner: eve, email: 'eve@example.org', age: 99 })
          .execute(),
      );
      await encryption.keyTree.shred(database, [eve]);
      const select = (options?: { erased: 'leave-out' }) =>
        run((queries) => queries.selectFrom('people').select(['age', 'email']).orderBy('age').execute(), options);
      await expect(select()).rejects.toMatchObject({ code: 'encryption.subject-erased' });
      expect((await select({ erased: 'leave-out' })).map(({ age }) => age)).toEqual([36, null]);
      const write = run((queries) =>
        queries
          .insertInto('people')
          .values({ tenant_id: tenant, id: newUuid(), owner: eve, email: 'e@example.org' })
          .execute(),
      );
      await expect(write).rejects.toMatchObject({ code: 'encryption.subject-erased' });
      expect(await database.transaction(inInstallation, async () => 'goes on')).toBe('goes on');
    });
  });
}
