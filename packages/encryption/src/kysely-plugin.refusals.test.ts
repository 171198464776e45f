/** What the query layer refuses, and what it says instead. */
import { inspect } from 'node:util';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { encryptedQueries } from './kysely-plugin.ts';
import {
  ada,
  bob,
  codecs,
  openHouse,
  place,
  room,
  run,
  tenant,
  type House,
  type Queries,
} from './kysely-plugin.test-support.ts';
import { manifest } from './manifest.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(engine.name, () => {
    let house: House;

    beforeAll(async () => {
      house = await openHouse(await engine.open([manifest, room]));
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
          'equality in the tenant of another table',
          'place-unknown',
          /people.tenant_id/,
          (q) =>
            q
              .selectFrom(['people as one', 'people as two'])
              .select('one.id')
              .where('one.tenant_id', '=', tenant)
              .where('two.email', '=', 'x'),
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
        await run(house, async (queries) => {
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
        await run(house, async (queries, transaction) => {
          const compiled = queries
            .insertInto('people')
            .values({ ...place, email: 'secret@example.org' })
            .compile();
          expect(inspect(compiled, { depth: 9 })).not.toContain('secret@');
          await expect(transaction.executeQuery(compiled)).rejects.toThrow(/not sealed yet/);
        });
        await run(house, async (queries) => {
          await expect(queries.selectFrom('people').select('email').stream().next()).rejects.toThrow(/streamed/);
        });
        expect(() => encryptedQueries({} as never, house.encryption, { visits: codecs.people } as never)).toThrow(
          /needs the codec/,
        );
      });
    });
  });
}
