/** Background jobs: each runs on one replica at a time, and on another when that one stops. */
import { setTimeout as delay } from 'node:timers/promises';
import { StrongroomError, type Clock, type Job } from '@strongroom/kernel';
import type { Database } from './database.ts';
import { JobLeases, type ClaimedJob } from './internal/job-lease.ts';

/** Well within the lease, so that one late renewal does no harm. Milliseconds. */
const RENEW_EVERY = 1_300;
/** Longest time without looking, in case a row was changed by hand. Milliseconds. */
const LOOK_AT_LEAST_EVERY = 4_000;
/** Before trying again when the database cannot be reached. Milliseconds. */
const PAUSE_AFTER_TROUBLE = 1_000;
/** The pause after a failure doubles from the job's own interval up to this. Seconds. */
const LONGEST_BACKOFF = 3_600;

export interface FinishedRun {
  readonly job: string;
  readonly outcome: 'success' | 'failure';
  readonly milliseconds: number;
  /** Code of the error, or its class; never its message. */
  readonly code?: string;
}

export interface JobLog {
  jobFinished(run: FinishedRun): void;
}

export interface JobsOptions<Services> {
  readonly database: Database;
  readonly jobs: readonly Job<Services>[];
  readonly services: Services;
  readonly clock: Clock;
  readonly log: JobLog;
}

export interface Jobs {
  /** Has the job run soon, once more if it is running now. Cheap; may be called after every commit. */
  nudge(name: string): void;
  /** Tells running jobs to stop by their signal, waits for them and hands the others on. Call it before closing the database. */
  stop(): Promise<void>;
}

const codeOf = (error: unknown): string => {
  if (error instanceof StrongroomError) return error.code;
  return error instanceof Error ? error.constructor.name : 'unknown';
};

class Runner<Services> implements Jobs {
  readonly #options: JobsOptions<Services>;
  readonly #jobs: ReadonlyMap<string, Job<Services>>;
  readonly #leases: JobLeases;
  readonly #nudged = new Set<string>();
  readonly #running = new Map<string, { readonly controller: AbortController; readonly done: Promise<void> }>();
  readonly #loop: Promise<void>;
  #stopping = false;
  #wake: () => void = () => undefined;

  constructor(options: JobsOptions<Services>) {
    this.#options = options;
    this.#jobs = new Map(options.jobs.map((job) => [job.name, job]));
    if (this.#jobs.size !== options.jobs.length) throw new TypeError('jobs: two jobs have the same name');
    this.#leases = new JobLeases(options.database);
    this.#loop = this.#schedule();
  }

  nudge(name: string): void {
    if (!this.#jobs.has(name)) throw new TypeError(`jobs: "${name}" is not known`);
    this.#nudged.add(name);
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { controller } of this.#running.values()) controller.abort();
    this.#wake();
    await this.#loop;
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  async #schedule(): Promise<void> {
    let registered = false;
    while (!this.#stopping) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      let pause = LOOK_AT_LEAST_EVERY;
      try {
        if (!registered) await this.#leases.register([...this.#jobs.keys()]);
        registered = true;
        pause = await this.#startDue();
      } catch (error) {
        this.#options.log.jobFinished({
          job: 'storage.jobs',
          outcome: 'failure',
          milliseconds: 0,
          code: codeOf(error),
        });
        pause = PAUSE_AFTER_TROUBLE;
      }
      if (this.#stopping) return;
      const timer = new AbortController();
      await Promise.race([woken, delay(pause, undefined, { signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
    }
  }

  /** Returns how long nothing will be due, in milliseconds. */
  async #startDue(): Promise<number> {
    const idle = [...this.#jobs.keys()].filter((name) => !this.#running.has(name));
    if (idle.length === 0) return LOOK_AT_LEAST_EVERY;
    const nudged = idle.filter((name) => this.#nudged.delete(name));
    let claims: Awaited<ReturnType<JobLeases['claim']>>;
    try {
      claims = await this.#leases.claim(idle, nudged);
    } catch (error) {
      for (const name of nudged) this.#nudged.add(name);
      throw error;
    }
    for (const claimed of claims.claimed) this.#start(claimed);
    return Math.min(Math.max(claims.nextIn ?? LOOK_AT_LEAST_EVERY, 0) + 1, LOOK_AT_LEAST_EVERY);
  }

  #start(claimed: ClaimedJob): void {
    const job = this.#jobs.get(claimed.name);
    if (job === undefined) return;
    const controller = new AbortController();
    if (this.#stopping) controller.abort();
    const done = this.#run(job, claimed, controller).finally(() => {
      this.#running.delete(job.name);
      this.#wake();
    });
    this.#running.set(job.name, { controller, done });
  }

  async #run(job: Job<Services>, claimed: ClaimedJob, controller: AbortController): Promise<void> {
    const { services, clock, log } = this.#options;
    const started = clock.now();
    const renewal = new AbortController();
    const renewing = this.#renew(job.name, controller, renewal.signal);
    let failure: string | undefined;
    try {
      if (!controller.signal.aborted) await job.run(services, controller.signal);
    } catch (error) {
      // Told to stop, a job may end any way it likes.
      if (!controller.signal.aborted) failure = codeOf(error);
    }
    renewal.abort();
    await renewing;
    const failures = failure === undefined ? 0 : claimed.failures + 1;
    const backoff = Math.min(Math.max(job.everySeconds, 1) * 2 ** Math.min(failures - 1, 30), LONGEST_BACKOFF);
    const usual = controller.signal.aborted ? 0 : job.everySeconds;
    log.jobFinished({
      job: job.name,
      outcome: failure === undefined ? 'success' : 'failure',
      milliseconds: clock.now() - started,
      ...(failure === undefined ? {} : { code: failure }),
    });
    try {
      await this.#leases.finish({
        ...claimed,
        failures,
        code: failure ?? null,
        nextInSeconds: failure === undefined ? usual : Math.max(backoff, job.everySeconds),
      });
    } catch (error) {
      // The lease runs out by itself.
      log.jobFinished({ job: 'storage.jobs', outcome: 'failure', milliseconds: 0, code: codeOf(error) });
    }
  }

  /** Keeps the lease while the job runs. Tells the job to stop when another process has it. */
  async #renew(name: string, controller: AbortController, ended: AbortSignal): Promise<void> {
    for (;;) {
      await delay(RENEW_EVERY, undefined, { signal: ended }).catch(() => undefined);
      if (ended.aborted) return;
      try {
        if (!(await this.#leases.renew(name))) {
          controller.abort();
          return;
        }
      } catch {
        // Tried again soon; if the database stays away, the job's own queries fail as well.
      }
    }
  }
}

/** Starts at once. Jobs run outside any transaction and open their own. */
export function startJobs<Services>(options: JobsOptions<Services>): Jobs {
  return new Runner(options);
}
