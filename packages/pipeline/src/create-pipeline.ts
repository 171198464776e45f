/**
 * The one path that every request takes, top to bottom:
 *
 *   client address → limits by address → session or token → limits by account → cross-site check → input → limits by input
 *   → step-up → [ transaction: authorize → handler → audit event ] → mask output
 *
 * Each stage either goes on or throws. Whatever is thrown becomes a problem document (RFC 9457) at the end of
 * `handle`, which itself never throws.
 */
import {
  anonymous,
  isUuid,
  newUuid,
  StrongroomError,
  type AccountActor,
  type Actor,
  type Clock,
  type Manifest,
  type RequestContext,
  type Uuid,
} from '@strongroom/kernel';
import { asSystem, inInstallation, inTenant, type Database, type Scope, type Transaction } from '@strongroom/storage';
import { checkRoutes } from './check-routes.ts';
import { PipelineError } from './errors.ts';
import type { PipelineRequest, PipelineResponse } from './http.ts';
import { comesFromOwnSite } from './internal/cross-site.ts';
import type { TakenLimit } from './internal/limit-headers.ts';
import { networkPrefix } from './internal/network-prefix.ts';
import { parseInput, type ParsedInput } from './internal/parse-input.ts';
import { matchesTemplate, parsePathTemplate } from './internal/path-template.ts';
import { addLimitHeaders, baseHeaders, maskOutput, problemResponse, successResponse } from './internal/respond.ts';
import { planRoute, type RoutePlan } from './internal/route-plan.ts';
import type { Assurance, Identity, LimitPolicy, Ports } from './ports.ts';
import type { AuditRecord, Call, ConcludedReply, Reply, Route, RouteInput } from './route.ts';

export interface PipelineOptions<Services> {
  readonly routes: readonly Route<Services>[];
  /** Which permissions and audit events exist. */
  readonly manifests: readonly Pick<Manifest, 'name' | 'permissions' | 'auditEvents'>[];
  readonly ports: Ports;
  readonly services: Services;
  readonly database: Database;
  readonly clock: Clock;
  /**
   * Where the service is published, such as `https://vault.example.org`. When absent, the `host` header of each
   * request tells.
   */
  readonly origin?: string;
}

export interface Pipeline<Services> {
  readonly routes: readonly Route<Services>[];
  /** Never throws. */
  handle(route: Route<Services>, request: PipelineRequest): Promise<PipelineResponse>;
  /** For an address without a route: 404, or 405 with `allow` where only the method is wrong. */
  notFound(request: Pick<PipelineRequest, 'path' | 'secure'> & { readonly method: string }): PipelineResponse;
  /** For a request that an adapter could not even hand over: malformed, too large, too slow. */
  refuse(error: unknown, secure: boolean): PipelineResponse;
}

/** What becomes known of a request on its way; what is here when a stage throws decides how the failure is recorded. */
interface Passage {
  context: RequestContext;
  readonly limits: TakenLimit[];
  /** What the handler added to the audit event. */
  record: AuditRecord;
  /** From authorisation on, failures of anonymous callers are recorded too. */
  reachedTransaction: boolean;
  committed: boolean;
}

const ASSURANCE_ORDER: Readonly<Record<Assurance, number>> = { none: 0, session: 1, reauthenticated: 2 };
const NOBODY: Identity = { actor: anonymous, assurance: 'none', credential: 'none' };
/** Clients whose address is unknown share one bucket. */
const UNKNOWN_ADDRESS = 'unknown';
const NO_ROUTE = '(none)';

/** Checks the routes (see `checkRoutes`) and returns the pipeline that serves them. */
export function createPipeline<Services>(options: PipelineOptions<Services>): Pipeline<Services> {
  const { routes, manifests, ports, services, database, clock, origin } = options;
  checkRoutes(routes, manifests);
  const plans = new Map(routes.map((route) => [route, planRoute(route)]));
  const templates = routes.flatMap(({ method, path, access }) =>
    access.kind === 'operator' ? [] : [{ method, template: parsePathTemplate(path)! }],
  );
  const spaceReadPermissions = new Set(
    routes.flatMap(({ method, access }) => (method === 'GET' && access.kind === 'space' ? [access.permission] : [])),
  );

  async function pass(plan: RoutePlan<Services>, request: PipelineRequest, passage: Passage): Promise<Reply<unknown>> {
    const { route } = plan;

    // Limits by address come before anything that costs. Every public route has one; what a stranger reaches of the
    // others is the session port, which tells made-up tokens without a query.
    const address = passage.context.addressPrefix ?? UNKNOWN_ADDRESS;
    for (const policy of plan.byAddress) await take(policy, address, passage);

    const identity = await identify(route, request);
    passage.context = { ...passage.context, actor: identity.actor };
    expectCaller(route, identity);
    for (const policy of plan.byAccount) await take(policy, accountKey(identity.actor), passage);

    // Only a cookie is sent by the browser whoever asked for the request; a bearer token is not.
    if (identity.credential === 'cookie' && !comesFromOwnSite(request, origin)) {
      throw new PipelineError('pipeline.cross-site');
    }

    const input = await parseInput(route.input, plan.bodyLimit, request);
    for (const policy of plan.byInput) await take(policy, policy.keyOf(input), passage);

    if (ASSURANCE_ORDER[identity.assurance] < ASSURANCE_ORDER[route.assurance]) {
      throw new PipelineError('pipeline.reauthentication-required', {
        members: { requiredAssurance: route.assurance },
      });
    }

    // The last moment at which leaving undoes everything. From here on the request is finished, whoever still listens.
    if (request.signal.aborted) throw new PipelineError('pipeline.client-gone');

    if (route.stateless) return concluded(await route.handler(makeCall(input, passage, request, null)));
    passage.reachedTransaction = true;
    const reply = await database.transaction(scopeOf(route, identity.actor), async (transaction) => {
      passage.record = {}; // the database runs this again after a serialisation failure
      await authorize(route, identity.actor, input, transaction);
      const result = await route.handler(makeCall(input, passage, request, transaction));
      if (plan.event !== null) await ports.audit.append(transaction, auditEvent(plan.event, passage, 'success'));
      return concluded(result);
    });
    passage.committed = true;
    if (plan.event !== null) ports.audit.committed();
    return reply;
  }

  /** Public routes look at no credential, so that a stale cookie cannot keep anybody from signing in. */
  async function identify({ access }: Route<Services>, request: PipelineRequest): Promise<Identity> {
    if (access.kind === 'public') return NOBODY;
    try {
      return await ports.sessions.identify(request);
    } catch (error) {
      if (access.kind === 'operator' && error instanceof StrongroomError) return NOBODY;
      throw error;
    }
  }

  async function take(policy: LimitPolicy, key: string, passage: Passage): Promise<void> {
    const decision = await ports.limiter.take(policy, key);
    passage.limits.push({ policy, decision });
    if (decision.allowed) return;
    throw new PipelineError('pipeline.limited', {
      retryAfter: decision.retryAfter,
      members: { 'violated-policies': [policy.name] }, // the name is the draft's, §5.1
    });
  }

  async function authorize(
    route: Route<Services>,
    actor: Actor,
    input: ParsedInput,
    transaction: Transaction,
  ): Promise<void> {
    const { access } = route;
    if (access.kind === 'public' || access.kind === 'operator') return;
    const allows = (permission: string, scope: { kind: 'tenant' } | { kind: 'space'; space: Uuid }): Promise<boolean> =>
      ports.authorizer.allows(transaction, { actor, permission, scope });
    if (access.kind !== 'space') {
      if (await allows(access.permission, { kind: 'tenant' })) return;
      throw new PipelineError('pipeline.forbidden');
    }
    // The parsed parameter, not the raw one: the space that is checked is the space that the handler will use.
    const space = (input.path as Readonly<Record<string, unknown>>)[access.parameter];
    if (!isUuid(space)) throw new PipelineError('pipeline.not-found');
    if (await allows(access.permission, { kind: 'space', space })) return;
    // Who may read something of the space knows that it exists and is told the truth; to all others it does not exist.
    for (const permission of spaceReadPermissions) {
      if (await allows(permission, { kind: 'space', space })) throw new PipelineError('pipeline.forbidden');
    }
    throw new PipelineError('pipeline.not-found');
  }

  function makeCall(
    input: ParsedInput,
    passage: Passage,
    request: PipelineRequest,
    transaction: Transaction | null,
  ): Call<RouteInput, Services> {
    const { context } = passage;
    return {
      ...(input as Pick<Call<RouteInput, Services>, 'path' | 'query' | 'body'>),
      context,
      services,
      signal: request.signal,
      get transaction(): Transaction {
        if (transaction === null) throw new PipelineError('pipeline.no-transaction');
        return transaction;
      },
      account: () => accountOf(context.actor),
      record: (added) => {
        passage.record = { ...passage.record, ...added, details: { ...passage.record.details, ...added.details } };
      },
    };
  }

  /**
   * Records that an audited action was refused or failed, in a transaction of its own, since the request's own is
   * rolled back. Left out: refusals by a limit and strangers who did not get as far as the action, which is what a
   * flood consists of (the log must not be the thing to flood), and clients that left. Throws when the event cannot
   * be written.
   */
  async function recordFailure(plan: RoutePlan<Services>, passage: Passage, error: unknown): Promise<void> {
    const code = error instanceof StrongroomError ? error.code : 'pipeline.internal';
    const attributed = passage.reachedTransaction || passage.context.actor.kind !== 'anonymous';
    if (plan.event === null || passage.committed || !attributed) return;
    if (code === 'pipeline.limited' || code === 'pipeline.client-gone') return;
    const event = auditEvent(plan.event, passage, isDenial(error) ? 'denied' : 'failure', code);
    const scope = scopeOf(plan.route, passage.context.actor);
    await database.transaction(scope, (transaction) => ports.audit.append(transaction, event));
    ports.audit.committed();
  }

  async function handle(route: Route<Services>, request: PipelineRequest): Promise<PipelineResponse> {
    const started = performance.now();
    const receivedAt = clock.now();
    const requestId = newUuid(receivedAt);
    const addressPrefix = networkPrefix(request.clientAddress);
    const passage: Passage = {
      context: { requestId, actor: anonymous, addressPrefix, receivedAt },
      limits: [],
      record: {},
      reachedTransaction: false,
      committed: false,
    };
    const headers = baseHeaders(requestId, request.secure);
    const plan = plans.get(route);
    let response: PipelineResponse;
    let code: string | undefined;
    try {
      if (plan === undefined) throw new PipelineError('pipeline.unknown-route');
      const reply = await pass(plan, request, passage);
      addLimitHeaders(headers, passage.limits);
      response = successResponse(reply, route.status, maskOutput(route.output, reply.body), headers);
    } catch (error) {
      const shown = await settleFailure(plan, passage, error);
      code = shown.code;
      const problemHeaders = baseHeaders(requestId, request.secure);
      addLimitHeaders(problemHeaders, passage.limits);
      response = problemResponse(shown, requestId, problemHeaders);
    }
    const milliseconds = performance.now() - started;
    const entry = { requestId, route: route.path, method: request.method, status: response.status, milliseconds };
    report(() => ports.log.request(code === undefined ? entry : { ...entry, code }));
    return response;
  }

  /** Logs and records a failure; returns what the client is told of it. */
  async function settleFailure(
    plan: RoutePlan<Services> | undefined,
    passage: Passage,
    error: unknown,
  ): Promise<StrongroomError> {
    const { requestId } = passage.context;
    const place = plan?.route.path ?? NO_ROUTE;
    if (!(error instanceof StrongroomError) || error.status >= 500) {
      report(() => ports.log.failure(requestId, place, error));
    }
    try {
      if (plan !== undefined) await recordFailure(plan, passage, error);
    } catch (auditError) {
      report(() => ports.log.failure(requestId, place, auditError));
      return new PipelineError('pipeline.unavailable');
    }
    return publicError(error);
  }

  function refuse(error: unknown, secure: boolean, extra: Readonly<Record<string, string>> = {}): PipelineResponse {
    const requestId = newUuid(clock.now());
    const shown = publicError(error);
    if (shown.status >= 500) report(() => ports.log.failure(requestId, NO_ROUTE, error));
    const response = problemResponse(shown, requestId, { ...baseHeaders(requestId, secure), ...extra });
    const entry = {
      requestId,
      route: NO_ROUTE,
      method: NO_ROUTE,
      status: shown.status,
      milliseconds: 0,
      code: shown.code,
    };
    report(() => ports.log.request(entry));
    return response;
  }

  return {
    routes,
    handle,
    notFound({ path, secure }) {
      const methods = new Set(
        templates.flatMap(({ method, template }) => (matchesTemplate(template, path) ? [method] : [])),
      );
      if (methods.size === 0) return refuse(new PipelineError('pipeline.not-found'), secure);
      const allow = [...methods, ...(methods.has('GET') ? ['HEAD'] : [])].toSorted().join(', ');
      return refuse(new PipelineError('pipeline.method-not-allowed'), secure, { allow });
    },
    refuse: (error, secure) => refuse(error, secure),
  };
}

async function concluded(reply: Reply<unknown> | ConcludedReply<unknown>): Promise<Reply<unknown>> {
  if (!('conclude' in reply)) return reply;
  const { conclude, ...rest } = reply;
  return { ...rest, body: await conclude() };
}

/** A log that fails must not fail the request: the answer is already decided. */
function report(write: () => void): void {
  try {
    write();
  } catch {
    // There is no other place to tell it to.
  }
}

/** Nobody but an operator learns that an operator's route exists. */
function expectCaller({ access }: Pick<Route<never>, 'access'>, { actor, assurance }: Identity): void {
  if (access.kind === 'operator' && actor.kind !== 'operator') throw new PipelineError('pipeline.not-found');
  if (access.kind !== 'public' && (actor.kind === 'anonymous' || assurance === 'none')) {
    throw new PipelineError('pipeline.unauthenticated');
  }
}

function scopeOf({ access }: Pick<Route<never>, 'access'>, actor: Actor): Scope {
  if (actor.kind === 'account') return inTenant(actor.tenant);
  return access.kind === 'operator' && actor.kind === 'operator' ? asSystem : inInstallation;
}

/** Operators share a bucket per door; jobs make no requests. */
const accountKey = (actor: Actor): string => (actor.kind === 'account' ? actor.account : actor.kind);

function accountOf(actor: Actor): AccountActor {
  if (actor.kind !== 'account') throw new PipelineError('pipeline.unauthenticated');
  return actor;
}

/** Somebody was refused, as opposed to: something did not work. */
function isDenial(error: unknown): boolean {
  if (!(error instanceof StrongroomError)) return false;
  return error.status === 401 || error.status === 403 || error.code === 'pipeline.not-found';
}

/** The withheld output and the unforeseen look the same from outside. */
function publicError(error: unknown): StrongroomError {
  const isPublic = error instanceof StrongroomError && error.code !== 'pipeline.output-mismatch';
  return isPublic ? error : new PipelineError('pipeline.internal');
}

function auditEvent(type: string, passage: Passage, outcome: 'success' | 'denied' | 'failure', reason?: string) {
  const { record } = passage;
  const actor = record.actor ?? passage.context.actor;
  return {
    type,
    outcome,
    ...(reason === undefined ? {} : { reason }),
    context: { ...passage.context, actor },
    tenant: record.tenant ?? (actor.kind === 'account' ? actor.tenant : null),
    object: record.object ?? null,
    subjects: record.subjects ?? [],
    details: record.details ?? {},
    // Of a change that did not come about there is nothing to compare.
    ...(record.digests === undefined || outcome !== 'success' ? {} : { digests: record.digests }),
  };
}
