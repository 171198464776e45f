import { createHmac } from 'node:crypto';
import type { LimiterPort, LimitPolicy } from '@strongroom/pipeline';
import type { Database } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { rounds } from '@strongroom/testing';
import fc from 'fast-check';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLimiter } from './create-limiter.ts';
import { manifest } from './manifest.ts';

const START = Date.UTC(2026, 10, 22);
const hash = (purpose: string, input: Uint8Array): Uint8Array =>
  createHmac('sha256', 'test key').update(`${purpose}\0`).update(input).digest();

type Numbers = Pick<LimitPolicy, 'burst' | 'rate' | 'periodSeconds'>;

const policy = (numbers: Numbers, store: LimitPolicy['store'] = 'process', name = 'door'): LimitPolicy => ({
  name,
  store,
  by: 'account',
  ...numbers,
});

const FIVE_PER_MINUTE: Numbers = { burst: 5, rate: 5, periodSeconds: 60 };

const allowedOf = async (limiter: LimiterPort, rule: LimitPolicy, key: string, times: number): Promise<number> => {
  let allowed = 0;
  for (let index = 0; index < times; index += 1) if ((await limiter.take(rule, key)).allowed) allowed += 1;
  return allowed;
};

/** Uses a database for what is durable only; opening none shows that limits in process need none. */
const noDatabase: Database = {
  engine: 'pglite',
  warnings: [],
  transaction: () => Promise.reject(new Error('the database was used')),
  close: () => Promise.resolve(),
};

describe('limits in process', () => {
  const clock = { time: START, now: () => clock.time };
  let limiter: LimiterPort;
  beforeEach(() => {
    clock.time = START;
    limiter = createLimiter({ database: noDatabase, clock, hash });
  });

  it('allow a burst, then the rate, and say how long to wait', async () => {
    const rule = policy(FIVE_PER_MINUTE);
    expect(await limiter.take(rule, 'a')).toEqual({ allowed: true, limit: 5, remaining: 4, retryAfter: 0 });
    expect(await allowedOf(limiter, rule, 'a', 10)).toBe(4);
    expect(await limiter.take(rule, 'a')).toEqual({ allowed: false, limit: 5, remaining: 0, retryAfter: 12 });
    clock.time += 11_999;
    expect(await limiter.take(rule, 'a')).toMatchObject({ allowed: false, retryAfter: 1 });
    clock.time += 1;
    expect(await limiter.take(rule, 'a')).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('count keys and policies apart', async () => {
    const rule = policy(FIVE_PER_MINUTE);
    expect(await allowedOf(limiter, rule, 'a', 9)).toBe(5);
    expect(await allowedOf(limiter, rule, 'b', 9)).toBe(5);
    expect(await allowedOf(limiter, policy(FIVE_PER_MINUTE, 'process', 'window'), 'a', 9)).toBe(5);
    const typed: LimitPolicy = { ...policy(FIVE_PER_MINUTE, 'process', 'typed'), by: 'input', keyOf: () => '' };
    expect(await allowedOf(limiter, typed, 'a', 9)).toBe(5);
    expect(await allowedOf(limiter, typed, 'b', 9)).toBe(5);
  });

  it('take several at once, or nothing', async () => {
    const rule = policy(FIVE_PER_MINUTE);
    expect(await limiter.take(rule, 'a', 3)).toMatchObject({ allowed: true, remaining: 2 });
    expect(await limiter.take(rule, 'a', 3)).toMatchObject({ allowed: false, remaining: 2, retryAfter: 12 });
    expect(await limiter.take(rule, 'a', 2)).toMatchObject({ allowed: true, remaining: 0 });
    await expect(limiter.take(rule, 'b', 6)).rejects.toThrow(RangeError);
    await expect(limiter.take(rule, 'a', 0)).rejects.toThrow(RangeError);
    await expect(limiter.take(rule, 'a', 0.5)).rejects.toThrow(RangeError);
  });

  it('do not open when the clock is set back, and do not stay shut until it has caught up', async () => {
    const rule = policy(FIVE_PER_MINUTE);
    expect(await allowedOf(limiter, rule, 'a', 9)).toBe(5);
    clock.time -= 3_600_000;
    expect(await allowedOf(limiter, rule, 'a', 9)).toBe(0);
    clock.time += 12_000;
    expect(await allowedOf(limiter, rule, 'a', 9)).toBe(1);
  });

  it('admit at most burst + rate · t, over any span of any interleaving', async () => {
    const step = fc.record({
      wait: fc.integer({ min: -1_000, max: 3_000 }),
      key: fc.constantFrom('a', 'b'),
      cost: fc.integer({ min: 1, max: 3 }),
    });
    const numbers = fc.record({
      burst: fc.integer({ min: 1, max: 9 }),
      rate: fc.integer({ min: 1, max: 30 }),
      periodSeconds: fc.integer({ min: 1, max: 90 }),
    });
    let admittedAtAll = 0;
    let refusedAtAll = 0;
    await fc.assert(
      fc.asyncProperty(numbers, fc.array(step, { minLength: 20, maxLength: 60 }), async (chosen, steps) => {
        clock.time = START;
        const fresh = createLimiter({ database: noDatabase, clock, hash });
        const rule = policy(chosen);
        let forward = 0;
        const admitted: { at: number; cost: number; key: string }[] = [];
        for (const { wait, key, cost } of steps) {
          clock.time += wait;
          forward += Math.max(0, wait);
          if ((await fresh.take(rule, key, Math.min(cost, chosen.burst))).allowed)
            admitted.push({ at: forward, cost: Math.min(cost, chosen.burst), key });
          else refusedAtAll += 1;
        }
        admittedAtAll += admitted.length;
        for (const key of ['a', 'b']) {
          const own = admitted.filter((entry) => entry.key === key);
          let mostAboveBound = 0;
          for (let from = 0; from < own.length; from += 1) {
            let sum = 0;
            for (let to = from; to < own.length; to += 1) {
              sum += own[to]!.cost;
              const seconds = (own[to]!.at - own[from]!.at) / 1000;
              const bound = chosen.burst + (chosen.rate * seconds) / chosen.periodSeconds;
              mostAboveBound = Math.max(mostAboveBound, sum - bound);
            }
          }
          expect(mostAboveBound).toBeLessThanOrEqual(1e-9);
        }
      }),
      { numRuns: rounds(120, 300) },
    );
    expect(admittedAtAll).toBeGreaterThan(500);
    expect(refusedAtAll).toBeGreaterThan(500);
  });

  it('cannot be reset by a flood of other keys', async () => {
    const rule = policy({ burst: 5, rate: 1, periodSeconds: 3600 });
    expect(await allowedOf(limiter, rule, 'guarded', 9)).toBe(5);
    for (let index = 0; index < 200_000; index += 1) await limiter.take(rule, `flood ${index}`);
    expect(await allowedOf(limiter, rule, 'guarded', 9)).toBe(0);
  });
});

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`durable limits on ${engine.name}`, () => {
    const clock = { time: START, now: () => clock.time };
    let database: Database;
    const rule = policy(FIVE_PER_MINUTE, 'durable');
    const rowCount = async (): Promise<number> => {
      const counted = await database.transaction({ kind: 'system' }, (transaction) =>
        sql<{ rows: number }>`select count(*) as rows from rate_limits`.execute(transaction),
      );
      return counted.rows[0]!.rows;
    };
    beforeAll(async () => {
      database = await engine.open([manifest]);
    });
    beforeEach(async () => {
      clock.time = START;
      await database.transaction({ kind: 'system' }, (transaction) =>
        sql`delete from rate_limits`.execute(transaction),
      );
    });

    /** Several limiters stand for several replicas: they share nothing but the database. */
    const replicas = (count: number): LimiterPort[] =>
      Array.from({ length: count }, () => createLimiter({ database, clock, hash }));

    it('admit exactly the bound for four users at once', async () => {
      const four = replicas(4);
      const round = async (): Promise<number> => {
        const counts = await Promise.all(four.map((limiter) => allowedOf(limiter, rule, 'a', 8)));
        return counts.reduce((sum, count) => sum + count, 0);
      };
      expect(await round()).toBe(5);
      clock.time += 36_000;
      expect(await round()).toBe(3);
      clock.time += 11_999;
      expect(await round()).toBe(0);
      clock.time += 1;
      expect(await round()).toBe(1);
    });

    it('give the same answers as limits in process', async () => {
      const [limiter] = replicas(1);
      const local = policy(FIVE_PER_MINUTE);
      for (const [wait, cost] of [
        [0, 1],
        [0, 3],
        [100, 2],
        [0, 1],
        [20_000, 1],
        [0, 5],
        [60_000, 5],
        [0, 1],
      ] as const) {
        clock.time += wait;
        expect(await limiter!.take(rule, 'a', cost)).toEqual(await limiter!.take(local, 'a', cost));
      }
    });

    it('survive a restart', async () => {
      expect(await allowedOf(replicas(1)[0]!, rule, 'a', 9)).toBe(5);
      expect(await allowedOf(replicas(1)[0]!, rule, 'a', 9)).toBe(0);
      expect(await allowedOf(replicas(1)[0]!, rule, 'b', 9)).toBe(5);
    });

    it('do not open when the clock is set back', async () => {
      const [first, second] = replicas(2);
      expect(await allowedOf(first!, rule, 'a', 9)).toBe(5);
      clock.time -= 3_600_000;
      expect(await allowedOf(first!, rule, 'a', 9)).toBe(0);
      expect(await allowedOf(second!, rule, 'a', 9)).toBe(0);
    });

    it('store a keyed hash and nothing of the key', async () => {
      await replicas(1)[0]!.take(rule, 'carol@example.org');
      const { rows } = await database.transaction({ kind: 'system' }, (transaction) =>
        sql<{ key_hash: Uint8Array }>`select key_hash from rate_limits`.execute(transaction),
      );
      expect(rows).toHaveLength(1);
      expect(rows[0]!.key_hash).toEqual(
        new Uint8Array(hash('rate-limiting.key:door', new TextEncoder().encode('carol@example.org'))),
      );
    });

    it('ask the database no more once it is known to refuse, and ask again when the time has come', async () => {
      let asked = 0;
      const counting: Database = {
        engine: database.engine,
        warnings: [],
        transaction: (scope, work) => {
          asked += 1;
          return database.transaction(scope, work);
        },
        close: () => database.close(),
      };
      const limiter = createLimiter({ database: counting, clock, hash });
      expect(await allowedOf(limiter, rule, 'a', 100)).toBe(5);
      expect(asked).toBe(6);
      clock.time += 12_000;
      expect(await limiter.take(rule, 'a')).toMatchObject({ allowed: true });
      expect(asked).toBe(7);
    });

    it('refuse to guess when the database is gone', async () => {
      const limiter = createLimiter({ database: noDatabase, clock, hash });
      await expect(limiter.take(rule, 'a')).rejects.toThrow('the database was used');
    });

    it('are purged a day after they stopped to count, not before', async () => {
      await replicas(1)[0]!.take(rule, 'a');
      const [purge] = manifest.jobs;
      const run = () => purge.run({ clock, database }, new AbortController().signal);
      clock.time += 86_400_000;
      await run();
      expect(await rowCount()).toBe(1);
      clock.time += 12_001;
      await run();
      expect(await rowCount()).toBe(0);
    });
  });
}
