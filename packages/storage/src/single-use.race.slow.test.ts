import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { figure, needs } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { inInstallation } from './database.ts';
import { openDatabase, type Location } from './open-database.ts';
import { issueSingleUse } from './single-use.ts';

const PROCESSES = 4;
const ATTEMPTS = 50;
const SECRETS = 10;

/** Opens the database, says so, waits for the start signal and then attempts all secrets at once. */
const program = `
  import { consumeOnce, inInstallation, openDatabase } from './src/index.ts';
  const database = await openDatabase(JSON.parse(process.argv[1]), []);
  process.stdin.once('data', async () => {
    const wins = [];
    for (let secret = 0; secret < ${SECRETS}; secret += 1) {
      const results = await Promise.all(Array.from({ length: ${ATTEMPTS} }, () => database.transaction(inInstallation, (transaction) =>
        consumeOnce(transaction, { purpose: 'race', hash: new Uint8Array(32).fill(secret), now: Date.now() }))));
      wins.push(results.filter((result) => result !== undefined).length);
    }
    await database.close();
    process.stdout.write(JSON.stringify(wins));
    process.stdin.destroy();
  });
  process.stdout.write('ready ');`;

function startProcess(location: Location): {
  readonly ready: Promise<void>;
  readonly go: () => void;
  readonly wins: Promise<number[]>;
} {
  const parameters = ['--conditions=source', '--input-type=module-typescript', '-e', program, JSON.stringify(location)];
  const child = spawn(process.execPath, parameters, {
    cwd: resolve(import.meta.dirname, '..'),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>();
  let output = '';
  child.stdout.on('data', (data) => {
    output += String(data);
    if (output.startsWith('ready ')) isReady();
  });
  const wins = new Promise<number[]>((done, fail) => {
    child.once('close', (code) => {
      if (code === 0) done(JSON.parse(output.slice('ready '.length)) as number[]);
      else fail(new Error(`exit code ${code}`));
    });
  });
  return { ready, go: () => child.stdin.write('go'), wins };
}

const [pglite, postgresql] = databases('both');

describe('consumeOnce under a race', () => {
  it.skipIf(!needs('postgresql'))('has one winner among processes on PostgreSQL', async () => {
    const location = await postgresql!.fresh();
    const database = await openDatabase(location, []);
    await database.transaction(inInstallation, async (transaction) => {
      for (let secret = 0; secret < SECRETS; secret += 1) {
        const hash = new Uint8Array(32).fill(secret);
        await issueSingleUse(transaction, { purpose: 'race', hash, payload: secret, expiresAt: Date.now() + 600_000 });
      }
    });
    await database.close();
    const processes = Array.from({ length: PROCESSES }, () => startProcess(location));
    await Promise.all(processes.map(({ ready }) => ready));
    for (const { go } of processes) go();
    const wins = await Promise.all(processes.map((one) => one.wins));
    const perSecret = Array.from({ length: SECRETS }, (_, secret) => wins.reduce((sum, of) => sum + of[secret]!, 0));
    expect(perSecret).toEqual(Array.from({ length: SECRETS }, () => 1));
    figure(
      `${SECRETS} single-use secrets, ${PROCESSES} processes × ${ATTEMPTS} parallel attempts each: one success per secret`,
    );
  });

  it('has one winner among parallel attempts on PGlite', async () => {
    const { consumeOnce } = await import('./single-use.ts');
    const database = await pglite!.open([]);
    const hash = new Uint8Array(32);
    await database.transaction(inInstallation, (transaction) =>
      issueSingleUse(transaction, { purpose: 'race', hash, payload: 1, expiresAt: Date.now() + 600_000 }),
    );
    const results = await Promise.all(
      Array.from({ length: PROCESSES * ATTEMPTS }, () =>
        database.transaction(inInstallation, (transaction) =>
          consumeOnce(transaction, { purpose: 'race', hash, now: Date.now() }),
        ),
      ),
    );
    expect(results.filter((result) => result !== undefined)).toEqual([1]);
  });
});
