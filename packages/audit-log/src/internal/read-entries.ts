import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { LogEntry } from '../log-source.ts';
import { ADDRESS_PREFIX } from './append-event.ts';
import type { OpeningKeys } from './opening-keys.ts';
import { eventJson, joinEach, openEntries, openingJson } from './read-events.ts';

/** Evaluated for the few entries without an event alone. */
const isRemoved = sql`case when e.event_id is null then coalesce((select r.to_index > l.index from audit_removals as r
  where r.from_index <= l.index order by r.from_index desc limit 1), false) else false end`;

/** Entries of all tenants, for the system role: what is not there is missing, unless a retention run removed it. */
export async function readEntries(
  transaction: Transaction,
  openings: OpeningKeys,
  from: number,
  to: number,
): Promise<LogEntry[]> {
  return openEntries(transaction, openings, await readStoredEntries(transaction, from, to), 'missing');
}

/** The same as `storedEntries` reads it. */
export async function readStoredEntries(transaction: Transaction, from: number, to: number): Promise<string> {
  const { rows } = await sql<{ entries: string }>`
    select coalesce(json_agg(json_build_array(l.index, encode(l.hash, 'hex'),
      case when e.event_id is not null then ${eventJson} end, ${openingJson}, ${isRemoved}) order by l.index), '[]')::text as entries
    from audit_leaves as l
    ${joinEach(sql`audit_events as e where e.event_id = l.event_id`, 'e')}
    ${joinEach(sql`audit_openings as o where o.event_id = l.event_id and o.field = ${ADDRESS_PREFIX}`, 'o')}
    where l.index >= ${from} and l.index < ${to}`.execute(transaction);
  return rows[0]!.entries;
}
