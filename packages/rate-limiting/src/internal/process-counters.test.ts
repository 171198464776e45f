import { rounds } from '@strongroom/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createProcessCounters } from './process-counters.ts';

const HOUR = 3_600_000_000;
const bucket = { burst: 3, rate: 3, periodSeconds: 3600 };

const admitted = (counters: ReturnType<typeof createProcessCounters>, key: string, now: number): number => {
  let count = 0;
  for (let tries = 0; tries < 10; tries += 1) if (counters.take(key, 1, now).allowed) count += 1;
  return count;
};

describe('a full table', () => {
  it('holds no more than its limit, and still counts every key', () => {
    const counters = createProcessCounters(bucket, 10);
    for (let index = 0; index < 500; index += 1)
      expect(admitted(counters, `key ${index}`, HOUR)).toBeLessThanOrEqual(3);
    expect(counters.size).toBe(10);
    for (let index = 0; index < 500; index += 1) expect(admitted(counters, `key ${index}`, HOUR)).toBe(0);
  });

  it('gives room again once buckets are full', () => {
    const counters = createProcessCounters(bucket, 10);
    for (let index = 0; index < 500; index += 1) counters.take(`old ${index}`, 1, HOUR);
    for (let index = 0; index < 100; index += 1) counters.take(`new ${index}`, 1, 3 * HOUR);
    expect(counters.size).toBe(10);
    const later = createProcessCounters(bucket, 1000);
    for (let index = 0; index < 500; index += 1) later.take(`old ${index}`, 1, HOUR);
    for (let index = 0; index < 200; index += 1) later.take('only', 1, 3 * HOUR + index * HOUR);
    for (let index = 0; index < 200; index += 1) later.take(`next ${index}`, 1, 300 * HOUR + index);
    expect(later.size).toBeLessThanOrEqual(200);
  });

  it('keeps the count of a key that had to share when it gets a place of its own', () => {
    const counters = createProcessCounters(bucket, 1);
    counters.take('first', 1, HOUR);
    expect(admitted(counters, 'second', HOUR + 1)).toBe(3);
    // The first bucket is full again and makes room; the second has one unit back by then.
    expect(admitted(counters, 'second', HOUR + HOUR / 3 + 1)).toBe(1);
    expect(counters.size).toBe(1);
  });

  it('never admits more than the bucket of the key alone would, whatever shares with it', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 9 }), wait: fc.integer({ min: 0, max: HOUR / 20 }) });
    let refused = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), (steps) => {
        const crowded = createProcessCounters(bucket, 4);
        const alone = createProcessCounters(bucket, 1000);
        let now = HOUR;
        for (const { key, wait } of steps) {
          now += wait;
          const allowed = crowded.take(`key ${key}`, 1, now).allowed;
          if (!allowed) refused += 1;
          // The lonely table is only asked when the crowded one admitted: it then must admit as well.
          if (allowed) expect(alone.take(`key ${key}`, 1, now).allowed).toBe(true);
        }
      }),
      { numRuns: rounds(80, 200) },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
