import { setTimeout as delay } from 'node:timers/promises';
import type { Manifest } from '@strongroom/kernel';
import { defineDataMap, newUuid, operational } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { sql, type Generated } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { asSystem, inInstallation, inTenant, type Database, type Transaction } from './database.ts';
import { StorageError } from './errors.ts';
import { tenantTable } from './tenant-table.ts';

type Tables = {
  notes: { id: Generated<number>; tenant_id: string; text: string };
  counters: { name: string; value: number };
};
const tables = (transaction: Transaction) => transaction.$extendTables<Tables>();

const room: Manifest = {
  name: 'room',
  migrations: [
    {
      name: '0001-notes',
      sql: `create table notes (id bigint generated always as identity primary key, tenant_id uuid not null, text text not null);
        ${tenantTable('notes')}
        create table counters (name text primary key, value bigint not null);
        revoke delete on counters from strongroom_app;`,
    },
  ],
  dataMap: defineDataMap({
    notes: { scope: 'tenant', columns: { id: operational, tenant_id: operational, text: operational } },
    counters: { scope: 'installation', columns: { name: operational, value: operational } },
  }),
};

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );

for (const engine of databases('both')) {
  describe.skipIf(!engine.available)(`transactions on ${engine.name}`, () => {
    let database: Database;
    beforeAll(async () => {
      database = await engine.open([room]);
    });
    const add = (tenant: ReturnType<typeof newUuid>, text: string): Promise<unknown> =>
      database.transaction(inTenant(tenant), (transaction) =>
        tables(transaction).insertInto('notes').values({ tenant_id: tenant, text }).execute(),
      );
    const texts = (scope: Parameters<Database['transaction']>[0]): Promise<string[]> =>
      database.transaction(scope, async (transaction) => {
        const rows = await tables(transaction).selectFrom('notes').select('text').orderBy('id').execute();
        return rows.map(({ text }) => text);
      });

    it('keeps what resolved and drops what rejected', async () => {
      const tenant = newUuid();
      await add(tenant, 'kept');
      const attempt = database.transaction(inTenant(tenant), async (transaction) => {
        await tables(transaction).insertInto('notes').values({ tenant_id: tenant, text: 'dropped' }).execute();
        throw new RangeError('no');
      });
      expect(await failure(attempt)).toBeInstanceOf(RangeError);
      expect(await texts(inTenant(tenant))).toEqual(['kept']);
    });

    it('keeps nothing when a failed statement was swallowed', async () => {
      const tenant = newUuid();
      const attempt = database.transaction(inTenant(tenant), async (transaction) => {
        await tables(transaction).insertInto('notes').values({ tenant_id: tenant, text: 'dropped' }).execute();
        await sql`select 1 / 0`.execute(transaction).catch(() => undefined);
      });
      expect(await failure(attempt)).toMatchObject({ code: 'storage.query-failed' });
      expect(await texts(inTenant(tenant))).toEqual([]);
    });

    it('separates tenants by row-level security', async () => {
      const [mine, theirs] = [newUuid(), newUuid()];
      await add(mine, 'mine');
      await add(theirs, 'theirs');
      expect(await texts(inTenant(mine))).toEqual(['mine']);
      expect(await texts(inInstallation)).toEqual([]);
      expect(await texts(asSystem)).toEqual(expect.arrayContaining(['mine', 'theirs']));
      const intruding = database.transaction(inTenant(mine), (transaction) =>
        tables(transaction).insertInto('notes').values({ tenant_id: theirs, text: 'planted' }).execute(),
      );
      expect(await failure(intruding)).toMatchObject({ code: 'storage.query-failed', sqlState: '42501' });
      const stealing = await database.transaction(inTenant(mine), (transaction) =>
        tables(transaction)
          .updateTable('notes')
          .set({ text: 'stolen' })
          .where('tenant_id', '=', theirs)
          .executeTakeFirst(),
      );
      expect(stealing.numUpdatedRows).toBe(0n);
      expect(await texts(inTenant(theirs))).toEqual(['theirs']);
    });

    it('forgets role and tenant with the transaction', async () => {
      const tenant = newUuid();
      const seen = (scope: Parameters<Database['transaction']>[0]): Promise<unknown> =>
        database.transaction(scope, async (transaction) => {
          const { rows } = await sql`select current_user::text as role,
            current_setting('strongroom.tenant') as tenant`.execute(transaction);
          return rows[0];
        });
      expect(await seen(inTenant(tenant))).toEqual({ role: 'strongroom_app', tenant });
      expect(await seen(inInstallation)).toEqual({ role: 'strongroom_app', tenant: '' });
      expect(await seen(asSystem)).toEqual({ role: 'strongroom_system', tenant: '' });
    });

    it('takes nothing but an id as tenant', async () => {
      const scope = { kind: 'tenant', tenant: "x'; drop table notes; --" } as unknown as Parameters<
        Database['transaction']
      >[0];
      expect(await failure(texts(scope))).toBeInstanceOf(TypeError);
      expect(await texts(inTenant(newUuid()))).toEqual([]);
    });

    it('grants what a room did not revoke', async () => {
      await database.transaction(inInstallation, (transaction) =>
        tables(transaction).insertInto('counters').values({ name: 'kept', value: 1 }).execute(),
      );
      const removing = database.transaction(inInstallation, (transaction) =>
        tables(transaction).deleteFrom('counters').execute(),
      );
      expect(await failure(removing)).toMatchObject({ sqlState: '42501' });
      const creating = database.transaction(inInstallation, (transaction) =>
        sql`create table mine (id int)`.execute(transaction),
      );
      expect(await failure(creating)).toMatchObject({ sqlState: '42501' });
      const forging = database.transaction(inInstallation, (transaction) =>
        sql`delete from schema_migrations`.execute(transaction),
      );
      expect(await failure(forging)).toMatchObject({ sqlState: '42501' });
    });

    it('refuses a transaction within a transaction', async () => {
      const nested = database.transaction(inInstallation, async () => {
        await delay(1);
        return texts(inInstallation);
      });
      expect(await failure(nested)).toMatchObject({ code: 'storage.nested-transaction' });
      const viaKysely = database.transaction(inInstallation, async (transaction) => {
        (transaction.transaction as () => void)();
      });
      expect(await failure(viaKysely)).toBeInstanceOf(Error);
      const closing = database.transaction(inInstallation, () => database.close());
      expect(await failure(closing)).toMatchObject({ code: 'storage.nested-transaction' });
      expect(await texts(inInstallation)).toEqual([]);
    });

    it('allows one that a finished transaction set going', async () => {
      const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
      let later: Promise<string[]> | undefined;
      await database.transaction(inInstallation, async () => {
        later = finished.then(() => texts(inInstallation));
      });
      finish();
      expect(await later).toEqual([]);
    });

    it('refuses a transaction that has ended', async () => {
      const escaped = await database.transaction(inInstallation, async (transaction) => ({ transaction }));
      const late = sql`select 1`.execute(escaped.transaction);
      expect(String(await failure(late))).toMatch(/committed/);
    });

    it('runs parallel transactions to the end, in order of arrival where there is one connection', async () => {
      const tenant = newUuid();
      await Promise.all(Array.from({ length: 40 }, (_, index) => add(tenant, String(index))));
      const found = await texts(inTenant(tenant));
      expect(found.toSorted()).toEqual(Array.from({ length: 40 }, (_, index) => String(index)).toSorted());
      if (database.engine === 'pglite') expect(found).toEqual(Array.from({ length: 40 }, (_, index) => String(index)));
    });

    it('answers each of several queries sent at once in one transaction', async () => {
      const answers = await database.transaction(inInstallation, (transaction) =>
        Promise.all(
          Array.from({ length: 20 }, async (_, index) => {
            const { rows } = await sql<{ n: number }>`select ${index}::int as n`.execute(transaction);
            return rows[0]?.n;
          }),
        ),
      );
      expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => index));
    });

    it('tries again after a serialisation failure, and gives up in the end', async () => {
      let attempts = 0;
      const result = await database.transaction(inInstallation, async (transaction) => {
        attempts += 1;
        if (attempts < 3) {
          await sql`do $$ begin raise exception 'again' using errcode = '40001'; end $$`.execute(transaction);
        }
        return 'done';
      });
      expect([result, attempts]).toEqual(['done', 3]);
      attempts = 0;
      const hopeless = database.transaction(inInstallation, async (transaction) => {
        attempts += 1;
        await sql`do $$ begin raise exception 'again' using errcode = '40P01'; end $$`.execute(transaction);
      });
      expect(await failure(hopeless)).toMatchObject({ code: 'storage.conflict', status: 503 });
      expect(attempts).toBe(6);
    });

    it('does not try again after other errors', async () => {
      let attempts = 0;
      const attempt = database.transaction(inInstallation, async (transaction) => {
        attempts += 1;
        await sql`select no_such_column`.execute(transaction);
      });
      const error = await failure(attempt);
      expect(error).toMatchObject({ code: 'storage.query-failed', sqlState: '42703' });
      expect(attempts).toBe(1);
    });

    it('shows no values in errors', async () => {
      await database.transaction(inInstallation, (transaction) =>
        tables(transaction).insertInto('counters').values({ name: 'canary-4711', value: 1 }).execute(),
      );
      const duplicate = (): Promise<unknown> =>
        database.transaction(inInstallation, (transaction) =>
          tables(transaction).insertInto('counters').values({ name: 'canary-4711', value: 1 }).execute(),
        );
      const malformed = (): Promise<unknown> =>
        database.transaction(inInstallation, (transaction) => sql`select ${'canary-4711'}::uuid`.execute(transaction));
      for (const error of [await failure(duplicate()), await failure(malformed())]) {
        expect(error).toBeInstanceOf(StorageError);
        const shown =
          JSON.stringify(error) + String((error as Error).stack) + JSON.stringify((error as StorageError).toProblem());
        expect(shown).not.toContain('canary');
        expect((error as Error).cause).toBeUndefined();
      }
    });
  });

  describe.skipIf(!engine.available)(`closing on ${engine.name}`, () => {
    it('waits for running transactions and refuses new ones', async () => {
      const database = await engine.open([room]);
      const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
      const running = database.transaction(inInstallation, async (transaction) => {
        await gate;
        return tables(transaction).insertInto('counters').values({ name: 'last', value: 1 }).execute();
      });
      let closed = false;
      const closing = (async () => {
        await database.close();
        closed = true;
      })();
      const refused = database.transaction(inInstallation, async () => 1);
      expect(await failure(refused)).toMatchObject({ code: 'storage.closed', status: 503 });
      await delay(20);
      expect(closed).toBe(false);
      openGate();
      expect(await running).toHaveLength(1);
      await closing;
      await database.close();
      expect(await failure(database.transaction(inInstallation, async () => 1))).toMatchObject({
        code: 'storage.closed',
      });
    });
  });
}
