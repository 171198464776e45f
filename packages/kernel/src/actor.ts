import type { Uuid } from './ids.ts';

/** A signed-in account, in the tenant its session is for. */
export interface AccountActor {
  readonly kind: 'account';
  readonly account: Uuid;
  readonly session: Uuid;
  readonly tenant: Uuid;
}

/** Who acts. A request has exactly one actor from the session stage on. */
export type Actor =
  | { readonly kind: 'anonymous' }
  | AccountActor
  | { readonly kind: 'operator'; readonly via: 'administrator-socket' | 'command-line' }
  | { readonly kind: 'system'; readonly job: string };

export const anonymous: Actor = { kind: 'anonymous' };

/** What is known of a request before any handler runs; part of every audit event. */
export interface RequestContext {
  readonly requestId: Uuid;
  readonly actor: Actor;
  /** Network prefix (/24 of IPv4, /48 of IPv6), never the full address; `null` for local commands. */
  readonly addressPrefix: string | null;
  /** Milliseconds since the epoch, when the request arrived. */
  readonly receivedAt: number;
}
