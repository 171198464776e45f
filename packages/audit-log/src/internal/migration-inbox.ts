import type { Migration } from '@strongroom/kernel';

/**
 * Writers add one row to a table without index, constraints and policies, each of which would cost every transaction; the serving role may
 * not read it. The sequencer moves events where they are kept and searched, a thousand at a time. `event` is a JSON array of
 * their columns, `subject` the person the opening is about, `transaction` what else was changed with it.
 * Events that wait at the time of the migration go back to the inbox.
 */
const inbox = `
create table audit_inbox (
  event text not null,
  subject uuid,
  opening bytea,
  transaction xid8 not null default pg_current_xact_id()
);
alter table audit_events no force row level security;
alter table audit_openings no force row level security;
alter table audit_events disable trigger audit_events_append_only;
insert into audit_inbox (event, subject, opening)
  select json_build_array(e.event_id, (extract(epoch from e.occurred_at) * 1000000)::bigint, e.type, e.outcome, e.reason, e.actor_kind,
    e.actor, e.actor_via, e.session_id, e.tenant_id, e.request_id, encode(e.address_commitment, 'hex'), e.object_type, e.object_id,
    e.subjects, e.details)::text, coalesce(e.actor, e.subjects[1]), o.opening
  from audit_queue as q join audit_events as e using (event_id)
  left join audit_openings as o on o.event_id = e.event_id and o.field = 'address_prefix';
delete from audit_openings as o using audit_queue as q where q.event_id = o.event_id;
delete from audit_events as e using audit_queue as q where q.event_id = e.event_id;
alter table audit_events enable trigger audit_events_append_only;
alter table audit_events force row level security;
alter table audit_openings force row level security;
drop table audit_queue;

create trigger audit_inbox_append_only before update or truncate on audit_inbox
  for each statement execute function audit_refuse_change();

-- Whoever empties the inbox must have logged what was in it. The lateral subquery with its limit is one look into the index for each
-- row, whatever the planner believes about the size of the log.
create function audit_refuse_loss() returns trigger language plpgsql set enable_seqscan = off as $function$
begin
  if (select count(*) from gone) <> (select count(*) from gone cross join lateral
      (select from audit_leaves as l where l.event_id = (gone.event::jsonb->>0)::uuid limit 1) as logged) then
    raise exception 'audit log: an event in the inbox is removed by logging it, not otherwise' using errcode = '42501';
  end if;
  return null;
end
$function$;
create trigger audit_inbox_no_loss after delete on audit_inbox referencing old table as gone
  for each statement execute function audit_refuse_loss();

drop function audit_append(jsonb);
alter function audit_pseudonym(uuid) set enable_seqscan = off;

revoke update, truncate on audit_inbox from strongroom_app, strongroom_system;
revoke select, delete on audit_inbox from strongroom_app;
revoke insert on audit_events, audit_openings from strongroom_app;
`;

export const inboxMigration: Migration = { name: '0004-inbox', sql: inbox };
