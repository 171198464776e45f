import type { Migration } from '@strongroom/kernel';
import { changesMigration } from './migration-changes.ts';
import { inboxMigration } from './migration-inbox.ts';
import { keptFilesMigration } from './migration-kept-files.ts';
import { sinkAuthoritiesMigration } from './migration-sink-authorities.ts';
import { keyHandoversMigration } from './migration-key-handovers.ts';
import { openingFormMigration } from './migration-opening-form.ts';
import { openingsMigration } from './migration-openings.ts';
import { redactionMigration } from './migration-redaction.ts';
import { retentionMigration } from './migration-retention.ts';
import { searchMigration } from './migration-search.ts';
import { sinksMigration } from './migration-sinks.ts';
import { witnessesMigration } from './migration-witnesses.ts';

/** Refuses whatever is not an INSERT: on PGlite, whose one session may do everything, this is the only wall in the database. */
const appendOnly = (table: string, refused: string): string => `
create trigger ${table}_append_only before ${refused} on ${table}
  for each statement execute function audit_refuse_change();`;

/**
 * Rows of one tenant are shown to that tenant; rows of none only to the system role. Writing is not limited to the current tenant:
 * a sign-in is recorded for the tenant it turns out to be for, before there is a session in it.
 */
const readByTenant = (table: string): string => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy ${table}_read on ${table} for select to strongroom_app
  using (tenant_id = (select nullif(current_setting('strongroom.tenant', true), '')::uuid));
create policy ${table}_append on ${table} for insert to strongroom_app with check (true);
create policy ${table}_system on ${table} to strongroom_system using (true) with check (true);`;

const eventsAndTree = `
create function audit_refuse_change() returns trigger language plpgsql as $function$
begin
  raise exception 'audit log: % on % is refused, rows are only ever added', tg_op, tg_table_name using errcode = '42501';
end
$function$;

create table audit_events (
  event_id uuid primary key,
  occurred_at timestamptz not null,
  type text not null,
  outcome text not null check (outcome in ('success', 'denied', 'failure')),
  reason text,
  actor_kind text not null check (actor_kind in ('anonymous', 'account', 'operator', 'system')),
  actor uuid,
  actor_via text,
  session_id uuid,
  tenant_id uuid,
  request_id uuid not null,
  address_commitment bytea,
  object_type text,
  object_id text,
  subjects uuid[] not null,
  details text not null
);
${readByTenant('audit_events')}
${appendOnly('audit_events', 'update or delete or truncate')}

create table audit_openings (
  event_id uuid not null,
  field text not null,
  tenant_id uuid,
  subject uuid,
  salt bytea not null,
  value text not null,
  primary key (event_id, field)
);
${readByTenant('audit_openings')}
${appendOnly('audit_openings', 'update or truncate')}

create table audit_queue (event_id uuid primary key);
${appendOnly('audit_queue', 'update or truncate')}

create table audit_leaves (
  index bigint primary key check (index >= 0),
  event_id uuid not null unique,
  hash bytea not null check (octet_length(hash) = 32)
);
${appendOnly('audit_leaves', 'update or delete or truncate')}

create table audit_tiles (
  level integer not null check (level between 0 and 63),
  index bigint not null check (index >= 0),
  hashes bytea not null check (octet_length(hashes) = 8192),
  root bytea not null check (octet_length(root) = 32),
  primary key (level, index)
);
alter table audit_tiles alter column hashes set storage external;
${appendOnly('audit_tiles', 'update or delete or truncate')}

create table audit_checkpoints (
  size bigint primary key check (size > 0),
  root bytea not null check (octet_length(root) = 32),
  signed_at timestamptz not null,
  note text not null
);
${appendOnly('audit_checkpoints', 'update or truncate')}

create table audit_signing_keys (
  key_id text primary key,
  algorithm text not null unique check (algorithm in ('ed25519', 'ml-dsa-44')),
  verifier_key text not null,
  private_key bytea not null,
  created_at timestamptz not null
);
${appendOnly('audit_signing_keys', 'update or delete or truncate')}

create table audit_pseudonyms (
  account_id uuid primary key,
  pseudonym uuid not null unique
);
${appendOnly('audit_pseudonyms', 'update or truncate')}

-- Random (UUID version 4), so that a pseudonym does not even tell when it was made. Whoever loses the race reads the winner's.
create function audit_pseudonym(account uuid) returns uuid language plpgsql as $function$
declare
  known uuid;
begin
  select pseudonym into known from audit_pseudonyms where account_id = account;
  if known is null then
    insert into audit_pseudonyms (account_id, pseudonym) values (account, gen_random_uuid()) on conflict (account_id) do nothing;
    select pseudonym into known from audit_pseudonyms where account_id = account;
  end if;
  return known;
end
$function$;

-- One round trip for each event, its statements planned once for each connection: a third of the time of the same as one statement.
-- A plan made while audit_pseudonyms is still empty must be right when it no longer is, hence no sequential scans.
create function audit_append(
  event_id uuid, occurred_at timestamptz, type text, outcome text, reason text, actor_kind text, actor_account uuid, actor_via text,
  session_id uuid, tenant_id uuid, request_id uuid, address_commitment bytea, object_type text, object_account uuid, object_id text,
  subject_accounts uuid[], details text, address_salt bytea, address_prefix text
) returns void language plpgsql set enable_seqscan = off as $function$
declare
  actor uuid := case when actor_account is not null then audit_pseudonym(actor_account) end;
  object_name text := case when object_account is not null then audit_pseudonym(object_account)::text else object_id end;
  subjects uuid[] := '{}';
  account uuid;
begin
  foreach account in array subject_accounts loop
    subjects := subjects || audit_pseudonym(account);
  end loop;
  insert into audit_events values (event_id, occurred_at, type, outcome, reason, actor_kind, actor, actor_via, session_id, tenant_id,
    request_id, address_commitment, object_type, object_name, subjects, details);
  insert into audit_queue values (event_id);
  if address_prefix is not null then
    insert into audit_openings values (event_id, 'address_prefix', tenant_id, actor, address_salt, address_prefix);
  end if;
end
$function$;

revoke update, delete, truncate on audit_events, audit_leaves, audit_tiles, audit_signing_keys from strongroom_app, strongroom_system;
revoke update, truncate on audit_openings, audit_queue, audit_checkpoints, audit_pseudonyms from strongroom_app, strongroom_system;
revoke delete on audit_openings, audit_checkpoints, audit_pseudonyms from strongroom_app;
revoke select, delete on audit_queue from strongroom_app;
revoke insert on audit_leaves, audit_tiles, audit_checkpoints from strongroom_app;
revoke select, insert on audit_signing_keys from strongroom_app;
grant select (key_id, algorithm, verifier_key, created_at) on audit_signing_keys to strongroom_app;
`;

export const migrations: readonly Migration[] = [
  { name: '0001-events-and-tree', sql: eventsAndTree },
  redactionMigration,
  witnessesMigration,
  inboxMigration,
  changesMigration,
  searchMigration,
  sinksMigration,
  retentionMigration,
  openingsMigration,
  keyHandoversMigration,
  keptFilesMigration,
  sinkAuthoritiesMigration,
  openingFormMigration,
];
