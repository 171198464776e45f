import { defineDataMap, operational, secret, type Clock, type Manifest } from '@strongroom/kernel';
import { inInstallation, type Database } from './database.ts';
import { purgeSingleUse } from './single-use.ts';

/** What storage's own job needs. */
export interface StorageServices {
  readonly database: Database;
  readonly clock: Clock;
}

/** Storage's own tables. Always part of the schema; the composition root lists this manifest for its job. */
export const manifest = {
  name: 'storage',
  migrations: [
    {
      name: '0001-single-use-secrets',
      sql: `
create table single_use_secrets (
  purpose text not null,
  hash bytea not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  consumed_at timestamptz,
  primary key (purpose, hash)
);
create index single_use_secrets_by_expiry on single_use_secrets (expires_at);
`,
    },
    {
      name: '0002-jobs',
      sql: `
create table jobs (
  name text primary key,
  holder uuid,
  lease_until timestamptz,
  next_run timestamptz not null default now(),
  nudges bigint not null default 0,
  failures integer not null default 0,
  last_finished timestamptz,
  last_error text
);
`,
    },
  ],
  dataMap: defineDataMap({
    schema_migrations: {
      scope: 'installation',
      columns: { room: operational, name: operational, checksum: operational, applied_at: operational },
    },
    single_use_secrets: {
      scope: 'installation',
      columns: {
        purpose: operational,
        hash: secret('hashed'),
        payload: operational,
        created_at: operational,
        expires_at: operational,
        consumed_at: operational,
      },
    },
    jobs: {
      scope: 'installation',
      columns: {
        name: operational,
        holder: operational,
        lease_until: operational,
        next_run: operational,
        nudges: operational,
        failures: operational,
        last_finished: operational,
        last_error: operational,
      },
    },
  }),
  jobs: [
    {
      name: 'storage.purge-single-use',
      everySeconds: 3600,
      run: async ({ database, clock }: StorageServices) => {
        await database.transaction(inInstallation, (transaction) => purgeSingleUse(transaction, clock.now()));
      },
    },
  ],
} as const satisfies Manifest<never, StorageServices>;
