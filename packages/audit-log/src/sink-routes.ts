/** The sinks of the audit log, for the operator on the machine. */
import { defineRoutes, type LimitPolicy, notAudited, operatorOnly } from '@strongroom/pipeline';
import { describeAuthorities } from './internal/sink-target.ts';
import type { SinkListed, Sinks } from './sinks.ts';
import * as wire from './wire.ts';

/** What these routes use; the composition root provides it. */
export interface SinkRouteServices {
  readonly auditSinks: Sinks;
}

const defineRoute = defineRoutes<SinkRouteServices>();

/** The operator is one person at one machine. */
const limit: LimitPolicy = {
  name: 'audit-log.sinks',
  by: 'account',
  burst: 100,
  rate: 20,
  periodSeconds: 1,
  store: 'process',
};

/** A sink opens its own transactions, since a test waits for the receiver. */
const shared = { access: operatorOnly, assurance: 'session', limit: [limit], stateless: true } as const;

const VIA = 'administrator-socket';
const recordsItself = notAudited('The sink writes its event itself, in the transaction that changes it.');

const timeOf = (time: Date | null): string | null => time?.toISOString() ?? null;

/** A sink as it travels. */
export const sinkJson = (listed: SinkListed): wire.WireSink => ({
  name: listed.name,
  kind: listed.kind,
  format: listed.format,
  target: listed.target,
  withAddresses: listed.withAddresses,
  rotateBytes: listed.rotateBytes,
  rotateDaily: listed.rotateDaily,
  keepFiles: listed.keepFiles,
  authorities: describeAuthorities(listed.authorities),
  next: listed.nextIndex,
  eventsBehind: listed.eventsBehind,
  secondsBehind: listed.secondsBehind,
  failures: listed.failures,
  problem: listed.problem,
  nextAttemptAt: timeOf(listed.nextAttempt),
  deliveredAt: timeOf(listed.deliveredAt),
  deadLetters: { batches: listed.deadBatches, events: listed.deadEvents },
});

const listRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/audit/sinks',
  summary: 'Where events of the audit log are delivered to, and how far each receiver is behind',
  input: {},
  output: wire.sinks,
  audit: notAudited('It shows addresses of receivers and counts, but no event.'),
  async handler({ services }) {
    const listed = await services.auditSinks.list();
    return { body: { items: listed.map(sinkJson), next: null } };
  },
});

const addRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/audit/sinks',
  summary: 'Adds a receiver of events; the answer has the secret that signs deliveries to a webhook',
  input: { body: wire.newSink },
  output: wire.sinkAdded,
  audit: recordsItself,
  async handler({ body, services }) {
    const { secret } = await services.auditSinks.add(body, VIA);
    return { body: { name: body.name, secret } };
  },
});

const removeRoute = defineRoute({
  ...shared,
  method: 'DELETE',
  path: '/operator/audit/sinks/{sink}',
  summary: 'Removes a receiver of events',
  input: { path: wire.sinkPath },
  output: wire.sinkNamed,
  audit: recordsItself,
  async handler({ path, services }) {
    await services.auditSinks.remove(path.sink, VIA);
    return { body: { name: path.sink } };
  },
});

const testRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/audit/sinks/{sink}/test',
  summary: 'Sends a message without any event, and waits for the receiver',
  input: { path: wire.sinkPath },
  output: wire.sinkNamed,
  audit: notAudited('The message says nothing of anybody, and nothing is changed.'),
  async handler({ path, services, signal }) {
    await services.auditSinks.test(path.sink, signal);
    return { body: { name: path.sink } };
  },
});

const retryRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/audit/sinks/{sink}/retry',
  summary: 'Has batches that were set aside delivered again, and those that wait after a failure at once',
  input: { path: wire.sinkPath },
  output: wire.sinkRetried,
  audit: recordsItself,
  async handler({ path, services }) {
    return { body: { name: path.sink, batches: await services.auditSinks.retry(path.sink, VIA) } };
  },
});

export const sinkRoutes = [listRoute, addRoute, removeRoute, testRoute, retryRoute];
