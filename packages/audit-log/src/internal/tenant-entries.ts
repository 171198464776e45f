import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { LogEntry } from '../log-source.ts';
import { ADDRESS_PREFIX } from './append-event.ts';
import { eventJson, openingJson, parseEntries } from './read-events.ts';

/**
 * What one tenant may see of the log. Row-level security hides events of other tenants; the condition says the same once more, for
 * PGlite, where it is no wall. An own event that is gone looks like a foreign one here: only the operator's verification sees the difference.
 */
export async function readTenantEntries(
  transaction: Transaction,
  tenant: string,
  from: number,
  to: number,
): Promise<LogEntry[]> {
  const { rows } = await sql<{ entries: string }>`
    select coalesce(json_agg(json_build_array(l.index, encode(l.hash, 'hex'),
      case when e.event_id is not null then ${eventJson} end, ${openingJson}) order by l.index), '[]')::text as entries
    from audit_leaves as l
    left join audit_events as e on e.event_id = l.event_id and e.tenant_id = ${tenant}::uuid
    left join audit_openings as o on o.event_id = e.event_id and o.tenant_id = ${tenant}::uuid and o.field = ${ADDRESS_PREFIX}
    where l.index >= ${from} and l.index < ${to}`.execute(transaction);
  return parseEntries(rows[0]!.entries, 'withheld');
}
