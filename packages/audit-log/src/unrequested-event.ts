/** What operators and jobs do: it belongs to no request, and so to no session, tenant or network. */
import { type Actor, newUuid } from '@strongroom/kernel';
import type { AuditEvent } from '@strongroom/pipeline';

/** What is to be said of it; a success about nobody in particular unless told. */
export type Unrequested = Pick<AuditEvent, 'type'> & Partial<Omit<AuditEvent, 'type' | 'context' | 'tenant'>>;

/** `now`: milliseconds since the epoch. */
export const unrequestedEvent = (actor: Actor, now: number, event: Unrequested): AuditEvent => ({
  outcome: 'success',
  context: { requestId: newUuid(now), actor, addressPrefix: null, receivedAt: now },
  tenant: null,
  object: null,
  subjects: [],
  details: {},
  ...event,
});
