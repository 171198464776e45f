import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { LogEntry } from '../log-source.ts';
import { ADDRESS_PREFIX } from './append-event.ts';
import { eventJson, openingJson, parseEntries } from './read-events.ts';

/** Entries of all tenants, for the system role: what is not there is missing. */
export async function readEntries(transaction: Transaction, from: number, to: number): Promise<LogEntry[]> {
  const { rows } = await sql<{ entries: string }>`
    select coalesce(json_agg(json_build_array(l.index, encode(l.hash, 'hex'),
      case when e.event_id is not null then ${eventJson} end, ${openingJson}) order by l.index), '[]')::text as entries
    from audit_leaves as l
    left join audit_events as e using (event_id)
    left join audit_openings as o on o.event_id = l.event_id and o.field = ${ADDRESS_PREFIX}
    where l.index >= ${from} and l.index < ${to}`.execute(transaction);
  return parseEntries(rows[0]!.entries, 'missing');
}
