import type { Migration } from '@strongroom/kernel';

/** What searches need. Only the sequencer writes into `audit_events`, in batches, so no index here costs a transaction that records something. */
const search = `
create index audit_events_tenant on audit_events (tenant_id, event_id);
create index audit_events_time on audit_events (occurred_at);
create index audit_events_type on audit_events (type, event_id);
create index audit_events_failures on audit_events (outcome, event_id) where outcome <> 'success';
create index audit_events_actor on audit_events (actor, event_id) where actor is not null;
create index audit_events_object on audit_events (object_id, event_id) where object_id is not null;
create index audit_events_request on audit_events (request_id);
create index audit_events_subjects on audit_events using gin (subjects);

-- Punctuation of JSON and dotted names would glue words together. 'simple' knows no language: nothing is a stop word, nothing is stemmed.
create function audit_words(type text, object_type text, reason text, details text) returns tsvector
  language sql immutable parallel safe return to_tsvector('pg_catalog.simple'::regconfig, translate(
    type || ' ' || coalesce(object_type, '') || ' ' || coalesce(reason, '') || ' ' || details, '{}":,.-_/', '         '));
create function audit_words_query(given text) returns tsquery
  language sql immutable parallel safe return plainto_tsquery('pg_catalog.simple'::regconfig, translate(given, '{}":,.-_/', '         '));
create index audit_events_words on audit_events using gin (audit_words(type, object_type, reason, details));
`;

export const searchMigration: Migration = { name: '0005-search', sql: search };
