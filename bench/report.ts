/** What a benchmark leaves behind: a table for people, a file for comparison, and a verdict. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import type { CaseResult, Settings, Suite } from './harness.ts';

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 3 });
/** Whole numbers, but three digits of what happens less than a hundred times a second. */
const rounded = (speed: number): number => (speed < 100 ? Number(speed.toPrecision(3)) : Math.round(speed));
const times = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(1)}×`;

/** Half the distance of the quartiles, in percent of the median. */
const spread = (median: number, [low, high]: readonly [number, number]): string =>
  `±${(((high - low) / 2 / median) * 100).toFixed(1)} %`;

export function table(results: readonly CaseResult[]): readonly string[] {
  const rows = [['case', 'contender', 'ops/s', 'spread', 'ratio', 'spread']];
  for (const { name, measurements, ratios } of results) {
    for (const { name: contender, operationsPerSecond, quartiles } of measurements) {
      const ratio = ratios.find(({ to }) => to === contender);
      rows.push([
        name,
        contender,
        number.format(rounded(operationsPerSecond)),
        spread(operationsPerSecond, quartiles),
        ratio === undefined ? '' : times(ratio.times),
        ratio === undefined ? '' : spread(ratio.times, ratio.quartiles),
      ]);
    }
  }
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
}

function installedVersion(name: string): string {
  const lockfile = JSON.parse(readFileSync(join(import.meta.dirname, 'package-lock.json'), 'utf8')) as Lockfile;
  return lockfile.packages[`node_modules/${name}`]?.version ?? 'unknown';
}

/** Names the machine by its processor only. */
export const resultFile = (suite: Suite, results: readonly CaseResult[], settings: Settings, date: Date): object => ({
  title: suite.title,
  date: date.toISOString().slice(0, 10),
  machine: {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    platform: `${process.platform}-${process.arch}`,
  },
  node: process.versions.node,
  openssl: process.versions.openssl,
  peers: Object.fromEntries(suite.peers.map((name) => [name, installedVersion(name)])),
  settings,
  cases: results.map(({ name, measurements, ratios }) => ({
    name,
    measurements: measurements.map((one) => ({
      name: one.name,
      operationsPerSecond: rounded(one.operationsPerSecond),
      quartiles: one.quartiles.map(rounded),
    })),
    ratios: ratios.map(({ to, times: ratio, quartiles }) => ({
      to,
      times: Math.round(ratio * 100) / 100,
      quartiles: quartiles.map((value) => Math.round(value * 100) / 100),
    })),
  })),
  ...(suite.figures === undefined ? {} : { figures: suite.figures() }),
});

export interface Verdict {
  readonly kept: boolean;
  readonly text: string;
}

/** For each promise the smallest ratio of all cases; without promises the smallest of all, which is then no promise to break. */
export function verdicts({ title, promises }: Suite, results: readonly CaseResult[]): readonly Verdict[] {
  const ratios = results.flatMap(({ name, ratios: own }) => own.map((ratio) => ({ ...ratio, name })));
  const smallest = (among: typeof ratios): string => {
    const least = among.toSorted((left, right) => left.times - right.times)[0];
    if (least === undefined) return `${title}: nothing to compare with`;
    return `${title}: at least ${times(least.times)} ${least.to} (smallest of ${among.length} ratios: ${least.name})`;
  };
  if (promises === undefined) return [{ kept: true, text: smallest(ratios) }];
  return promises.map(({ contender, times: promised }) => {
    const relevant = ratios.filter(({ to }) => to === contender);
    const kept = relevant.length > 0 && relevant.every((ratio) => ratio.times >= promised);
    return { kept, text: kept ? smallest(relevant) : `${smallest(relevant)}; promised: at least ${promised}×` };
  });
}
