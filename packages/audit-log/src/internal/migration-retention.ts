import type { Migration } from '@strongroom/kernel';

/**
 * Which entries were removed by which run, so that a reader can tell what was removed from what is missing; the proof is the run's entry itself. An event
 * leaves `audit_events` only when it is named here by a run that is in the log.
 */
const retention = `
create table audit_removals (
  from_index bigint primary key check (from_index >= 0),
  to_index bigint not null check (to_index > from_index),
  event_id uuid not null
);
create trigger audit_removals_append_only before update or delete or truncate on audit_removals
  for each statement execute function audit_refuse_change();

-- Each run looks for what is older than a period, type by type.
create index audit_events_retention on audit_events (type, occurred_at);

drop trigger audit_events_append_only on audit_events;
create trigger audit_events_append_only before update or truncate on audit_events
  for each statement execute function audit_refuse_change();

create function audit_refuse_unrecorded_removal() returns trigger language plpgsql set enable_seqscan = off as $function$
begin
  if (select count(*) from gone) <> (select count(*) from gone
      join audit_leaves as l on l.event_id = gone.event_id
      cross join lateral (select r.to_index, r.event_id from audit_removals as r where r.from_index <= l.index
        order by r.from_index desc limit 1) as named
      join audit_leaves as run on run.event_id = named.event_id
      where named.to_index > l.index and run.index > l.index) then
    raise exception 'audit log: an event is removed by a retention run, not otherwise' using errcode = '42501';
  end if;
  return null;
end
$function$;
create trigger audit_events_no_loss after delete on audit_events referencing old table as gone
  for each statement execute function audit_refuse_unrecorded_removal();

grant delete on audit_events to strongroom_system;
revoke update, delete, truncate on audit_removals from strongroom_app, strongroom_system;
revoke select, insert on audit_removals from strongroom_app;
`;

export const retentionMigration: Migration = { name: '0007-retention', sql: retention };
