/** Where the encryption of plaintext columns stands. */
import { operational, type DataMap, type Migration } from '@strongroom/kernel';

/**
 * `cursor`: the key of the last row that the present walk has done with; it changes in the transaction of the batch. `seen`, `changed`, `erased` and
 * `problems` count rows of that walk. Every change of phase is a row in `column_migration_steps`, which nobody changes. Readers and writers look the phase
 * up and never set it.
 */
const schema = `
create table column_migrations (
  of_table text not null,
  of_column text not null,
  phase text not null check (phase in
    ('declared', 'dual-writing', 'backfilling', 'verifying', 'verified', 'cut-over', 'dropping', 'dropped')),
  cursor jsonb,
  total bigint not null default 0,
  seen bigint not null default 0,
  changed bigint not null default 0,
  erased bigint not null default 0,
  problems bigint not null default 0,
  changed_at timestamptz not null,
  primary key (of_table, of_column)
);

create table column_migration_steps (
  id uuid primary key,
  of_table text not null,
  of_column text not null,
  from_phase text not null,
  to_phase text not null,
  seen bigint not null,
  problems bigint not null,
  at timestamptz not null
);

revoke insert, update, delete, truncate on column_migrations, column_migration_steps from strongroom_app;
revoke update, delete, truncate on column_migration_steps from strongroom_system;
`;

/** Its name sorts behind those of the key tree and of rotation. */
export const columnMigrationSchema: Migration = { name: '0003-column-migrations', sql: schema };

export const columnMigrationTables = {
  column_migrations: {
    scope: 'installation',
    columns: {
      of_table: operational,
      of_column: operational,
      phase: operational,
      cursor: operational,
      total: operational,
      seen: operational,
      changed: operational,
      erased: operational,
      problems: operational,
      changed_at: operational,
    },
  },
  column_migration_steps: {
    scope: 'installation',
    columns: {
      id: operational,
      of_table: operational,
      of_column: operational,
      from_phase: operational,
      to_phase: operational,
      seen: operational,
      problems: operational,
      at: operational,
    },
  },
} as const satisfies DataMap;
