/** How far receivers of audit events are behind, read when somebody asks for the metrics. */
import { Gauge } from 'prom-client';
import type { Strongroom } from 'strongroom';
import type { Metrics } from './metrics.ts';

type Sinks = Strongroom['services']['auditSinks'];

/** Labels are the names that the operator gave. While the database does not answer, there are no values rather than old ones. */
export function observeSinks({ registry }: Metrics, sinks: Sinks): void {
  const labels = { labelNames: ['sink'] as const };
  const seconds = new Gauge({
    name: 'strongroom_audit_sink_lag_seconds',
    help: 'Age of the oldest audit event that was not delivered to the sink; 0 when none waits.',
    ...labels,
    registers: [],
  });
  const failures = new Gauge({
    name: 'strongroom_audit_sink_failures',
    help: 'Failed deliveries to the sink since the last good one.',
    ...labels,
    registers: [],
  });
  const dead = new Gauge({
    name: 'strongroom_audit_sink_dead_events',
    help: 'Audit events that were set aside because the sink did not take them.',
    ...labels,
    registers: [],
  });
  const events = new Gauge({
    name: 'strongroom_audit_sink_lag_events',
    help: 'Audit events that are logged and not yet delivered to the sink.',
    ...labels,
    registers: [],
    // Collected first; the others are filled with it.
    async collect() {
      for (const gauge of [events, seconds, failures, dead]) gauge.reset();
      const listed = await sinks.list().catch(() => []);
      for (const { name: sink, ...state } of listed) {
        events.set({ sink }, state.eventsBehind);
        seconds.set({ sink }, state.secondsBehind);
        failures.set({ sink }, state.failures);
        dead.set({ sink }, state.deadEvents);
      }
    },
  });
  for (const gauge of [events, seconds, failures, dead]) registry.registerMetric(gauge);
}
