/** Events that the log writes about itself. */
import { type Actor, newUuid } from '@strongroom/kernel';
import type { EventColumns } from '../entry.ts';

/** `now`: milliseconds. `details`: canonical. */
export const ownEvent = (
  now: number,
  type: string,
  { kind, via }: { readonly kind: Actor['kind']; readonly via: string },
  details: string,
): EventColumns => ({
  eventId: newUuid(now),
  occurredAt: now * 1000,
  type,
  outcome: 'success',
  reason: null,
  actorKind: kind,
  actor: null,
  actorVia: via,
  sessionId: null,
  tenantId: null,
  requestId: newUuid(now),
  addressCommitment: null,
  objectType: null,
  objectId: null,
  subjects: [],
  details,
});
