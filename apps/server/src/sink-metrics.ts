/** How far receivers of audit events are behind, read when somebody asks for the metrics. */
import { Gauge } from 'prom-client';
import type { Strongroom } from 'strongroom';
import type { Metrics } from './metrics.ts';

type Sinks = Pick<Strongroom['services']['auditSinks'], 'list'>;
type Listed = Awaited<ReturnType<Sinks['list']>>[number];

const GAUGES: readonly (readonly [name: string, help: string, valueOf: (sink: Listed) => number])[] = [
  ['lag_events', 'Audit events that are logged and not yet delivered to the sink.', (sink) => sink.eventsBehind],
  ['lag_seconds', 'Age of the oldest audit event not yet delivered to the sink.', (sink) => sink.secondsBehind],
  ['failures', 'Failed deliveries to the sink since the last good one.', (sink) => sink.failures],
  ['dead_events', 'Audit events set aside because the sink did not take them.', (sink) => sink.deadEvents],
];

/** The label is the name that the operator gave. While the database does not answer there are no values, rather than old ones. */
export function observeSinks({ registry }: Metrics, sinks: Sinks): void {
  let reading: Promise<readonly Listed[]> | undefined;
  /** One look for all gauges, which are asked together. */
  const read = (): Promise<readonly Listed[]> =>
    (reading ??= sinks
      .list()
      .catch(() => [])
      .finally(() => {
        reading = undefined;
      }));
  for (const [name, help, valueOf] of GAUGES) {
    const gauge = new Gauge({
      name: `strongroom_audit_sink_${name}`,
      help,
      labelNames: ['sink'],
      registers: [registry],
      async collect() {
        const listed = await read();
        gauge.reset();
        for (const sink of listed) gauge.set({ sink: sink.name }, valueOf(sink));
      },
    });
  }
}
