/** The limiter behind the pipeline's port: GCRA in process or in the database, as each policy says. */
import { toHex, utf8, type Clock } from '@strongroom/kernel';
import type { LimitDecision, LimiterPort, LimitPolicy } from '@strongroom/pipeline';
import type { Database } from '@strongroom/storage';
import { takeDurable } from './internal/durable-counters.ts';
import { intervalOf, refusedDecision, toMicroseconds } from './internal/gcra.ts';
import { createProcessCounters, type ProcessCounters } from './internal/process-counters.ts';
import { createKnownRefusals } from './internal/known-refusals.ts';
import { steadyTime } from './internal/steady-time.ts';

export interface LimiterOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** A keyed hash of 32 bytes, separate for each purpose (`encryption.keyedHash`). */
  readonly hash: (purpose: string, input: Uint8Array) => Uint8Array;
}

const KEY_PURPOSE = 'rate-limiting.key';

/**
 * Rejects when the database does, so that a request whose limit is unknown is not served. Throws a RangeError
 * when `cost` is not a whole number from 1 to the policy's burst: more could never be allowed.
 */
export function createLimiter({ database, clock, hash }: LimiterOptions): LimiterPort {
  const steadyNow = steadyTime(clock);
  const inProcess = new Map<string, ProcessCounters>();
  const refusals = createKnownRefusals();

  const keyHashOf = (policy: LimitPolicy, key: string): Uint8Array => hash(`${KEY_PURPOSE}:${policy.name}`, utf8(key));

  function countersOf(policy: LimitPolicy): ProcessCounters {
    let counters = inProcess.get(policy.name);
    if (counters === undefined) {
      counters = createProcessCounters(policy);
      inProcess.set(policy.name, counters);
    }
    return counters;
  }

  async function takeShared(policy: LimitPolicy, key: string, cost: number): Promise<LimitDecision> {
    const now = toMicroseconds(clock.now());
    const keyHash = keyHashOf(policy, key);
    const refusalKey = `${policy.name} ${toHex(keyHash)}`;
    const known = refusals.fullAt(refusalKey);
    // A bucket's time only moves on; what it refused until then it still refuses, without asking the database.
    if (known !== undefined && known + cost * intervalOf(policy) - now > policy.burst * intervalOf(policy)) {
      return refusedDecision(policy, known, now, cost);
    }
    const { decision, fullAt } = await takeDurable(database, policy, keyHash, cost, now);
    if (decision.allowed) refusals.forget(refusalKey);
    else if (fullAt !== undefined) refusals.remember(refusalKey, fullAt);
    return decision;
  }

  return {
    async take(policy, key, cost = 1) {
      if (!Number.isSafeInteger(cost) || cost < 1 || cost > policy.burst) {
        throw new RangeError('take: cost must be a whole number from 1 to the burst of the policy');
      }
      if (policy.store === 'durable') return await takeShared(policy, key, cost);
      // The map would hold what somebody typed; a keyed hash tells keys apart as well.
      const stored = policy.by === 'input' ? toHex(keyHashOf(policy, key)) : key;
      return countersOf(policy).take(stored, cost, steadyNow());
    },
  };
}
