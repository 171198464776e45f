import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { figure, needs } from '@strongroom/testing';
import { systemClock } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { startJobs } from './jobs.ts';
import { openDatabase, type Location } from './open-database.ts';

/** A replica whose job says when it starts, runs on for long and ends when told to. */
const program = `
  import { systemClock } from '@strongroom/kernel';
  import { openDatabase, startJobs } from './src/index.ts';
  const database = await openDatabase(JSON.parse(process.argv[1]), []);
  const run = (_, signal) => new Promise((resolve) => {
    process.stdout.write('running ');
    const timer = setTimeout(resolve, 60_000);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); });
  });
  const jobs = startJobs({ database, jobs: [{ name: 'chaos', everySeconds: 0, run }], services: {}, clock: systemClock, log: { jobFinished: () => {} } });
  process.once('SIGTERM', async () => { await jobs.stop(); await database.close(); });
  process.stdout.write('ready ');`;

interface Replica {
  readonly child: ChildProcess;
  runs: boolean;
}

async function startReplica(location: Location): Promise<Replica> {
  const parameters = ['--conditions=source', '--input-type=module-typescript', '-e', program, JSON.stringify(location)];
  const child = spawn(process.execPath, parameters, {
    cwd: resolve(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const replica: Replica = { child, runs: false };
  await new Promise<void>((ready) => {
    child.stdout.on('data', (data) => {
      if (String(data).includes('ready')) ready();
      if (String(data).includes('running')) replica.runs = true;
    });
  });
  return replica;
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((done) => {
    setTimeout(done, milliseconds);
  });

describe.skipIf(!needs('postgresql'))('a job whose replica goes away', () => {
  const [, postgresql] = databases('both');

  it.each(['SIGKILL', 'SIGTERM'] as const)('is taken over after %s', async (signal) => {
    const location = await postgresql!.fresh();
    await (await openDatabase(location, [])).close();
    const replicas = await Promise.all([startReplica(location), startReplica(location), startReplica(location)]);
    const times: number[] = [];
    for (let remaining = replicas.length; remaining > 1; remaining -= 1) {
      while (!replicas.some(({ runs }) => runs)) await pause(10);
      // Long enough for several renewals of the lease.
      await pause(3_000);
      expect(replicas.filter(({ runs }) => runs)).toHaveLength(1);
      const index = replicas.findIndex(({ runs }) => runs);
      const [gone] = replicas.splice(index, 1);
      const ended = Date.now();
      gone!.child.kill(signal);
      while (!replicas.some(({ runs }) => runs)) await pause(5);
      times.push(Date.now() - ended);
    }
    for (const { child } of replicas) child.kill('SIGKILL');
    figure(`jobs: taken over ${Math.max(...times)} ms after ${signal} of their replica`);
  });
});

for (const engine of databases('both')) {
  describe.skipIf(!engine.available)(`a long job on ${engine.name}`, () => {
    it('keeps its lease as long as it runs', async () => {
      const database = await engine.open([]);
      let running = 0;
      let most = 0;
      const { promise: second, resolve: secondEnded } = Promise.withResolvers<void>();
      let runs = 0;
      const run = async (): Promise<void> => {
        running += 1;
        most = Math.max(most, running);
        // Longer than two leases.
        await pause(9_000);
        running -= 1;
        runs += 1;
        if (runs === 2) secondEnded();
      };
      const replicas = [1, 2].map(() =>
        startJobs({
          database,
          jobs: [{ name: 'long', everySeconds: 0, run }],
          services: {},
          clock: systemClock,
          log: { jobFinished: () => undefined },
        }),
      );
      await second;
      expect(most).toBe(1);
      await Promise.all(replicas.map((replica) => replica.stop()));
    });
  });
}
