/**
 * The table `jobs`: who runs what. Times are the database's own, since replicas' clocks differ. Nothing here needs to survive
 * a power cut, so these transactions do not wait for the disk.
 */
import { newUuid, type Uuid } from '@strongroom/kernel';
import { sql } from 'kysely';
import { asSystem, type Database, type Transaction } from '../database.ts';

/** A replica that stopped renewing has lost its jobs after this time. Seconds. */
const LEASE = 4;

export interface ClaimedJob {
  readonly name: string;
  /** How often the job had been nudged when it was claimed. */
  readonly nudges: number;
  /** Runs that failed in a row before this one. */
  readonly failures: number;
}

export interface Claims {
  readonly claimed: readonly ClaimedJob[];
  /** Milliseconds until a job not run here is due or its lease ends; `null` when there is none. */
  readonly nextIn: number | null;
}

export interface FinishedJob extends ClaimedJob {
  readonly code: string | null;
  readonly nextInSeconds: number;
}

export class JobLeases {
  /** Tells this process's runs from those of others. */
  readonly #holder: Uuid = newUuid();
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  #change<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#database.transaction(asSystem, async (transaction) => {
      await sql`set local synchronous_commit = off`.execute(transaction);
      return work(transaction);
    });
  }

  async register(names: readonly string[]): Promise<void> {
    await this.#change((transaction) =>
      sql`insert into jobs (name) select unnest(${names}::text[]) on conflict (name) do nothing`.execute(transaction),
    );
  }

  /**
   * Takes what is due of `idle`, the jobs not running here. A nudged job is due at once, unless it is waiting after a failure;
   * one that runs elsewhere is noted, so that its runner starts it again.
   */
  async claim(idle: readonly string[], nudged: readonly string[]): Promise<Claims> {
    return this.#change(async (transaction) => {
      const { rows: claimed } = await sql<ClaimedJob>`
        update jobs set holder = ${this.#holder}, lease_until = clock_timestamp() + make_interval(secs => ${LEASE})
        where name in (
          select name from jobs
          where name = any(${idle}::text[])
            and (next_run <= clock_timestamp() or (name = any(${nudged}::text[]) and failures = 0))
            and (lease_until is null or lease_until < clock_timestamp())
          for update skip locked)
        returning name, nudges, failures`.execute(transaction);
      const taken = new Set(claimed.map(({ name }) => name));
      const elsewhere = nudged.filter((name) => !taken.has(name));
      if (elsewhere.length > 0) {
        // Its run may have ended a moment ago: then the row was skipped above, and is due now.
        await sql`update jobs set nudges = nudges + 1,
            next_run = case when lease_until is null and failures = 0 then clock_timestamp() else next_run end
          where name = any(${elsewhere}::text[])`.execute(transaction);
      }
      const waiting = idle.filter((name) => !taken.has(name));
      const { rows: next } = await sql<{ milliseconds: number | null }>`
        select extract(epoch from min(greatest(next_run, lease_until)) - clock_timestamp())::float8 * 1000 as milliseconds
        from jobs where name = any(${waiting}::text[])`.execute(transaction);
      return { claimed, nextIn: next[0]?.milliseconds ?? null };
    });
  }

  /** False when another process took the job over meanwhile. */
  async renew(name: string): Promise<boolean> {
    return this.#change(async (transaction) => {
      const { rows } = await sql`
        update jobs set lease_until = clock_timestamp() + make_interval(secs => ${LEASE})
        where name = ${name} and holder = ${this.#holder} returning name`.execute(transaction);
      return rows.length === 1;
    });
  }

  async finish(job: FinishedJob): Promise<void> {
    await this.#change((transaction) =>
      sql`update jobs set holder = null, lease_until = null, last_finished = clock_timestamp(),
          failures = ${job.failures}, last_error = ${job.code},
          next_run = clock_timestamp() + make_interval(secs =>
            case when nudges <> ${job.nudges} and ${job.failures}::int = 0 then 0 else ${job.nextInSeconds}::float8 end)
        where name = ${job.name} and holder = ${this.#holder}`.execute(transaction),
    );
  }
}
