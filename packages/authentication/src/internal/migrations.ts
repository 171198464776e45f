import type { Migration } from '@strongroom/kernel';

/**
 * Accounts belong to the installation, and a session must be found by its token before a tenant is known, so no
 * table here is a tenant's. `tenant_id` has no foreign key: another room keeps the tenants.
 */
const accountsAndSessions = `
create table accounts (
  id uuid primary key,
  email bytea not null,
  email_index bytea not null unique check (octet_length(email_index) = 32),
  display_name bytea not null,
  verifier bytea not null check (octet_length(verifier) = 32),
  recovery_verifier bytea not null check (octet_length(recovery_verifier) = 32),
  salt bytea not null check (octet_length(salt) = 16),
  parameters jsonb not null,
  public_key bytea not null,
  private_key bytea not null,
  account_key_by_password bytea not null,
  account_key_by_recovery bytea not null,
  created_at timestamptz not null
);

create table sessions (
  id uuid primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  tenant_id uuid not null,
  token_hash bytea not null unique check (octet_length(token_hash) = 32),
  transport text not null check (transport in ('cookie', 'bearer')),
  device_name bytea,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  idle_expires_at timestamptz not null,
  expires_at timestamptz not null,
  reauthenticated_until timestamptz,
  check (idle_expires_at <= expires_at)
);
create index sessions_by_account on sessions (account_id, id);
create index sessions_by_end on sessions (idle_expires_at);
`;

/**
 * `invitations` names what can be listed and withdrawn; the secret itself is a single-use one. `deleted_accounts` is the queue of people whose keys
 * are yet to be destroyed, which takes longer than a transaction may.
 */
const accountLife = `
create table invitations (
  id uuid primary key,
  tenant_id uuid not null,
  role text not null,
  invited_by uuid not null,
  secret_hash bytea not null unique check (octet_length(secret_hash) = 32),
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index invitations_of_tenant on invitations (tenant_id, id);

create table deleted_accounts (
  account_id uuid primary key,
  deleted_at timestamptz not null
);
`;

/**
 * The index of e-mail addresses is rotated by filling a second column; both are unique, so that an address has one account in every state of a rotation. An
 * account that was erased and not deleted has neither afterwards.
 */
const rotatedEmailIndex = `
alter table accounts alter column email_index drop not null;
alter table accounts add column email_index_next bytea unique check (octet_length(email_index_next) = 32);
`;

export const migrations: readonly Migration[] = [
  { name: '0001-accounts-and-sessions', sql: accountsAndSessions },
  { name: '0002-account-life', sql: accountLife },
  { name: '0003-rotated-email-index', sql: rotatedEmailIndex },
];
