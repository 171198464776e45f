import type { Migration } from '@strongroom/kernel';
import { coveredTable } from '../covered-table.ts';

/**
 * What became of the rows of covered tables. Triggers add to `audit_changes`, which like the inbox has nothing that would cost writers; the
 * sequencer takes from it what belongs to an event and keeps the newest state of each row in `audit_rows`. What stays behind has no event.
 */
const changes = `
create table audit_changes (
  transaction xid8 not null default pg_current_xact_id(),
  table_name text not null,
  key text not null,
  digest bytea,
  changed_at timestamptz not null default clock_timestamp()
);
create table audit_rows (
  table_name text not null,
  key text not null,
  digest bytea,
  changed_at timestamptz not null,
  event_id uuid,
  primary key (table_name, key)
);
create index audit_rows_gone on audit_rows (table_name) where digest is null;
create trigger audit_changes_append_only before update or truncate on audit_changes
  for each statement execute function audit_refuse_change();
create trigger audit_rows_kept before truncate on audit_rows
  for each statement execute function audit_refuse_change();

revoke update, truncate on audit_changes from strongroom_app, strongroom_system;
revoke select, delete on audit_changes from strongroom_app;
revoke truncate on audit_rows from strongroom_app, strongroom_system;
revoke select, insert, update, delete on audit_rows from strongroom_app;

${coveredTable('audit_witness_policies', ['policy_id'])}
`;

export const changesMigration: Migration = { name: '0005-changes', sql: changes };
