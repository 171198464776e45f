/** Events between their commit and their place in the log. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { type EventColumns, holdersOf, REDACTION } from '../entry.ts';
import { ADDRESS_PREFIX } from './append-event.ts';
import { eventColumns, type EventJson } from './read-events.ts';

/** Any number that no other advisory lock of this database uses: the ASCII codes of `SRAL`. */
const ADVISORY_LOCK = 0x53_52_41_4c;

/** Held to the end of the transaction: whoever has it is the only one to take from the inbox, or to forget somebody. */
export async function lockInbox(transaction: Transaction): Promise<void> {
  await sql`select pg_advisory_xact_lock(${ADVISORY_LOCK}::bigint)`.execute(transaction);
}

export async function isWaiting(transaction: Transaction): Promise<boolean> {
  const { rows } = await sql<{ waiting: boolean }>`
    select exists (select from audit_inbox) as waiting`.execute(transaction);
  return rows[0]!.waiting;
}

export interface WaitingEvent {
  /** The row's place in the table: there is no index. Rows are never updated, so it holds while the lock is held. */
  readonly row: string;
  readonly hasOpening: boolean;
  /** Of the database, in which the event was written. */
  readonly transaction: string;
  readonly event: EventColumns;
}

type WaitingJson = readonly [row: string, hasOpening: boolean, transaction: string, event: EventJson];

const waitingEvent = ([row, hasOpening, transaction, event]: WaitingJson): WaitingEvent => ({
  row,
  hasOpening,
  transaction,
  event: eventColumns(event),
});

/**
 * At most `limit` events, as they lie in the table: a long backlog costs no more for each event than a short one. In the order of their ids,
 * redactions last; none is taken before everything that was committed with or before it.
 */
export async function readInbox(transaction: Transaction, limit: number): Promise<WaitingEvent[]> {
  const { rows } = await sql<{ events: string }>`
    with waiting as not materialized (
      select ctid, event, opening, transaction, strpos(event, ${`"${REDACTION}"`}) > 0 as is_last from audit_inbox
    ), others as materialized (
      select * from waiting where not is_last limit ${limit}::int
    ), taken as (
      select * from others
      union all
      (select * from waiting where is_last and (select count(*) from others) < ${limit}::int limit ${limit}::int)
    )
    select '[' || coalesce(string_agg('["' || ctid || '",' || (opening is not null) || ',"' || transaction || '",' || event || ']', ','), '') || ']' as events
    from taken`.execute(transaction);
  const events = (JSON.parse(rows[0]!.events) as WaitingJson[]).map(waitingEvent);
  return events.toSorted(inOrder);
}

function inOrder({ event: left }: WaitingEvent, { event: right }: WaitingEvent): number {
  const isLeftLast = left.type === REDACTION;
  if (isLeftLast !== (right.type === REDACTION)) return isLeftLast ? 1 : -1;
  return left.eventId < right.eventId ? -1 : 1;
}

/** Those of the pseudonyms that lead nowhere: their persons were forgotten. */
export async function readForgotten(
  transaction: Transaction,
  waiting: readonly WaitingEvent[],
): Promise<ReadonlySet<string>> {
  const people = new Set(waiting.flatMap(({ event, hasOpening }) => (hasOpening ? holdersOf(event) : [])));
  if (people.size === 0) return new Set();
  const { rows } = await sql<{ pseudonym: string }>`
    select pseudonym from unnest(${[...people]}::uuid[]) as given (pseudonym)
    where not exists (select from audit_pseudonyms as p where p.pseudonym = given.pseudonym)`.execute(transaction);
  return new Set(rows.map(({ pseudonym }) => pseudonym));
}

/** Rows as text, since the columns of `audit_inbox` are one JSON array. */
const columnsOf = sql.raw(`
  (e->>0)::uuid, timestamptz 'epoch' + (e->>1)::bigint * interval '1 microsecond', e->>2, e->>3, e->>4, e->>5, (e->>6)::uuid, e->>7,
  (e->>8)::uuid, (e->>9)::uuid, (e->>10)::uuid, decode(e->>11, 'hex'), e->>12, e->>13, translate(e->>14, '[]"', '{}')::uuid[], e->>15`);

/** Copies events to where they stay, their openings but for those of the forgotten. */
export async function copyEvents(
  transaction: Transaction,
  waiting: readonly WaitingEvent[],
  forgotten: ReadonlySet<string>,
): Promise<void> {
  const rows = waiting.map(({ row }) => row);
  const closed = waiting.flatMap(({ event, hasOpening }) =>
    hasOpening && holdersOf(event).some((person) => forgotten.has(person)) ? [event.eventId] : [],
  );
  await sql`
    with taken as materialized (select event::jsonb as e, subject, opening from audit_inbox where ctid = any(${rows}::tid[])),
    opened as (
      insert into audit_openings (event_id, field, tenant_id, subject, opening)
      select (e->>0)::uuid, ${ADDRESS_PREFIX}, (e->>9)::uuid, subject, opening from taken
      where opening is not null and (e->>0)::uuid <> all(${closed}::uuid[])
    )
    insert into audit_events (event_id, occurred_at, type, outcome, reason, actor_kind, actor, actor_via, session_id, tenant_id, request_id,
      address_commitment, object_type, object_id, subjects, details)
    select ${columnsOf} from taken`.execute(transaction);
}

/** Refused by the database for events that are not in the log. */
export async function removeFromInbox(transaction: Transaction, waiting: readonly WaitingEvent[]): Promise<void> {
  await sql`delete from audit_inbox where ctid = any(${waiting.map(({ row }) => row)}::tid[])`.execute(transaction);
}
