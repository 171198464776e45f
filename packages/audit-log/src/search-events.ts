/** Finding events: by who, what, whom, when, how it ended, in which request, and by words of their open fields. */
import type { AuditEventClass, Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { type RawBuilder, sql } from 'kysely';
import type { EventCatalogue } from './catalogue.ts';
import { ADDRESS_PREFIX } from './internal/append-event.ts';
import type { OpeningKeys } from './internal/opening-keys.ts';
import { eventJson, openEntries, openingJson } from './internal/read-events.ts';
import type { LogEntry } from './log-source.ts';

type EventOutcome = 'success' | 'denied' | 'failure';

/** All conditions hold for what is found. People are named by pseudonym or by account. */
export interface EventFilter {
  readonly actor?: string | undefined;
  /** Whom the event is about. */
  readonly subject?: string | undefined;
  readonly object?: string | undefined;
  readonly type?: string | undefined;
  /** Any of them will do, as of the outcomes. */
  readonly class?: readonly AuditEventClass[] | undefined;
  readonly outcome?: readonly EventOutcome[] | undefined;
  /** RFC 3339: not before. */
  readonly from?: string | undefined;
  /** RFC 3339: before. */
  readonly to?: string | undefined;
  readonly request?: string | undefined;
  /** Every word must be in type, object type, reason or open fields. */
  readonly text?: string | undefined;
}

export interface EventSearch {
  readonly filter: EventFilter;
  /** Only events of this tenant; null for those of all and of none. */
  readonly tenant: Uuid | null;
  readonly order: 'newest' | 'oldest';
  /** The id of the last event of the page before. */
  readonly after: string | null;
  readonly limit: number;
}

/** Who is behind a pseudonym. Those who were forgotten are in no list. */
export interface Person {
  readonly account: Uuid;
  readonly pseudonym: string;
}

export interface FoundEvents {
  readonly entries: readonly LogEntry[];
  /** What `after` is for the next page; null at the end. */
  readonly next: string | null;
  /** Those whom the filter names, as far as they are known. */
  readonly sought: readonly Person[];
  /** Who is behind the pseudonyms of the entries. */
  readonly people: readonly Person[];
}

/** In the order in which the events were made. They are found once they have their place in the log, about a second after their commit. */
export async function searchEvents(
  transaction: Transaction,
  { events, openings }: { readonly events: EventCatalogue; readonly openings: OpeningKeys },
  { filter, tenant, order, after, limit }: EventSearch,
): Promise<FoundEvents> {
  const sought = await peopleNamed(transaction, filter);
  const found = foundEvents(events, filter, { tenant, order, after }, sought);
  // One more than the page holds tells whether there is another.
  const read = async () => {
    const { rows } = await sql<{ entries: string }>`
    with found as materialized (${found} limit ${limit + 1}::int)
    select coalesce(json_agg(json_build_array(l.index, encode(l.hash, 'hex'), ${eventJson}, ${openingJson})
      order by e.event_id ${order === 'newest' ? sql`desc` : sql`asc`}), '[]')::text as entries
    from found join audit_events as e using (event_id) join audit_leaves as l using (event_id)
    left join audit_openings as o on o.event_id = e.event_id and o.field = ${ADDRESS_PREFIX}`.execute(transaction);
    return rows[0]!.entries;
  };
  const entries = await openEntries(transaction, openings, read, 'missing');
  const page = entries.slice(0, limit);
  const people = await readPeople(transaction, pseudonymsIn(page));
  return { entries: page, next: entries.length > limit ? eventIdOf(page.at(-1)) : null, sought, people };
}

const eventIdOf = (entry: LogEntry | undefined): string | null =>
  entry === undefined || typeof entry.event === 'string' ? null : entry.event.eventId;

/** The ids of what is found, without a limit: the statement whose plan decides how long a search takes. */
export function foundEvents(
  events: EventCatalogue,
  filter: EventFilter,
  { tenant, order, after }: Pick<EventSearch, 'tenant' | 'order' | 'after'>,
  sought: readonly Person[],
): RawBuilder<unknown> {
  const pseudonym = (named: string) => sought.find(({ account }) => account === named)?.pseudonym ?? named;
  const { actor, subject, object, type, outcome, from, to, request, text } = filter;
  const conditions: RawBuilder<unknown>[] = [];
  if (tenant !== null) conditions.push(sql`e.tenant_id = ${tenant}::uuid`);
  if (actor !== undefined) conditions.push(sql`e.actor = ${pseudonym(actor)}::uuid`);
  if (subject !== undefined) conditions.push(sql`e.subjects @> array[${pseudonym(subject)}::uuid]`);
  if (object !== undefined) conditions.push(sql`e.object_id = any(${[object, pseudonym(object)]}::text[])`);
  if (type !== undefined) conditions.push(sql`e.type = ${type}`);
  if (filter.class !== undefined) {
    conditions.push(sql`e.type = any(${typesOf(events, filter.class)}::text[])`);
  }
  if (outcome !== undefined) {
    conditions.push(sql`e.outcome = any(${outcome}::text[])`);
    // Said once more, so that the index over what did not succeed can be used whatever the parameter is.
    if (!outcome.includes('success')) conditions.push(sql`e.outcome <> 'success'`);
  }
  if (from !== undefined) conditions.push(sql`e.occurred_at >= ${from}::timestamptz`);
  if (to !== undefined) conditions.push(sql`e.occurred_at < ${to}::timestamptz`);
  if (request !== undefined) conditions.push(sql`e.request_id = ${request}::uuid`);
  if (text !== undefined)
    conditions.push(sql`audit_words(e.type, e.object_type, e.reason, e.details) @@ audit_words_query(${text})`);
  if (after !== null)
    conditions.push(order === 'newest' ? sql`e.event_id < ${after}::uuid` : sql`e.event_id > ${after}::uuid`);
  const where = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
  return sql`select e.event_id from audit_events as e ${where} order by e.event_id ${order === 'newest' ? sql`desc` : sql`asc`}`;
}

const typesOf = (events: EventCatalogue, wanted: readonly AuditEventClass[]): string[] =>
  [...events].flatMap(([type, declaration]) => (wanted.includes(declaration.class) ? [type] : []));

/** The persons whom actor, subject and object may mean: given as account or as pseudonym. */
async function peopleNamed(transaction: Transaction, { actor, subject, object }: EventFilter): Promise<Person[]> {
  const named = [actor, subject, object].filter((name) => name !== undefined && UUID.test(name));
  return named.length === 0 ? [] : readPeople(transaction, named as string[]);
}

/** `named`: accounts or pseudonyms. */
export async function readPeople(transaction: Transaction, named: readonly string[]): Promise<Person[]> {
  const { rows } = await sql<Person>`
    select account_id as account, pseudonym from audit_pseudonyms
    where account_id = any(${named}::uuid[]) or pseudonym = any(${named}::uuid[])`.execute(transaction);
  return rows;
}

/** Any version: pseudonyms are random. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Version 4, like every pseudonym; an object may be a person too. */
const PSEUDONYM = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function pseudonymsIn(entries: readonly LogEntry[]): string[] {
  const all = entries.flatMap(({ event }) =>
    typeof event === 'string' ? [] : [event.actor, event.objectId, ...event.subjects],
  );
  return [...new Set(all.filter((id) => id !== null))].filter((id) => PSEUDONYM.test(id));
}
