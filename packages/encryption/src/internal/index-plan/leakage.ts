/**
 * What equal-or-not gives away. n rows, m distinct values, value i in nᵢ of them. An index of k bits puts values into B = 2ᵏ buckets at random, since it
 * is a pseudorandom function.
 */

export interface WidthLeakage {
  /** Bits of the index that are kept; 256 is all of them. */
  readonly bits: number;
  /**
   * Rows a query finds besides those asked for, for a query drawn like the rows: the other n − nᵢ rows each share the bucket with probability 1/B, so
   * Σ (nᵢ/n)·(n − nᵢ)/B. (The "coincidences" of CipherSweet's blind index planning are n/B, which this tends to where no value is frequent.)
   */
  readonly falsePositives: number;
  /** Values that are alone in their bucket: (1 − 1/B)^(m−1). For them the index says as much as the full one. */
  readonly alone: number;
  /**
   * Rows whose value is guessed right by who knows which value falls into which bucket, by asking the server for values of their choice, and
   * guesses the most frequent one of each bucket. In the order of falling frequency the value of rank r is its bucket's most frequent one when none of
   * the r before it is there: Σ nᵣ·(1 − 1/B)^r / n.
   */
  readonly guessed: number;
}

export interface Leakage {
  readonly distinct: number;
  /** Rows with the most frequent value, as a part of all: what whoever knows only that guesses right. */
  readonly mostFrequent: number;
  /** Values that are in one row only, as a part of the distinct ones. */
  readonly single: number;
  /**
   * Rows recovered by matching ranks with a known distribution (Naveed, Kamara and Wright, CCS 2015, §4.2 "frequency analysis"): the r-th most frequent
   * index value is taken for the r-th most frequent known value. Values that are equally frequent are matched at random, so a value counts with the part
   * of its ranks here that are also its ranks there: nᵢ·|Rᵢ ∩ Kᵢ| / (|Rᵢ|·|Kᵢ|).
   */
  readonly recoveredByFrequency: number;
  readonly widths: readonly WidthLeakage[];
}

/** How often each value occurs, by any name of it. */
export type Counts = ReadonlyMap<string, number>;

/** HMAC-SHA-256. */
const FULL_BITS = 256;

/** `groups`: counts of each tenant, whose indexes have nothing in common. `known`: what the attacker knows; the group itself when absent. */
export function leakageOf(groups: readonly Counts[], widths: readonly number[], known?: Counts): Leakage {
  const rows = sum(groups.map(rowsOf));
  const part = (of: (counts: Counts) => number): number => (rows === 0 ? 0 : sum(groups.map(of)) / rows);
  const distinct = sum(groups.map((counts) => counts.size));
  const isSingle = (counts: Counts): number => [...counts.values()].filter((count) => count === 1).length;
  return {
    distinct,
    mostFrequent: part((counts) => Math.max(0, ...descending(counts).slice(0, 1))),
    single: distinct === 0 ? 0 : sum(groups.map(isSingle)) / distinct,
    recoveredByFrequency: part((counts) => recovered(counts, known ?? counts)),
    widths: [...new Set([...widths, FULL_BITS])].map((bits) => {
      const buckets = 2 ** bits;
      const alone = (counts: Counts): number => counts.size * notIn(buckets, counts.size - 1);
      return {
        bits,
        falsePositives: part((counts) => falsePositives(counts, buckets)),
        alone: distinct === 0 ? 0 : sum(groups.map(alone)) / distinct,
        guessed: part((counts) => sum(descending(counts).map((count, rank) => count * notIn(buckets, rank)))),
      };
    }),
  };
}

/** None of `values` is in a given one of so many buckets: (1 − 1/B)^v, also where 1 − 1/B is 1 to a floating point number. */
const notIn = (buckets: number, values: number): number => Math.exp(values * Math.log1p(-1 / buckets));

function falsePositives(counts: Counts, buckets: number): number {
  const rows = rowsOf(counts);
  return sum([...counts.values()].map((count) => (count * (rows - count)) / buckets));
}

/** Expected rows. */
function recovered(counts: Counts, known: Counts): number {
  const here = ranksOf(counts);
  const there = ranksOf(known);
  return sum(
    [...counts].map(([name, count]) => {
      const [from, to] = here.get(name)!;
      const [knownFrom, knownTo] = there.get(name) ?? [0, 0];
      const common = Math.max(0, Math.min(to, knownTo) - Math.max(from, knownFrom));
      return common === 0 ? 0 : (count * common) / ((to - from) * (knownTo - knownFrom));
    }),
  );
}

/** For each value the ranks that it may have, from and up to: those of all that are equally frequent. */
function ranksOf(counts: Counts): ReadonlyMap<string, readonly [number, number]> {
  const byCount = new Map<number, string[]>();
  for (const [name, count] of counts) {
    const equal = byCount.get(count);
    if (equal === undefined) byCount.set(count, [name]);
    else equal.push(name);
  }
  const ranks = new Map<string, readonly [number, number]>();
  let next = 0;
  for (const [, names] of [...byCount].toSorted(([one], [other]) => other - one)) {
    for (const name of names) ranks.set(name, [next, next + names.length]);
    next += names.length;
  }
  return ranks;
}

const rowsOf = (counts: Counts): number => sum([...counts.values()]);
const descending = (counts: Counts): readonly number[] => [...counts.values()].toSorted((one, other) => other - one);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
