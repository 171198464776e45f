/** A small schema with every kind of column and reference, and rows in it. */
import { defineDataMap, operational, type Manifest } from '@strongroom/kernel';
import { asSystem, tenantTable, type Database } from '@strongroom/storage';
import { sql } from 'kysely';

const columns = (names: string) => Object.fromEntries(names.split(' ').map((name) => [name, operational]));

const HOUSE_COLUMNS = 'tenant_id id street_id number area price sold built plan owners labels details size name';

/** The referring table comes first by name, so that alphabetical order would be wrong. */
export const houses = {
  name: 'houses',
  migrations: [
    {
      name: '0001-houses',
      sql: `
create table streets (id uuid primary key, name text not null unique);
create table houses (
  tenant_id uuid not null,
  id uuid primary key,
  street_id uuid not null references streets (id),
  number integer,
  area double precision,
  price numeric(12, 2),
  sold boolean,
  built timestamptz,
  plan bytea,
  owners uuid[] not null default '{}',
  labels text[],
  details jsonb,
  size bigint generated always as (length(name)) stored,
  name text
);
${tenantTable('houses')}
create function refuse_change() returns trigger language plpgsql as $$ begin raise exception 'rows are only added'; end $$;
create trigger streets_append_only before update or delete or truncate on streets for each statement execute function refuse_change();
create table visits (id uuid primary key, note text);
create table rooms (id uuid primary key, inside uuid references rooms (id));`,
    },
  ],
  dataMap: defineDataMap({
    streets: { scope: 'installation', columns: columns('id name') },
    houses: {
      scope: 'tenant',
      columns: columns(HOUSE_COLUMNS),
    },
    visits: { scope: 'installation', columns: columns('id note') },
    rooms: { scope: 'installation', columns: columns('id inside') },
  }),
} as const satisfies Manifest;

/** The same with a migration that came later and needs the rows to be there. */
export const housesLater = {
  name: 'houses',
  migrations: [
    ...houses.migrations,
    {
      name: '0002-upper-case',
      sql: `
alter table streets add column shouted text;
alter table streets disable trigger streets_append_only;
update streets set shouted = upper(name);
alter table streets enable trigger streets_append_only;
alter table streets alter column shouted set not null;`,
    },
  ],
  dataMap: defineDataMap({
    ...houses.dataMap,
    streets: { scope: 'installation', columns: columns('id name shouted') },
  }),
} as const satisfies Manifest;

const TENANT = '019a0000-0000-7000-8000-000000000001';

/** Values that a careless copy would change: control characters, quotes, backslashes, microseconds, all bytes, long digits. */
export const fill = (database: Database, count = 20): Promise<void> =>
  database.transaction(asSystem, async (transaction) => {
    const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);
    const odd = 'a "b" \\ \u0001\n\t\u2028 \u{1f3e0} 界 \\x41 NULL';
    await sql`insert into streets select gen_random_uuid(), 'street ' || g from generate_series(1, 3) g`.execute(
      transaction,
    );
    await sql`
      insert into houses (tenant_id, id, street_id, number, area, price, sold, built, plan, owners, labels, details, name)
      select ${TENANT}::uuid, gen_random_uuid(), (select id from streets where name = 'street 1'), g, 0.1 + 0.2 / g, 1234567890.12,
        g % 2 = 0, '2026-03-29 01:59:59.123456+00', ${everyByte}::bytea, array[gen_random_uuid(), gen_random_uuid()],
        array[${odd}, null, ''], jsonb_build_object('n', 12345678901234567890.123, 'odd', ${odd}::text), ${odd}
      from generate_series(1, ${count}::int) g`.execute(transaction);
    await sql`
      insert into houses (tenant_id, id, street_id, plan, name)
      values (${TENANT}::uuid, gen_random_uuid(), (select id from streets where name = 'street 2'), ''::bytea, '')`.execute(
      transaction,
    );
    // Each inside the next, which is stored after it.
    await sql`with ids as (select g, gen_random_uuid() as id from generate_series(1, ${2 * count}::int) g)
      insert into rooms select a.id, b.id from ids a left join ids b on b.g = a.g + 1 order by a.g`.execute(
      transaction,
    );
    await sql`insert into visits values (gen_random_uuid(), 'left out')`.execute(transaction);
  });

/** Everything, as PostgreSQL prints it. */
export const content = (database: Database, table = 'houses'): Promise<readonly string[]> =>
  database.transaction(asSystem, async (transaction) => {
    const { rows } = await sql<{ row: string }>`
      select t::text as row from ${sql.table(table)} t order by 1`.execute(transaction);
    return rows.map(({ row }) => row);
  });
