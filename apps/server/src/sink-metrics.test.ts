import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';
import { observeSinks } from './sink-metrics.ts';

type Sinks = Parameters<typeof observeSinks>[1];
type Listed = Awaited<ReturnType<Sinks['list']>>[number];

const sink = (name: string, eventsBehind: number): Listed => ({
  id: name,
  name,
  kind: 'webhook',
  format: 'jsonl',
  target: 'https://siem.example.org/hidden-path',
  withAddresses: false,
  rotateBytes: null,
  rotateDaily: false,
  keepFiles: null,
  authorities: null,
  nextIndex: 10,
  batchEnd: null,
  failures: 3,
  failingSince: null,
  nextAttempt: null,
  problem: 'status 500',
  deliveredAt: null,
  oldest: null,
  eventsBehind,
  secondsBehind: eventsBehind / 2,
  deadBatches: 1,
  deadEvents: 7,
});

describe('metrics of sinks', () => {
  it('say how far each is behind now, and nothing when that is not known', async () => {
    const metrics = createMetrics();
    let listed: readonly Listed[] | undefined = [sink('siem', 4), sink('archive', 0)];
    let looks = 0;
    observeSinks(metrics, {
      list: async () => {
        looks += 1;
        if (listed === undefined) throw new Error('the database is away');
        return listed;
      },
    });
    const lines = async () =>
      (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('strongroom_audit_sink'));
    expect(await lines()).toEqual([
      'strongroom_audit_sink_lag_events{sink="siem"} 4',
      'strongroom_audit_sink_lag_events{sink="archive"} 0',
      'strongroom_audit_sink_lag_seconds{sink="siem"} 2',
      'strongroom_audit_sink_lag_seconds{sink="archive"} 0',
      'strongroom_audit_sink_failures{sink="siem"} 3',
      'strongroom_audit_sink_failures{sink="archive"} 3',
      'strongroom_audit_sink_dead_events{sink="siem"} 7',
      'strongroom_audit_sink_dead_events{sink="archive"} 7',
    ]);
    expect(looks).toBe(1);
    listed = [sink('archive', 2)];
    expect((await lines())[0]).toBe('strongroom_audit_sink_lag_events{sink="archive"} 2');
    listed = undefined;
    expect(await lines()).toEqual([]);
  });
});
