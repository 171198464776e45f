import type { Migration } from '@strongroom/kernel';
import { coveredTable } from '../covered-table.ts';

/**
 * Where events are delivered to. What an operator decided is in a covered table, so that whoever adds a receiver behind the service's back is
 * found by `reconcile`; how far each has come, which changes with every batch, is beside it.
 */
const sinks = `
create table audit_sinks (
  sink_id uuid primary key,
  name text not null unique,
  kind text not null check (kind in ('webhook', 'file')),
  format text not null check (format in ('jsonl', 'ocsf')),
  target text not null,
  with_addresses boolean not null,
  rotate_bytes bigint,
  rotate_daily boolean not null,
  added_at timestamptz not null
);
create trigger audit_sinks_append_only before update or truncate on audit_sinks
  for each statement execute function audit_refuse_change();

create table audit_sink_states (
  sink_id uuid primary key,
  secret bytea,
  next_index bigint not null check (next_index >= 0),
  batch_end bigint check (batch_end > next_index),
  failures integer not null default 0,
  failing_since timestamptz,
  next_attempt timestamptz,
  problem text,
  delivered_at timestamptz
);

create table audit_dead_letters (
  sink_id uuid not null,
  from_index bigint not null,
  to_index bigint not null check (to_index > from_index),
  problem text not null,
  dead_at timestamptz not null,
  is_due boolean not null default false,
  primary key (sink_id, from_index)
);

revoke all on audit_sinks, audit_sink_states, audit_dead_letters from strongroom_app;
revoke update, truncate on audit_sinks from strongroom_system;

${coveredTable('audit_sinks', ['sink_id'])}
`;

export const sinksMigration: Migration = { name: '0006-sinks', sql: sinks };
