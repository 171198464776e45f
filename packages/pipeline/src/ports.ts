/** What the pipeline needs from rooms it does not know. The composition root plugs them in. */
import type { Actor, RequestContext, Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { PipelineRequest } from './http.ts';

/** How sure we are of the caller. Higher includes lower; more steps come with second factors. */
export type Assurance = 'none' | 'session' | 'reauthenticated';

export interface Identity {
  readonly actor: Actor;
  readonly assurance: Assurance;
  /** How the credential arrived: only cookies need protection against cross-site requests. */
  readonly credential: 'none' | 'cookie' | 'bearer';
}

export interface SessionPort {
  /** Who calls. No credential gives the anonymous identity; a bad one throws a StrongroomError with status 401. */
  identify(request: PipelineRequest): Promise<Identity>;
}

/** What the decision is about. Space and tenant come from the route's declaration, never from a request body. */
export interface AccessQuestion {
  readonly actor: Actor;
  readonly permission: string;
  readonly scope: { readonly kind: 'tenant' } | { readonly kind: 'space'; readonly space: Uuid };
}

export interface AuthorizerPort {
  /** True only when a rule allows it. Runs inside the request's transaction scope, before the handler. */
  allows(transaction: Transaction, question: AccessQuestion): Promise<boolean>;
}

interface LimitBucket {
  /** Unique over all routes that share the bucket. */
  readonly name: string;
  /** Requests that may come at once. */
  readonly burst: number;
  /** Requests per period in the long run. */
  readonly rate: number;
  readonly periodSeconds: number;
  /** `durable` counts survive a restart and are shared by replicas. */
  readonly store: 'process' | 'durable';
}

/**
 * A named limit and what it counts.
 * - `address`: the network prefix of the client, taken before anything else;
 * - `account`: the account behind the session;
 * - `input`: something in the parsed input, such as the account somebody tries to sign in to. The limiter stores only a keyed hash of it.
 */
export type LimitPolicy = LimitBucket &
  (
    | { readonly by: 'address' | 'account' }
    | { readonly by: 'input'; readonly keyOf: (input: { readonly body: unknown; readonly path: unknown }) => string }
  );

export interface LimitDecision {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Whole seconds until one more request is allowed; 0 when allowed. */
  readonly retryAfter: number;
}

export interface LimiterPort {
  /** Takes `cost` from the bucket `policy.name` + `key`. */
  take(policy: LimitPolicy, key: string, cost?: number): Promise<LimitDecision>;
}

export interface AuditObject {
  readonly type: string;
  readonly id: string;
}

/** SHA-256 of what a change replaced and of what it left. The audit log stores them so that they can be checked, but not guessed. */
export interface ChangeDigests {
  readonly before?: Uint8Array;
  readonly after?: Uint8Array;
}

/** What happened. Holds ids, types and counts only: no content, no e-mail address, no full network address. */
export interface AuditEvent {
  readonly type: string;
  readonly outcome: 'success' | 'denied' | 'failure';
  /** Code of the error, when the outcome is not success. */
  readonly reason?: string;
  readonly context: RequestContext;
  readonly tenant: Uuid | null;
  readonly object: AuditObject | null;
  /** Accounts whose data is concerned. */
  readonly subjects: readonly Uuid[];
  /** Open fields such as `{ "version": 3 }`. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  readonly digests?: ChangeDigests;
}

export interface AuditPort {
  /** Writes the event in the caller's transaction: no event, no change. */
  append(transaction: Transaction, event: AuditEvent): Promise<void>;
  /** Called after a commit with an event in it, so that sequencing starts soon. Must not throw. */
  committed(): void;
}

export interface LogPort {
  /** One line per finished request: route template, status, duration, request id. Never parameters or bodies. */
  request(entry: {
    readonly requestId: Uuid;
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly milliseconds: number;
    readonly code?: string;
  }): void;
  /** An error nobody expected. The implementation logs class, code and stack frames, not messages of foreign errors. */
  failure(requestId: Uuid, route: string, error: unknown): void;
}

export interface Ports {
  readonly sessions: SessionPort;
  readonly authorizer: AuthorizerPort;
  readonly limiter: LimiterPort;
  readonly audit: AuditPort;
  readonly log: LogPort;
}
