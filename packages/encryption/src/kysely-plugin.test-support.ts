/** A room with encrypted columns of every kind, queried through Kysely. */
import { join } from 'node:path';
import {
  defineDataMap,
  newUuid,
  operational,
  personal,
  secret,
  subject,
  type Manifest,
  type Uuid,
} from '@strongroom/kernel';
import { inTenant, tenantTable, type Database, type Transaction } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import type { ColumnType, QueryCreator } from 'kysely';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { encryptedQueries, type EncryptedQueriesOptions, type OpenTables } from './kysely-plugin.ts';
import { rowCodec, sealed } from './row-codec.ts';

const about = {
  subject: 'owner',
  purpose: 'remembering',
  lawfulBasis: 'contract',
  retention: 'until the account is deleted',
  protection: 'encrypted',
} as const;

export const dataMap = defineDataMap({
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

export const room = {
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

export interface Settings {
  readonly dark: boolean;
}

export const codecs = {
  people: rowCodec(dataMap, 'people', {
    row: ['id'],
    subject: 'owner',
    columns: { email: sealed.text({ index: 'email_index' }), settings: sealed.json<Settings>() },
  }),
  tokens: rowCodec(dataMap, 'tokens', { row: ['id'], columns: { token: sealed.bytes() } }),
};

export type Tables = {
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

export type Queries = QueryCreator<OpenTables<Tables, typeof codecs>>;

export const tenant = newUuid();
export const [ada, bob] = [newUuid(), newUuid()];
export const place = { tenant_id: tenant, id: ada, owner: ada };

export interface House {
  readonly database: Database;
  readonly encryption: Encryption;
}

export const run = <Result>(
  { database, encryption }: House,
  work: (queries: Queries, transaction: Transaction) => Promise<Result>,
  options: EncryptedQueriesOptions = {},
): Promise<Result> =>
  database.transaction(inTenant(tenant), (transaction) =>
    work(encryptedQueries(transaction.withTables<Tables>(), encryption, codecs, options), transaction),
  );

/** With two people in one tenant. */
export async function openHouse(database: Database): Promise<House> {
  const encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
  const house = { database, encryption };
  await run(house, async (queries) => {
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
  return house;
}
