/** The event of a request as it will stand in the log: for the answer to somebody who wants to hold it in their hands. */
import type { Bytes, Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { encodeEntry, eventLeaf } from './entry.ts';
import { AuditLogError } from './errors.ts';
import { asSystemRole } from './internal/as-system-role.ts';
import { eventColumns, type EventJson } from './internal/read-events.ts';
import { formatMicroseconds } from './wire.ts';

export interface Receipt {
  readonly eventId: string;
  /** RFC 3339 UTC. */
  readonly occurredAt: string;
  /** The entry's bytes, docs/format/audit.md. */
  readonly entry: Bytes;
  /** What the tree will hold: a later inclusion proof for this hash proves the entry. */
  readonly leafHash: Bytes;
}

/**
 * In the process and the transaction that wrote the event, after it was written; the tenant of the transaction must be the event's. Throws
 * `audit-log.invalid-entry` when the request wrote none.
 */
export async function readReceipt(transaction: Transaction, requestId: Uuid): Promise<Receipt> {
  // Ids of one process grow, so the primary key leads to the few events that are younger than the request.
  const rows = await asSystemRole(transaction, async () => {
    const waiting = await sql<{ event: string }>`
      select event from audit_inbox
      where strpos(event, ${requestId}::text) > 0 and event::jsonb->>10 = ${requestId}::text
      order by event::jsonb->>0 desc limit 1`.execute(transaction);
    return waiting.rows;
  });
  const [row] = rows;
  if (row === undefined) throw new AuditLogError('audit-log.invalid-entry', { detail: 'The request wrote no event.' });
  const event = eventColumns(JSON.parse(row.event) as EventJson);
  return {
    eventId: event.eventId,
    occurredAt: formatMicroseconds(event.occurredAt),
    entry: encodeEntry(event),
    leafHash: eventLeaf(event),
  };
}
