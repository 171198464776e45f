/** The declaration of a route: who may call it, how sure we must be, how often, and what is recorded. */
import type { AccountActor, Actor, RequestContext, Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { z } from 'zod';
import type { Method } from './http.ts';
import type { Assurance, AuditObject, ChangeDigests, LimitPolicy } from './ports.ts';

/**
 * Who may call the route.
 * - `public`: anyone; the reason is shown in the route inventory;
 * - `self`: any signed-in account, about itself only; the handler takes the account from the actor, never from input;
 * - `tenant`: holders of the permission in the session's tenant;
 * - `space`: holders of the permission in the space named by the path parameter;
 * - `operator`: whoever reaches the administrator's socket. Such a route is served nowhere else: it needs an actor of kind
 *   `operator`, which only the session port of that socket gives, runs in the `system` scope and has assurance `session`.
 */
export type Access =
  | { readonly kind: 'public'; readonly reason: string }
  | { readonly kind: 'self'; readonly permission: string }
  | { readonly kind: 'tenant'; readonly permission: string }
  | { readonly kind: 'space'; readonly permission: string; readonly parameter: string }
  | { readonly kind: 'operator' };

export const publicRoute = (reason: string): Access => ({ kind: 'public', reason });
export const ownAccount = (permission: string): Access => ({ kind: 'self', permission });
export const inCurrentTenant = (permission: string): Access => ({ kind: 'tenant', permission });
export const operatorOnly: Access = { kind: 'operator' };
export const inSpace = (permission: string, parameter = 'space'): Access => ({ kind: 'space', permission, parameter });

/** The event a route emits, declared in some manifest; or why none is needed. */
export type AuditDeclaration =
  | { readonly kind: 'event'; readonly event: string }
  | { readonly kind: 'none'; readonly reason: string };

export const audited = (event: string): AuditDeclaration => ({ kind: 'event', event });
export const notAudited = (reason: string): AuditDeclaration => ({ kind: 'none', reason });

/** What a handler adds to the audit event of its request. */
export interface AuditRecord {
  readonly object?: AuditObject;
  readonly subjects?: readonly Uuid[];
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  readonly digests?: ChangeDigests;
  /** For requests without a session (sign-in, sign-up): who turned out to act. */
  readonly actor?: Actor;
  readonly tenant?: Uuid;
}

export interface RouteInput {
  /** Strings from the path template. */
  readonly path?: z.ZodType;
  /** Each key once; repeated keys are refused. */
  readonly query?: z.ZodType;
  /** JSON object. Unknown fields are refused: use `z.strictObject`. */
  readonly body?: z.ZodType;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

export interface Call<Input extends RouteInput, Services> {
  readonly path: Parsed<Input['path']>;
  readonly query: Parsed<Input['query']>;
  readonly body: Parsed<Input['body']>;
  readonly context: RequestContext;
  readonly services: Services;
  readonly signal: AbortSignal;
  /**
   * The one transaction of this request, in the actor's tenant (in the installation, for an anonymous actor). The
   * permission was checked in it, the audit event is written in it, and it commits after the handler resolved; a
   * rejection rolls everything back. Nothing that waits for the network may happen in it. A `stateless` route has
   * none: reading it throws.
   */
  readonly transaction: Transaction;
  /** The caller; throws `pipeline.unauthenticated` for an anonymous actor. */
  readonly account: () => AccountActor;
  /** Adds to the audit event. May be called several times; later values win, details are merged. */
  readonly record: (record: AuditRecord) => void;
}

/** What a handler answers with: the output as declared, and what only HTTP knows. */
export interface Reply<Output> {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Output;
}

/** An answer that hands out a receipt of its own audit event, and so can be known only after that. */
export interface ConcludedReply<Output> extends Omit<Reply<Output>, 'body'> {
  /** Called in the request's transaction once the event was written; of a route that is not audited, at once. */
  readonly conclude: () => Promise<Output>;
}

export interface RouteSpecification<Input extends RouteInput, Output extends z.ZodType, Services> {
  readonly method: Method;
  /** `/v1/spaces/{space}/memories` */
  readonly path: string;
  readonly summary: string;
  readonly input: Input;
  /** Parsed on the way out: a field that is not declared never leaves. `z.null()` for an empty 204 answer. */
  readonly output: Output;
  readonly access: Access;
  readonly assurance: Assurance;
  /** Every one must allow the request. */
  readonly limit: readonly [LimitPolicy, ...LimitPolicy[]];
  readonly audit: AuditDeclaration;
  /** Status of success, for the document; 200 when absent, 204 when the output is null. */
  readonly status?: number;
  /** Largest body in bytes; `DEFAULT_BODY_LIMIT` when absent. */
  readonly bodyLimit?: number;
  /**
   * Needs no database, so that it answers even when there is none. Only for public and operators' routes that are not
   * audited.
   */
  readonly stateless?: true;
  readonly handler: (call: Call<Input, Services>) => Promise<Reply<z.input<Output>> | ConcludedReply<z.input<Output>>>;
}

/** A declared route with its input types erased, as the pipeline runs it. Only `defineRoutes` makes one. */
export interface Route<Services> extends Omit<RouteSpecification<RouteInput, z.ZodType, Services>, 'handler'> {
  readonly handler: (call: Call<RouteInput, Services>) => Promise<Reply<unknown> | ConcludedReply<unknown>>;
}

/** 64 KiB: far above every JSON body but memories, which say so themselves. */
export const DEFAULT_BODY_LIMIT = 64 * 1024;

/**
 * Gives the `defineRoute` of one room. `Services` is what its handlers use; the composition root must provide it or
 * does not compile. A route that leaves out who may call it, how sure we must be, how often or what is recorded is a
 * type error.
 */
export function defineRoutes<Services>() {
  return function defineRoute<Input extends RouteInput, Output extends z.ZodType>(
    specification: RouteSpecification<Input, Output, Services>,
  ): Route<Services> {
    // The pipeline calls the handler with exactly what the three schemas parsed, so forgetting their types here is
    // sound.
    return specification;
  };
}
