/** Prometheus metrics on a loopback port of their own. Labels are route templates and codes, never ids. */
import { createServer } from 'node:http';
import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { JobLog, LogPort } from 'strongroom';
import { isLoopback } from './options.ts';

/** Seconds; from a cached read to a slow import batch. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** RFC 9110 §15.5.20 */
const MISDIRECTED = 421;

export interface Metrics {
  readonly registry: Registry;
  /** Counts what passes and hands it on. */
  observe(log: LogPort & JobLog): LogPort & JobLog;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'strongroom_' });
  const requests = new Counter({
    name: 'strongroom_requests_total',
    help: 'Requests by route template, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'strongroom_request_duration_seconds',
    help: 'Time from the arrival of a request to its answer.',
    labelNames: ['route', 'method'],
    buckets: DURATION_BUCKETS,
    registers: [registry],
  });
  const failures = new Counter({
    name: 'strongroom_unexpected_errors_total',
    help: 'Errors nobody expected, by route template.',
    labelNames: ['route'],
    registers: [registry],
  });
  const jobs = new Counter({
    name: 'strongroom_job_runs_total',
    help: 'Finished runs of background jobs by outcome.',
    labelNames: ['job', 'outcome'],
    registers: [registry],
  });
  return {
    registry,
    observe: (log) => ({
      request(entry) {
        requests.inc({ route: entry.route, method: entry.method, status: String(entry.status) });
        duration.observe({ route: entry.route, method: entry.method }, entry.milliseconds / 1000);
        log.request(entry);
      },
      failure(requestId, route, error) {
        failures.inc({ route });
        log.failure(requestId, route, error);
      },
      jobFinished(run) {
        jobs.inc({ job: run.job, outcome: run.outcome });
        log.jobFinished(run);
      },
    }),
  };
}

/** Whether a `Host` header (RFC 9110 §7.2) names this machine by a loopback name or address. */
function namesLoopback(host: string | undefined): boolean {
  const [, bracketed, name] = /^(?:\[([\da-f:]+)\]|([^:]+))(?::\d{1,5})?$/i.exec(host ?? '') ?? [];
  return isLoopback((bracketed ?? name ?? '').toLowerCase());
}

/** Serves `GET /metrics` on 127.0.0.1, to those who call it by a loopback name: a page whose own name was made to lead here reads nothing. Returns the port and a function that stops it. */
export async function serveMetrics(
  metrics: Metrics,
  port: number,
): Promise<{ port: number; stop: () => Promise<void> }> {
  const server = createServer((request, response) => {
    if (!namesLoopback(request.headers.host)) {
      response.writeHead(MISDIRECTED).end();
      return;
    }
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    void metrics.registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
