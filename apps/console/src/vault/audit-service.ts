/** The part of the worker that reads the audit log. */
import { type LogEntry, readFoundPage } from '@strongroom/audit-log/verify';
import type { Vault } from '@strongroom/client';
import type { Service } from './answer-calls.ts';
import type { AuditCalls, AuditEntryView } from './audit-protocol.ts';

/** Entries of one page. */
const PAGE = 100;

export const createAuditService = ({ api: { http } }: Vault): Service<AuditCalls> => ({
  async auditPage(_report, { class: classes, outcome, ...conditions }, cursor) {
    const query = {
      ...conditions,
      class: classes?.join(),
      outcome: outcome?.join(),
      cursor: cursor ?? undefined,
      limit: PAGE,
    };
    const found = readFoundPage(await http.json({ method: 'GET', path: '/v1/audit/events', query, repeatable: true }));
    return { ...found, entries: found.entries.flatMap(viewOf) };
  },
});

function viewOf({ index, event, addressPrefix }: LogEntry): AuditEntryView[] {
  if (typeof event === 'string') return [];
  const { occurredAt, type, outcome, reason, actorKind, actor, sessionId, objectType, objectId, details } = event;
  return [
    {
      index,
      occurredAt: new Date(Math.floor(occurredAt / 1000)).toISOString(),
      type,
      outcome,
      reason,
      actorKind,
      actor,
      sessionId,
      objectType,
      objectId,
      addressPrefix: addressPrefix?.value ?? null,
      details,
    },
  ];
}
