/** The declared routes as plain rows, for reports and for people. */
import type { DeclaredRoute } from './check-routes.ts';
import { DEFAULT_BODY_LIMIT } from './route.ts';

export interface RouteRow {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly access: 'public' | 'self' | 'tenant' | 'space' | 'operator';
  readonly permission: string | null;
  /** Why a public route is public. */
  readonly publicReason: string | null;
  readonly assurance: string;
  /** `sign-in: 5 at once, then 10 in 900 s per input (durable)` */
  readonly limits: readonly string[];
  readonly auditEvent: string | null;
  /** Why a route is not audited. */
  readonly notAuditedReason: string | null;
  /** In bytes; `null` when the route takes no body. */
  readonly bodyLimit: number | null;
  readonly stateless: boolean;
}

/** Sorted by path, then method. */
export function routeInventory(routes: readonly DeclaredRoute[]): RouteRow[] {
  return routes
    .map(({ method, path, summary, access, assurance, limit, audit, input, bodyLimit, stateless }) => ({
      method,
      path,
      summary,
      access: access.kind,
      permission: 'permission' in access ? access.permission : null,
      publicReason: access.kind === 'public' ? access.reason : null,
      assurance,
      limits: limit.map(
        ({ name, burst, rate, periodSeconds, by, store }) =>
          `${name}: ${burst} at once, then ${rate} in ${periodSeconds} s per ${by} (${store})`,
      ),
      auditEvent: audit.kind === 'event' ? audit.event : null,
      notAuditedReason: audit.kind === 'none' ? audit.reason : null,
      bodyLimit: input.body === undefined ? null : (bodyLimit ?? DEFAULT_BODY_LIMIT),
      stateless: stateless ?? false,
    }))
    .toSorted((left, right) => compare(left.path, right.path) || compare(left.method, right.method));
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
