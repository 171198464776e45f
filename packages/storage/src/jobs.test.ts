import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, type Job } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { asSystem, inInstallation, type Database } from './database.ts';
import { StorageError } from './errors.ts';
import { startJobs, type FinishedRun, type Jobs } from './jobs.ts';

/** Waits until the condition holds; fails the test otherwise. */
async function until(condition: () => boolean | Promise<boolean>, milliseconds = 30_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await delay(10);
  }
}

interface Row {
  readonly holder: string | null;
  readonly failures: number;
  readonly last_error: string | null;
  /** Seconds until the next run; negative when it is due. */
  readonly wait: number;
}

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`jobs on ${engine.name}`, () => {
    let database: Database;
    let name = '';
    const running: Jobs[] = [];
    const runs: FinishedRun[] = [];

    beforeAll(async () => {
      database = await engine.open([]);
    });
    afterEach(async () => {
      await Promise.all(running.splice(0).map((jobs) => jobs.stop()));
      runs.length = 0;
    });

    const start = (run: Job<string>['run'], everySeconds = 3_600): Jobs => {
      const jobs = startJobs({
        database,
        jobs: [{ name, everySeconds, run }],
        services: 'the services',
        clock: systemClock,
        log: { jobFinished: (finished) => runs.push(finished) },
      });
      running.push(jobs);
      return jobs;
    };
    const row = async (): Promise<Row | undefined> =>
      database.transaction(asSystem, async (transaction) => {
        const { rows } = await sql<Row>`select holder, failures, last_error,
          extract(epoch from next_run - clock_timestamp())::float8 as wait from jobs where name = ${name}`.execute(
          transaction,
        );
        return rows[0];
      });

    it('run at once, then at their interval, with the services', async () => {
      name = 'test.interval';
      const seen: string[] = [];
      start(async (services) => {
        seen.push(services);
      }, 0.05);
      await until(() => seen.length >= 3);
      expect(new Set(seen)).toEqual(new Set(['the services']));
      expect(runs[0]).toEqual({ job: name, outcome: 'success', milliseconds: expect.any(Number) });
    });

    it('wait for their interval', async () => {
      name = 'test.waiting';
      let count = 0;
      start(async () => {
        count += 1;
      });
      await until(() => runs.length === 1);
      await delay(100);
      expect(count).toBe(1);
      expect((await row())?.wait).toBeGreaterThan(3_500);
    });

    it('run soon when nudged, from inside a transaction too', async () => {
      name = 'test.nudge';
      let count = 0;
      const jobs = start(async () => {
        await database.transaction(inInstallation, async () => undefined);
        count += 1;
      });
      await until(async () => (await row())?.holder === null && count === 1);
      await database.transaction(inInstallation, async () => jobs.nudge(name));
      await until(() => count === 2);
      expect(() => jobs.nudge('test.unknown')).toThrow(TypeError);
    });

    it('run once more when nudged while running', async () => {
      name = 'test.again';
      let count = 0;
      const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
      const jobs = start(async () => {
        count += 1;
        if (count === 1) await gate;
      });
      await until(() => count === 1);
      jobs.nudge(name);
      jobs.nudge(name);
      await delay(50);
      expect(count).toBe(1);
      openGate();
      await until(() => count === 2);
      await delay(100);
      expect(count).toBe(2);
    });

    it('run on one replica at a time, and a nudge reaches the one that runs', async () => {
      name = 'test.replicas';
      let current = 0;
      let most = 0;
      let count = 0;
      const work = async (): Promise<void> => {
        current += 1;
        most = Math.max(most, current);
        await delay(30);
        current -= 1;
        count += 1;
      };
      start(work, 0.02);
      start(work, 0.02);
      const third = start(work, 0.02);
      await until(() => count >= 5);
      third.nudge(name);
      await until(() => count >= 8);
      expect(most).toBe(1);
    });

    it('are nudged across replicas', async () => {
      name = 'test.across';
      let count = 0;
      const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
      const work = async (): Promise<void> => {
        count += 1;
        if (count === 1) await gate;
      };
      start(work);
      await until(() => count === 1);
      const other = start(work);
      other.nudge(name);
      await delay(100);
      expect(count).toBe(1);
      openGate();
      await until(() => count === 2);
    });

    it('wait longer after each failure, whose code alone is kept', async () => {
      name = 'test.failing';
      let count = 0;
      const jobs = start(async () => {
        count += 1;
        if (count === 1) throw new StorageError('storage.timeout', { detail: 'canary' });
        throw new RangeError('canary');
      }, 1);
      await until(async () => (await row())?.failures === 1);
      expect(await row()).toMatchObject({ last_error: 'storage.timeout', holder: null });
      jobs.nudge(name);
      await delay(100);
      expect(count).toBe(1);
      await until(async () => (await row())?.failures === 2);
      const { wait, last_error } = (await row())!;
      expect(last_error).toBe('RangeError');
      expect(wait).toBeGreaterThan(1.5);
      expect(JSON.stringify(runs)).not.toContain('canary');
      expect(runs.map(({ code }) => code)).toEqual(['storage.timeout', 'RangeError']);
    });

    it('start counting failures anew after a success', async () => {
      name = 'test.recovering';
      let count = 0;
      start(async () => {
        count += 1;
        if (count === 1) throw new Error('once');
      }, 0.01);
      await until(async () => count >= 2 && (await row())?.failures === 0);
      expect((await row())?.last_error).toBeNull();
    });

    it('are told to stop, waited for, and taken over at once', async () => {
      name = 'test.stopping';
      const events: string[] = [];
      const jobs = start(async (_, signal) => {
        events.push('started');
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await delay(30);
        events.push('ended');
        throw new Error('interrupted');
      });
      await until(() => events.length === 1);
      await jobs.stop();
      expect(events).toEqual(['started', 'ended']);
      const left = (await row())!;
      expect(left).toMatchObject({ holder: null, failures: 0, last_error: null });
      // Free and due: nobody waits for a lease to run out.
      expect(left.wait).toBeLessThanOrEqual(0);
      let takenOver = false;
      start(async () => {
        takenOver = true;
      });
      await until(() => takenOver);
    });

    it('stop when another process took them over', async () => {
      name = 'test.lost';
      let started = false;
      let aborted = false;
      start(async (_, signal) => {
        started = true;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        aborted = true;
      });
      await until(() => started);
      await database.transaction(asSystem, (transaction) =>
        sql`update jobs set holder = gen_random_uuid(), lease_until = 'infinity' where name = ${name}`.execute(
          transaction,
        ),
      );
      await until(() => aborted);
      expect((await row())?.holder).not.toBeNull();
    });

    it('must have different names', () => {
      const job = { name: 'test.twice', everySeconds: 1, run: async () => undefined };
      const starting = (): Jobs =>
        startJobs({
          database,
          jobs: [job, job],
          services: {},
          clock: systemClock,
          log: { jobFinished: () => undefined },
        });
      expect(starting).toThrow(TypeError);
    });
  });
}
