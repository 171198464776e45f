import type { Migration } from '@strongroom/kernel';
import { tenantTable } from '@strongroom/storage';

/**
 * Ids are chosen by clients, so they are unique within a tenant only: an id that another tenant uses must neither
 * collide nor show that it exists.
 *
 * Keys begin with the column that tells rows apart. A planner without statistics (PGlite never gathers any, PostgreSQL not yet during a
 * first import) takes every tenant and space for tiny: with those in front, all indexes look equally good, and it reads a whole space for each row. For
 * the same reason the tenant is in no index but the primary keys.
 */
const spacesAndMemories = `
create table spaces (
  tenant_id uuid not null,
  id uuid not null,
  sealed_name bytea not null,
  epoch integer not null check (epoch >= 1),
  change_sequence bigint not null default 0 check (change_sequence >= 0),
  created_by uuid not null,
  created_at timestamptz not null,
  primary key (id, tenant_id)
);
${tenantTable('spaces')}

create table space_keys (
  tenant_id uuid not null,
  space_id uuid not null,
  account_id uuid not null,
  epoch integer not null check (epoch >= 1),
  wrapped_key bytea not null,
  created_at timestamptz not null,
  primary key (space_id, account_id, epoch, tenant_id),
  foreign key (space_id, tenant_id) references spaces (id, tenant_id) on delete cascade
);
${tenantTable('space_keys')}

create table memories (
  tenant_id uuid not null,
  space_id uuid not null,
  id uuid not null,
  version integer not null check (version >= 1),
  epoch integer not null check (epoch >= 1),
  sequence bigint not null,
  changed_at timestamptz not null,
  deleted_at timestamptz,
  primary key (id, space_id, tenant_id),
  foreign key (space_id, tenant_id) references spaces (id, tenant_id) on delete cascade
);
create index memories_by_id on memories (space_id, id);
create index memories_by_sequence on memories (space_id, sequence);
${tenantTable('memories')}

create table memory_versions (
  tenant_id uuid not null,
  space_id uuid not null,
  memory_id uuid not null,
  version integer not null check (version >= 1),
  epoch integer not null check (epoch >= 1),
  sequence bigint not null,
  token bytea not null,
  size integer not null check (size >= 0),
  author_id uuid not null,
  created_at timestamptz not null,
  primary key (memory_id, version, space_id, tenant_id),
  foreign key (memory_id, space_id, tenant_id) references memories (id, space_id, tenant_id) on delete cascade
);
${tenantTable('memory_versions')}
`;

/** `sender_id`: who sealed the key for the account; null once the account has wrapped it for itself. */
const sharing = `
alter table space_keys add column sender_id uuid;
alter table spaces add column rotation_due boolean not null default false;
`;

export const migrations: readonly Migration[] = [
  { name: '0001-spaces-and-memories', sql: spacesAndMemories },
  { name: '0002-sharing', sql: sharing },
];
