import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { LogEntry } from '../log-source.ts';
import { ADDRESS_PREFIX } from './append-event.ts';
import type { OpeningKeys } from './opening-keys.ts';
import { eventJson, joinEach, openEntries, openingJson } from './read-events.ts';

/**
 * What one tenant may see of the log. Row-level security hides events of other tenants; the condition says the same once more, for
 * PGlite, where it is no wall. An own event that is gone looks like a foreign one here: only the operator's verification sees the difference.
 */
export function readTenantEntries(
  transaction: Transaction,
  openings: OpeningKeys,
  tenant: string,
  from: number,
  to: number,
): Promise<LogEntry[]> {
  const read = async () => {
    const { rows } = await sql<{ entries: string }>`
    select coalesce(json_agg(json_build_array(l.index, encode(l.hash, 'hex'),
      case when e.event_id is not null then ${eventJson} end, ${openingJson}) order by l.index), '[]')::text as entries
    from audit_leaves as l
    ${joinEach(sql`audit_events as e where e.event_id = l.event_id and e.tenant_id = ${tenant}::uuid`, 'e')}
    ${joinEach(sql`audit_openings as o where o.event_id = e.event_id and o.tenant_id = ${tenant}::uuid and o.field = ${ADDRESS_PREFIX}`, 'o')}
    where l.index >= ${from} and l.index < ${to}`.execute(transaction);
    return rows[0]!.entries;
  };
  return openEntries(transaction, openings, read, 'withheld');
}
