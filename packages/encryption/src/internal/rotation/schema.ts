/** Where rotations of keys and of blind indexes stand, so that they go on after a crash and on another server. */
import { operational, type DataMap, type Migration } from '@strongroom/kernel';

/**
 * `keyring_revision`: of the keyring stored last. A process that works with an older one notices in its next transaction.
 *
 * A rotation walks the declared tables again and again (`pass`) until one whole pass found nothing left to rewrite. `at_table` and `cursor` say
 * where it is; they change in the transaction of the batch, so a crash repeats nothing and skips nothing.
 *
 * A blind index that was never rotated has no row: its only column is live, under the lookup version.
 */
const rotation = `
alter table key_tree add column keyring_revision bigint not null default 0;

create table key_rotations (
  id uuid primary key,
  kind text not null check (kind in ('root', 'tenant', 'column')),
  of_tenant uuid check ((kind = 'tenant') = (of_tenant is not null)),
  of_table text,
  of_column text check ((kind = 'column') = (of_table is not null and of_column is not null)),
  key_version bigint not null,
  keeps_former boolean not null,
  share double precision not null check (share > 0 and share <= 1),
  state text not null check (state in ('running', 'finishing', 'complete', 'failed', 'cancelled')),
  pass integer not null default 1,
  at_table text,
  cursor jsonb,
  total bigint not null,
  seen bigint not null default 0,
  rewritten_in_pass bigint not null default 0,
  rewritten bigint not null default 0,
  left_to_writers bigint not null default 0,
  authenticated bigint not null default 0,
  erased bigint not null default 0,
  damaged bigint not null default 0,
  damaged_places jsonb not null default '[]',
  retired jsonb not null default '[]',
  failure text,
  started_at timestamptz not null,
  changed_at timestamptz not null,
  finished_at timestamptz
);
create unique index key_rotations_open on key_rotations ((true)) where finished_at is null;
revoke insert, update, delete, truncate on key_rotations from strongroom_app;

create table blind_index_rotations (
  table_name text not null,
  column_name text not null,
  live_column text not null,
  live_version bigint not null,
  -- while filling and filled the one that comes, while emptying the one that goes
  other_column text,
  other_version bigint,
  state text not null check (state in ('filling', 'filled', 'emptying', 'settled')),
  cursor jsonb,
  changed_at timestamptz not null,
  primary key (table_name, column_name)
);
revoke insert, update, delete, truncate on blind_index_rotations from strongroom_app;
`;

export const rotationMigrations: readonly Migration[] = [{ name: '0002-rotation', sql: rotation }];

export const rotationTables = {
  key_rotations: {
    scope: 'installation',
    columns: {
      id: operational,
      kind: operational,
      of_tenant: operational,
      of_table: operational,
      of_column: operational,
      key_version: operational,
      keeps_former: operational,
      share: operational,
      state: operational,
      pass: operational,
      at_table: operational,
      cursor: operational,
      total: operational,
      seen: operational,
      rewritten_in_pass: operational,
      rewritten: operational,
      left_to_writers: operational,
      authenticated: operational,
      erased: operational,
      damaged: operational,
      damaged_places: operational,
      retired: operational,
      failure: operational,
      started_at: operational,
      changed_at: operational,
      finished_at: operational,
    },
  },
} as const satisfies DataMap;
