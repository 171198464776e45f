/** `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11 (structured fields, RFC 9651). */
import type { LimitDecision, LimitPolicy } from '../ports.ts';

export interface TakenLimit {
  readonly policy: LimitPolicy;
  readonly decision: LimitDecision;
}

/**
 * The unchanging part of one list member. A bucket of `burst` that fills in `w` seconds is a quota of `burst` per
 * `w`.
 */
export function policyItem(policy: LimitPolicy): string {
  return `"${policy.name}";q=${policy.burst};w=${Math.ceil(policy.burst * secondsPerRequest(policy))}`;
}

/**
 * `t` is the time over which a client should spread what is left: doing so keeps it at the long-run rate (§6 asks
 * servers to cap that ratio). With nothing left it is the time until the next request.
 */
export function stateItem({ policy, decision }: TakenLimit): string {
  const window = decision.allowed
    ? Math.max(1, Math.ceil(Math.max(1, decision.remaining) * secondsPerRequest(policy)))
    : decision.retryAfter;
  return `"${policy.name}";r=${decision.remaining};t=${window}`;
}

/**
 * Counts by `input` are left out of answers: their quota is shared with everybody who names the same account, and
 * what is left of it would tell how busy that account is (§8.2). A refusal by one is named, since it must be
 * explained.
 */
export const isVisible = ({ policy, decision }: TakenLimit): boolean => policy.by !== 'input' || !decision.allowed;

const secondsPerRequest = (policy: LimitPolicy): number => policy.periodSeconds / policy.rate;
