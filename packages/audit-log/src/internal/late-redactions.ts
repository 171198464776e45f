/**
 * Events that were being written while their person was forgotten, here or in another process that still remembered the pseudonym. Their
 * openings are dropped, and a redaction after them says so.
 */
import { newUuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { type EventColumns, holdersOf, REDACTION } from '../entry.ts';
import type { WaitingEvent } from './inbox.ts';
import { waitingJson } from './read-events.ts';

const key = (tenant: string | null, person: string): string => `${tenant ?? ''}|${person}`;

/** Puts into the inbox what is missing, and returns it in addition to `waiting`. */
export async function addLateRedactions(
  transaction: Transaction,
  waiting: readonly WaitingEvent[],
  forgotten: ReadonlySet<string>,
  now: number,
): Promise<readonly WaitingEvent[]> {
  if (forgotten.size === 0) return waiting;
  const redacted = new Set(
    waiting.flatMap(({ event: { type, tenantId, subjects } }) =>
      type === REDACTION ? subjects.map((person) => key(tenantId, person)) : [],
    ),
  );
  const late = new Map<string, EventColumns>();
  for (const { event, hasOpening } of waiting) {
    if (!hasOpening) continue;
    for (const person of holdersOf(event)) {
      if (!forgotten.has(person) || redacted.has(key(event.tenantId, person))) continue;
      late.set(key(event.tenantId, person), redaction(event.tenantId, person, now));
    }
  }
  const added: WaitingEvent[] = [];
  for (const event of late.values()) {
    const { rows } = await sql<{ row: string; transaction: string }>`
      insert into audit_inbox (event, subject) values (${waitingJson(event)}, ${event.subjects[0]}::uuid) returning ctid::text as row,
        transaction::text`.execute(transaction);
    added.push({ ...rows[0]!, hasOpening: false, event });
  }
  return [...waiting, ...added];
}

const redaction = (tenantId: string | null, person: string, now: number): EventColumns => ({
  eventId: newUuid(now),
  occurredAt: now * 1000,
  type: REDACTION,
  outcome: 'success',
  reason: null,
  actorKind: 'system',
  actor: null,
  actorVia: 'audit-log.sequence',
  sessionId: null,
  tenantId,
  requestId: newUuid(now),
  addressCommitment: null,
  objectType: null,
  objectId: null,
  subjects: [person],
  details: '{"openings":0}',
});
