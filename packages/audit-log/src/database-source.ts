/** The log as it lies in the database, for verification by the operator: every event of every tenant. */
import type { Clock } from '@strongroom/kernel';
import { asSystem, type Database } from '@strongroom/storage';
import { sql } from 'kysely';
import { ADDRESS_PREFIX } from './internal/append-event.ts';
import { eventJson, openingJson, parseEntries } from './internal/read-events.ts';
import { readCheckpoints, readNewestCheckpoint, readTiles } from './internal/tree-store.ts';
import type { Finding, LogEntry, LogSource } from './log-source.ts';

/** Milliseconds an event may wait for its place while the sequencer runs every second. */
export const SEQUENCING_GRACE = 60_000;

/** Strays of one kind that are named one by one. */
const STRAYS_NAMED = 100;

/**
 * Each call is a short transaction of its own, so that a long verification holds nobody up. Run the sequencer before verifying a log whose
 * server was stopped: events that wait longer than `SEQUENCING_GRACE` are findings.
 */
export function databaseLogSource(database: Database, clock: Clock): LogSource {
  return {
    newestCheckpoint: () => database.transaction(asSystem, readNewestCheckpoint),
    checkpoints: (after, upTo) =>
      database.transaction(asSystem, (transaction) => readCheckpoints(transaction, after, upTo)),
    entries: (from, to) => readEntries(database, from, to),
    tiles: (places) => database.transaction(asSystem, (transaction) => readTiles(transaction, places)),
    strays: () => readStrays(database, clock.now() - SEQUENCING_GRACE),
  };
}

async function readEntries(database: Database, from: number, to: number): Promise<LogEntry[]> {
  const { rows } = await database.transaction(asSystem, (transaction) =>
    sql<{ entries: string }>`
      select coalesce(json_agg(json_build_array(l.index, encode(l.hash, 'hex'),
        case when e.event_id is not null then ${eventJson} end, ${openingJson}) order by l.index), '[]')::text as entries
      from audit_leaves as l
      left join audit_events as e using (event_id)
      left join audit_openings as o on o.event_id = l.event_id and o.field = ${ADDRESS_PREFIX}
      where l.index >= ${from} and l.index < ${to}`.execute(transaction),
  );
  return parseEntries(rows[0]!.entries, 'missing');
}

/** One statement, so that all of it is seen at one moment although the sequencer goes on. */
async function readStrays(database: Database, overdue: number): Promise<Finding[]> {
  const { rows } = await database.transaction(asSystem, (transaction) =>
    sql<{ place: string; what: string }>`
      with tree as materialized (select coalesce(max(size), 0) as size from audit_checkpoints)
      (select 'event ' || e.event_id as place, 'it is stored but was never logged' as what
        from audit_events as e
        where not exists (select from audit_leaves as l where l.event_id = e.event_id)
          and not exists (select from audit_queue as q where q.event_id = e.event_id) limit ${STRAYS_NAMED}::int)
      union all
      (select 'event ' || q.event_id, 'it was removed before it was logged' from audit_queue as q
        where not exists (select from audit_events as e where e.event_id = q.event_id) limit ${STRAYS_NAMED}::int)
      union all
      (select 'event ' || q.event_id, 'it waits for its place in the log for too long; does the sequencer run?'
        from audit_queue as q join audit_events as e using (event_id)
        where e.occurred_at < ${new Date(overdue)} limit ${STRAYS_NAMED}::int)
      union all
      (select 'event ' || q.event_id, 'it is queued a second time' from audit_queue as q
        join audit_leaves as l using (event_id) limit ${STRAYS_NAMED}::int)
      union all
      (select 'leaf ' || l.index, 'no checkpoint covers it' from audit_leaves as l, tree
        where l.index >= tree.size limit ${STRAYS_NAMED}::int)
      union all
      (select 'tile ' || t.level || '/' || t.index, 'no checkpoint covers it' from audit_tiles as t, tree
        where (t.index + 1) * power(256::numeric, t.level + 1) > tree.size limit ${STRAYS_NAMED}::int)
      union all
      (select 'event ' || o.event_id || ', column ' || o.field, 'a value is stored that belongs to no event' from audit_openings as o
        left join audit_events as e using (event_id)
        where e.event_id is null or o.field <> ${ADDRESS_PREFIX}
          or o.tenant_id is distinct from e.tenant_id or o.subject is distinct from e.actor limit ${STRAYS_NAMED}::int)`.execute(
      transaction,
    ),
  );
  return rows.map(({ place, what }) => ({ where: place, what }));
}
