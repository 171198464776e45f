import type { Transaction } from '@strongroom/storage';
import { type RawBuilder, sql } from 'kysely';
import type { LogEntry } from '../log-source.ts';
import { ADDRESS_PREFIX } from './append-event.ts';
import { binaryEntry, EntryPage } from './binary-entries.ts';
import type { OpeningKeys, ReadingKeys } from './opening-keys.ts';
import { eventJson, joinEach, openEntries, openingJson, readWithKeys } from './read-events.ts';

/** Evaluated for the few entries without an event alone. */
const isRemoved = sql`case when e.event_id is null then coalesce((select r.to_index > l.index from audit_removals as r
  where r.from_index <= l.index order by r.from_index desc limit 1), false) else false end`;

const entriesFrom = (from: number, to: number): RawBuilder<unknown> => sql`audit_leaves as l
  ${joinEach(sql`audit_events as e where e.event_id = l.event_id`, 'e')}
  ${joinEach(sql`audit_openings as o where o.event_id = l.event_id and o.field = ${ADDRESS_PREFIX}`, 'o')}
  where l.index >= ${from} and l.index < ${to}`;

/** Entries of all tenants, for the system role: what is not there is missing, unless a retention run removed it. */
export function readEntries(
  transaction: Transaction,
  openings: OpeningKeys,
  from: number,
  to: number,
): Promise<LogEntry[]> {
  const read = async () => {
    const { rows } = await sql<{ entries: string }>`
      select coalesce(json_agg(json_build_array(l.index, coalesce(encode(l.hash, 'hex'), ''),
        case when e.event_id is not null then ${eventJson} end, ${openingJson}, ${isRemoved}) order by l.index), '[]')::text as entries
      from ${entriesFrom(from, to)}`.execute(transaction);
    return rows[0]!.entries;
  };
  return openEntries(transaction, openings, read, 'missing');
}

/** The same entries in the form in which they are checked, with the keys their openings need: for reading a whole log at once. */
export async function readPage(
  transaction: Transaction,
  openings: OpeningKeys,
  from: number,
  to: number,
): Promise<{ readonly page: EntryPage; readonly keys: ReadingKeys }> {
  const read = async () => {
    const { rows } = await sql<{ entries: string | null }>`
      select encode(string_agg(${binaryEntry(isRemoved)}, ''::bytea order by l.index), 'base64') as entries
      from ${entriesFrom(from, to)}`.execute(transaction);
    return EntryPage.of(rows[0]!.entries ?? '');
  };
  const { stored, keys } = await readWithKeys(transaction, openings, read, (page) => page.people());
  return { page: stored, keys };
}
