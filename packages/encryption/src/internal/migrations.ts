import type { Migration } from '@strongroom/kernel';
import { columnMigrationSchema } from './migration/schema.ts';
import { indexRotationSchema } from './index-rotation/schema.ts';
import { rotationMigrations } from './rotation/schema.ts';

/**
 * Wrapped keys only. `next_wrapped` is the same key beneath its parent's next one, written before the root is replaced; `frozen` nodes are
 * being re-keyed and take no more children. `shred_hash` marks who is being erased; without `leaf` the row only keeps others from giving
 * that person a key meanwhile. The serving role makes keys and never removes any, and nobody changes the ledger.
 */
const keyTree = `
create table key_tree (
  version bigint not null,
  pending_version bigint,
  acknowledged_version bigint not null,
  holder uuid,
  lease_until timestamptz,
  -- there is only one
  single boolean primary key default true check (single)
);

create table key_nodes (
  id uuid primary key,
  parent uuid references key_nodes (id),
  level smallint not null check (level in (1, 2) and (parent is null) = (level = 2)),
  wrapped bytea not null,
  version bigint not null,
  children integer not null check (children between 0 and 128),
  next_wrapped bytea,
  frozen boolean not null default false
);
create index key_nodes_by_parent on key_nodes (parent);
create index key_nodes_with_room on key_nodes (level, id) where children < 128 and not frozen;
create index key_nodes_pending on key_nodes (id) where next_wrapped is not null or frozen;

create table subject_keys (
  subject uuid primary key,
  leaf uuid references key_nodes (id),
  wrapped bytea,
  version bigint,
  next_wrapped bytea,
  shred_hash bytea,
  check (shred_hash is not null or (leaf is not null and wrapped is not null and version is not null))
);
create index subject_keys_by_leaf on subject_keys (leaf);
create index subject_keys_pending on subject_keys (subject) where next_wrapped is not null;
create index subject_keys_shredding on subject_keys (leaf) where shred_hash is not null;

create table shredded_subjects (
  hash bytea primary key check (octet_length(hash) = 32),
  version bigint not null,
  shredded_at timestamptz not null
);

revoke delete, truncate on key_tree, key_nodes, subject_keys from strongroom_app;
revoke update, delete, truncate on shredded_subjects from strongroom_app, strongroom_system;
revoke insert on shredded_subjects from strongroom_app;
`;

export const migrations: readonly Migration[] = [
  { name: '0001-key-tree', sql: keyTree },
  ...rotationMigrations,
  columnMigrationSchema,
  indexRotationSchema,
];
