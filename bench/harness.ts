/**
 * Measures contenders side by side: in one process, in turn, in short slices over many rounds, so that a machine that
 * gets slower or faster meanwhile does so for all of them. Medians are reported, and ratios of the same round.
 */

export interface Contender {
  readonly name: string;
  /** One operation, synchronous or not. */
  readonly run: () => unknown;
}

export interface Case {
  /** What is done, and to how much, for example `encrypt 100 B`. */
  readonly name: string;
  /** The first one is ours; ratios compare it with each of the others. */
  readonly contenders: readonly [Contender, ...Contender[]];
  /** At most so many rounds, where one operation takes minutes. */
  readonly rounds?: number;
  /** Operations of each before anything is measured, where a server runs code that was compiled long ago and a slice would end before. */
  readonly warmUp?: number;
}

export interface Suite {
  readonly title: string;
  /** npm packages measured beside ours; their versions are taken from bench/package-lock.json. */
  readonly peers: readonly string[];
  /** Throws when the contenders' results do not fit each other: what differs in result is not compared in speed. */
  readonly cases: (options: SuiteOptions) => readonly Case[] | Promise<readonly Case[]>;
  /** What is claimed. A suite without promises tells its ratios and breaks none. */
  readonly promises?: readonly Promised[];
  /** What no ratio tells, in sentences; asked for when everything was measured. */
  readonly figures?: () => readonly string[];
}

export interface SuiteOptions {
  /** A look, not a measurement: what takes minutes is done on less. */
  readonly isQuick: boolean;
}

/** Ours is at least this many times as fast as the named contender, in every case that has it. */
export interface Promised {
  readonly contender: string;
  readonly times: number;
}

export interface Settings {
  readonly rounds: number;
  readonly sliceMilliseconds: number;
}

export interface Measurement {
  readonly name: string;
  /** Median over the rounds. */
  readonly operationsPerSecond: number;
  /** First and third quartile over the rounds. */
  readonly quartiles: readonly [number, number];
}

export interface Ratio {
  readonly to: string;
  /** Ours divided by theirs, in the same round; median over the rounds. */
  readonly times: number;
  readonly quartiles: readonly [number, number];
}

export interface CaseResult {
  readonly name: string;
  readonly measurements: readonly Measurement[];
  readonly ratios: readonly Ratio[];
}

/** The value below which the given share of all values lies, between two neighbours proportionally. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const position = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]];
  if (below === undefined || above === undefined) throw new RangeError('quantile: values must not be empty');
  return below + (above - below) * (position % 1);
}

/** Where results go, so that no operation can be optimised away. */
export const sink: { result: unknown } = { result: undefined };

/** Runs the operation `count` times, one after the other. */
async function repeat({ run }: Contender, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const result = run();
    // Awaiting what is no promise would cost the synchronous contender a turn of the event loop.
    sink.result = result instanceof Promise ? await result : result;
  }
}

/** Operations between two looks at the clock, so that looking costs nothing. Finding it is also the warm-up. */
async function batchSize(contender: Contender, milliseconds: number): Promise<number> {
  for (let size = 1; ; size *= 2) {
    const started = performance.now();
    await repeat(contender, size);
    if (performance.now() - started >= milliseconds) return Math.max(1, Math.round(size / 8));
  }
}

/** Operations per second during at least the given time. */
async function slice(contender: Contender, batch: number, milliseconds: number): Promise<number> {
  const started = performance.now();
  let operations = 0;
  let took = 0;
  while (took < milliseconds) {
    await repeat(contender, batch);
    operations += batch;
    took = performance.now() - started;
  }
  return (operations / took) * 1000;
}

const quartiles = (values: readonly number[]): [number, number] => [quantile(values, 0.25), quantile(values, 0.75)];

export async function measure({ name, contenders, rounds, warmUp }: Case, settings: Settings): Promise<CaseResult> {
  const runners: { readonly contender: Contender; readonly batch: number; readonly speeds: number[] }[] = [];
  for (const contender of contenders) {
    await repeat(contender, warmUp ?? 0);
    runners.push({ contender, batch: await batchSize(contender, settings.sliceMilliseconds), speeds: [] });
  }
  for (let round = 0; round < Math.min(rounds ?? settings.rounds, settings.rounds); round += 1) {
    // Each round begins with another contender: none always follows the same one's garbage.
    for (let turn = 0; turn < runners.length; turn += 1) {
      const runner = runners[(round + turn) % runners.length];
      if (runner === undefined) continue;
      runner.speeds.push(await slice(runner.contender, runner.batch, settings.sliceMilliseconds));
    }
  }
  const [ours, ...others] = runners;
  return {
    name,
    measurements: runners.map(({ contender, speeds }) => ({
      name: contender.name,
      operationsPerSecond: quantile(speeds, 0.5),
      quartiles: quartiles(speeds),
    })),
    ratios: others.map(({ contender, speeds }) => {
      const times = speeds.map((speed, round) => (ours?.speeds[round] ?? Number.NaN) / speed);
      return { to: contender.name, times: quantile(times, 0.5), quartiles: quartiles(times) };
    }),
  };
}
