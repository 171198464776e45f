/** Events as they are stored, read so that nothing of a column is lost on the way. */
import { type Bytes, toHex } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { type RawBuilder, sql } from 'kysely';
import type { EventColumns } from '../entry.ts';
import type { LogEntry } from '../log-source.ts';
import { type OpenedSeeds, UNREADABLE } from './opening.ts';
import { type OpeningKeys, openWith, peopleBehind, type ReadingKeys } from './opening-keys.ts';

/** PostgreSQL's own hexadecimal, so nothing needs to be checked; several times faster than the portable decoder. */
const bytesOf = (hex: string): Bytes => new Uint8Array(Buffer.from(hex, 'hex'));

/**
 * One JSON array for each event of table alias `e`. Drivers would round times to milliseconds and may strip a byte order mark from a
 * text; inside JSON every character and every microsecond arrives, at half the cost of one field per column.
 */
export const eventJson: RawBuilder<unknown> = sql`json_build_array(
  e.event_id,
  case when isfinite(e.occurred_at) then (extract(epoch from e.occurred_at) * 1000000)::bigint end,
  e.type, e.outcome, e.reason, e.actor_kind, e.actor, e.actor_via, e.session_id, e.tenant_id, e.request_id,
  encode(e.address_commitment, 'hex'), e.object_type, e.object_id,
  case when coalesce(array_lower(e.subjects, 1), 1) = 1 then e.subjects end, e.details)`;

export type EventJson = readonly [
  eventId: string,
  occurredAt: number | null,
  type: string | null,
  outcome: string | null,
  reason: string | null,
  actorKind: string | null,
  actor: string | null,
  actorVia: string | null,
  sessionId: string | null,
  tenantId: string | null,
  requestId: string,
  addressCommitment: string | null,
  objectType: string | null,
  objectId: string | null,
  subjects: readonly string[] | null,
  details: string | null,
];

export const eventColumns = (json: EventJson): EventColumns =>
  columnsWith(json, json[COMMITMENT] === null ? null : bytesOf(json[COMMITMENT]));

function columnsWith(json: EventJson, addressCommitment: Bytes | null): EventColumns {
  return {
    eventId: json[0],
    // NaN is refused when the entry is encoded: a time that is not finite was never logged.
    occurredAt: json[1] ?? Number.NaN,
    // Without its constraint a column may hold NULL, which no entry of these has: the hash tells.
    type: json[2] ?? '',
    outcome: json[3] ?? '',
    reason: json[4],
    actorKind: json[5] ?? '',
    actor: json[6],
    actorVia: json[7],
    sessionId: json[8],
    tenantId: json[9],
    requestId: json[10],
    addressCommitment,
    objectType: json[12],
    objectId: json[13],
    subjects: subjectsOf(json[14]),
    details: json[15] ?? '',
  };
}

/** An array of anything else, or that counts from anywhere but one, was never logged: nothing that is a UUID, so that it is refused when the entry is encoded. */
const subjectsOf = (stored: readonly unknown[] | null): readonly string[] =>
  stored?.every((subject) => typeof subject === 'string') === true ? stored : [''];

/** What `audit_inbox` holds of an event: the same array. */
export const waitingJson = (event: EventColumns): string =>
  JSON.stringify([
    event.eventId,
    event.occurredAt,
    event.type,
    event.outcome,
    event.reason,
    event.actorKind,
    event.actor,
    event.actorVia,
    event.sessionId,
    event.tenantId,
    event.requestId,
    event.addressCommitment === null ? null : toHex(event.addressCommitment),
    event.objectType,
    event.objectId,
    event.subjects,
    event.details,
  ] satisfies EventJson);

/**
 * A left join of the rows of `from` as `alias`, looked up one by one. A page is a few thousand rows of tables with millions, and the planner would
 * rather read such a table as a whole, for every page: a subquery with an OFFSET is left as it is.
 */
export const joinEach = (from: RawBuilder<unknown>, alias: 'e' | 'o'): RawBuilder<unknown> =>
  sql`left join lateral (select * from ${from} offset 0) as ${sql.raw(alias)} on true`;

/** The opening of the address prefix in table alias `o`, as a value of a JSON array. */
export const openingJson: RawBuilder<unknown> = sql`encode(o.opening, 'hex')`;

type EntryJson = readonly [
  index: number,
  leafHash: string,
  event: EventJson | null,
  opening: string | null,
  isRemoved?: boolean,
];

/** An entry, and its opening as it is stored. */
export interface StoredEntry {
  readonly entry: LogEntry;
  readonly opening: Uint8Array | null;
}

/** `read`: resolves with an array of `index, leaf hash, event, opening, is removed`. `absent`: what an entry without an event means that was not removed. */
export async function openEntries(
  transaction: Transaction,
  keys: OpeningKeys,
  read: () => Promise<string>,
  absent: 'missing' | 'withheld',
): Promise<LogEntry[]> {
  const found = await readWithKeys(transaction, keys, async () => storedEntries(await read(), absent), peopleIn);
  return found.stored.map(withOpenings(found.keys));
}

/**
 * What is stored, and then the keys it needs. Whoever is forgotten between the two statements has openings in what was read and no key any more, which
 * would look like damage: then it is read again, until nobody was forgotten meanwhile. Of what is damaged the second look shows the same.
 */
export async function readWithKeys<Stored>(
  transaction: Transaction,
  keys: OpeningKeys,
  read: () => Promise<Stored>,
  peopleOf: (stored: Stored) => readonly string[],
): Promise<{ readonly stored: Stored; readonly keys: ReadingKeys }> {
  let without: string | undefined;
  for (;;) {
    const stored = await read();
    const people = peopleOf(stored);
    const found = await keys.forReading(transaction, people);
    const missing = people.filter((person) => !found.has(person)).join();
    if (missing === '' || missing === without) return { stored, keys: found };
    without = missing;
  }
}

/** The same of entries whose openings are not asked for. */
export const parseEntries = (json: string, absent: 'missing' | 'withheld'): LogEntry[] =>
  storedEntries(json, absent).map(({ entry }) => entry);

/** Whose keys their openings need. */
const peopleIn = (stored: readonly StoredEntry[]): readonly string[] =>
  peopleBehind(
    stored.flatMap(({ entry: { event }, opening }) =>
      opening === null || typeof event === 'string' ? [] : [{ event, opening }],
    ),
  );

export function withOpenings(keys: ReadingKeys, seeds?: OpenedSeeds): (stored: StoredEntry) => LogEntry {
  const open = openWith(keys, seeds);
  return ({ entry, opening }) => {
    if (opening === null) return entry;
    // Without its event an opening is a finding by itself.
    const value = typeof entry.event === 'string' ? UNREADABLE : open(entry.event, opening);
    return value === 'erased' ? { ...entry, isErased: true } : { ...entry, addressPrefix: value };
  };
}

/** `json`: as `read` of `openEntries` resolves with. */
function storedEntries(json: string, absent: 'missing' | 'withheld'): StoredEntry[] {
  const rows = JSON.parse(json) as EntryJson[];
  const hashes = decodeTogether(rows.map(([, leafHash]) => leafHash));
  const commitments = decodeTogether(rows.map(([, , event]) => event?.[COMMITMENT] ?? ''));
  const openings = decodeTogether(rows.map(([, , , opening]) => opening ?? ''));
  return rows.map(([index, , event, opening, isRemoved], position) => ({
    entry: {
      index,
      leafHash: hashes[position]!,
      event:
        event === null
          ? isRemoved === true
            ? ('removed' as const)
            : absent
          : columnsWith(event, event[COMMITMENT] === null ? null : commitments[position]!),
      addressPrefix: null,
    },
    opening: opening === null ? null : openings[position]!,
  }));
}

/** Place of `addressCommitment` in the array. */
const COMMITMENT = 11;

/** One decoding and one allocation for many values: for each of them they cost more than everything else. */
function decodeTogether(values: readonly string[]): Bytes[] {
  const all = bytesOf(values.join(''));
  let start = 0;
  return values.map(({ length }) => {
    const value = all.subarray(start, start + length / 2);
    start += length / 2;
    return value;
  });
}
