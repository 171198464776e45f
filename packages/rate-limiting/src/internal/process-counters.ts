/**
 * The buckets of one policy in the memory of this process, bounded in size and yet unable to forget.
 *
 * A table that evicts can be made to evict: whoever is limited sends requests under thousands of other keys until his
 * own is gone. So nothing is evicted. A bucket that is full again says nothing and is dropped; all others stay. When
 * the exact table is full of buckets that still count, further keys share cells (below), where counts can only be too
 * high, never too low.
 */
import { hash, randomBytes } from 'node:crypto';
import type { LimitDecision } from '@strongroom/pipeline';
import { allowedDecision, fullAfterTaking, refusedDecision, type Bucket } from './gcra.ts';

/** Buckets held exactly. About 100 bytes each with a typical key. */
const EXACT_LIMIT = 65_536;
/** Looked at for dropping whenever a bucket is added: more than one, so that the table also shrinks. */
const SWEEP = 4;

export interface ProcessCounters {
  take(key: string, cost: number, now: number): LimitDecision;
  /** Buckets held exactly at the moment. */
  readonly size: number;
}

export function createProcessCounters(bucket: Bucket, exactLimit = EXACT_LIMIT): ProcessCounters {
  const fullAt = new Map<string, number>();
  let sweeper = fullAt.entries();
  let shared: SharedCells | undefined;

  /** The iterator of a Map goes on over entries added behind it, so each round visits every bucket once. */
  function sweep(now: number): void {
    for (let looked = 0; looked < SWEEP; looked += 1) {
      const next = sweeper.next();
      if (next.done) {
        sweeper = fullAt.entries();
        return;
      }
      if (next.value[1] <= now) fullAt.delete(next.value[0]);
    }
  }

  /** `undefined` while there is nothing that a key without a place of its own could have been counted in. */
  function sharedCells(now: number): SharedCells | undefined {
    if (shared !== undefined && shared.highest() <= now) shared = undefined;
    return shared;
  }

  function takeOwn(key: string, current: number, cost: number, now: number): LimitDecision {
    const next = fullAfterTaking(bucket, current, now, cost);
    if (next === undefined) return refusedDecision(bucket, current, now, cost);
    fullAt.set(key, next);
    return allowedDecision(bucket, next, now);
  }

  function takeShared(cells: SharedCells, key: string, cost: number, now: number): LimitDecision {
    const cell = cells.of(key);
    const current = cells.read(cell);
    const next = fullAfterTaking(bucket, current, now, cost);
    if (next === undefined) return refusedDecision(bucket, current, now, cost);
    cells.raise(cell, next);
    return allowedDecision(bucket, next, now);
  }

  return {
    take(key, cost, now) {
      const own = fullAt.get(key);
      if (own !== undefined) return takeOwn(key, own, cost, now);
      sweep(now);
      const cells = sharedCells(now);
      if (fullAt.size >= exactLimit) return takeShared(cells ?? (shared = createSharedCells()), key, cost, now);
      // A key that had to share keeps that count when it finds a place of its own.
      return takeOwn(key, cells === undefined ? 0 : cells.read(cells.of(key)), cost, now);
    },
    get size() {
      return fullAt.size;
    },
  };
}

/** One cell in each row. */
type Place = readonly [number, number];

interface SharedCells {
  of(key: string): Place;
  read(place: Place): number;
  raise(place: Place, fullAt: number): void;
  /** Once this has passed, the cells say nothing any more. */
  highest(): number;
}

/** Cells per row, a power of two: two rows of 8-byte numbers, 512 KiB per policy, allocated when first needed. */
const CELLS = 32_768;

/**
 * A count-min sketch of buckets with conservative update: a key has one cell in each of two rows and counts as the
 * lower of the two. Cells only ever rise, and each is at least as high as the bucket of every key in it; so no key is
 * admitted more than its own bucket would admit. Strangers in both cells can make it stricter: on average by their
 * requests divided by the number of cells. The cells of a key depend on a random secret, so that nobody can choose
 * with whom to share.
 */
function createSharedCells(): SharedCells {
  const secret = randomBytes(16).toString('hex');
  const first = new Float64Array(CELLS);
  const second = new Float64Array(CELLS);
  let highest = 0;
  return {
    of(key) {
      const digest = hash('sha256', secret + key, 'buffer');
      return [digest.readUInt32LE(0) % CELLS, digest.readUInt32LE(4) % CELLS];
    },
    read: ([left, right]) => Math.min(first[left]!, second[right]!),
    raise([left, right], fullAt) {
      first[left] = Math.max(first[left]!, fullAt);
      second[right] = Math.max(second[right]!, fullAt);
      highest = Math.max(highest, fullAt);
    },
    highest: () => highest,
  };
}
