/** What the operator's routes of the vault have in common. */
import { type LimitPolicy, notAudited, operatorOnly } from '@strongroom/pipeline';

/** `room`: names the limit. Each route makes transactions of its own; some wait for others or replace the root in a slot, which must not happen inside one. */
export const byOperator = (room: string) => ({
  access: operatorOnly,
  assurance: 'session' as const,
  limit: [operatorLimit(room)] as const,
  stateless: true as const,
});

/** The operator is one person at one machine, whose command asks for the progress now and then. */
export const operatorLimit = (room: string): LimitPolicy => ({
  name: `operator.${room}`,
  by: 'account',
  burst: 100,
  rate: 20,
  periodSeconds: 1,
  store: 'process',
});

export const readsOnly = notAudited('It shows counts and versions, nothing of anybody.');
export const ownEvent = notAudited('The operation writes its events itself, when it begins and when it ends.');
