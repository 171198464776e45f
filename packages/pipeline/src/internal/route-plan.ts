/** What a request needs to know of its route, worked out once at start. */
import type { LimitPolicy } from '../ports.ts';
import { DEFAULT_BODY_LIMIT, type Route } from '../route.ts';

export interface RoutePlan<Services> {
  readonly route: Route<Services>;
  readonly byAddress: readonly LimitPolicy[];
  readonly byAccount: readonly LimitPolicy[];
  readonly byInput: readonly Extract<LimitPolicy, { by: 'input' }>[];
  readonly bodyLimit: number;
  /** The audit event, when the route emits one. */
  readonly event: string | null;
}

export function planRoute<Services>(route: Route<Services>): RoutePlan<Services> {
  return {
    route,
    byAddress: route.limit.filter((policy) => policy.by === 'address'),
    byAccount: route.limit.filter((policy) => policy.by === 'account'),
    byInput: route.limit.filter((policy) => policy.by === 'input'),
    bodyLimit: route.bodyLimit ?? DEFAULT_BODY_LIMIT,
    event: route.audit.kind === 'event' ? route.audit.event : null,
  };
}
