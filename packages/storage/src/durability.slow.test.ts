import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { figure, needs, temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';

const INSERTS = 300;

/** Stores rows one by one and confirms each on its standard output. */
const program = (durability: string): string => `
  import { writeSync } from 'node:fs';
  import { sql } from 'kysely';
  import { inInstallation, openDatabase } from './src/index.ts';
  const database = await openDatabase({ kind: 'folder', path: process.argv[1], durability: '${durability}' }, []);
  writeSync(1, 'begin\\n');
  const started = performance.now();
  for (let index = 0; index < ${INSERTS}; index += 1) {
    await database.transaction(inInstallation, (transaction) => sql\`insert into jobs (name) values (\${String(index)})\`.execute(transaction));
    writeSync(1, 'confirmed ' + index + '\\n');
  }
  writeSync(1, 'end ' + Math.round(${INSERTS} / ((performance.now() - started) / 1000)) + ' per second\\n');
  await database.close();
  writeSync(1, 'closed\\n');`;

const command = (durability: string, folder: string): string[] => [
  process.execPath,
  '--conditions=source',
  '--input-type=module-typescript',
  '-e',
  program(durability),
  folder,
];
const packageFolder = resolve(import.meta.dirname, '..');

interface Trace {
  /** What happened, in order: a sync of a file of the write-ahead log, of anything else, or a confirmation. */
  readonly events: readonly ('log' | 'other' | 'confirmed' | 'begin' | 'end')[];
  readonly output: string;
}

function trace(durability: string): Trace {
  const folder = temporaryFolder();
  const log = join(folder, 'trace');
  const options = ['-f', '-y', '-s', '200', '-e', 'trace=fsync,fdatasync,write', '-e', 'signal=none', '-o', log];
  const { status, stdout, stderr } = spawnSync('strace', [...options, ...command(durability, join(folder, 'data'))], {
    cwd: packageFolder,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const events: Trace['events'][number][] = [];
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    if (/ f(data)?sync\(\d+<.*\/pg_wal\/[0-9A-F]{24}>\)\s+= 0/.test(line)) events.push('log');
    else if (/ f(data)?sync\(\d+<.*>\)\s+= 0/.test(line)) events.push('other');
    else {
      const [, word] = / write\(1<[^>]*>, "(begin|confirmed|end)/.exec(line) ?? [];
      if (word === 'begin' || word === 'confirmed' || word === 'end') events.push(word);
    }
  }
  return { events, output: stdout };
}

/** Confirmations that no sync of the write-ahead log came before, since the one before it. */
function unsynced({ events }: Trace): number {
  let missing = 0;
  let synced = false;
  for (const event of events.slice(events.indexOf('begin') + 1, events.indexOf('end'))) {
    if (event === 'log') synced = true;
    if (event !== 'confirmed') continue;
    if (!synced) missing += 1;
    synced = false;
  }
  return missing;
}

describe.skipIf(!needs('strace'))('durability', () => {
  it('syncs the write-ahead log before each confirmation', () => {
    const durable = trace('durable');
    expect(durable.events.filter((event) => event === 'confirmed')).toHaveLength(INSERTS);
    expect(unsynced(durable)).toBe(0);
    // The checkpoint at closing syncs tables and folders too.
    expect(
      durable.events.slice(durable.events.indexOf('end')).filter((event) => event === 'other').length,
    ).toBeGreaterThan(5);
    const syncs = durable.events
      .slice(durable.events.indexOf('begin'), durable.events.indexOf('end'))
      .filter((event) => event === 'log');
    figure(
      `durable: ${INSERTS} confirmed inserts, each preceded by a sync of the write-ahead log (${syncs.length} in all)`,
    );
  });

  it('would notice if it did not: relaxed does not sync', () => {
    const relaxed = trace('relaxed');
    expect(relaxed.events.filter((event) => event === 'confirmed')).toHaveLength(INSERTS);
    expect(unsynced(relaxed)).toBe(INSERTS);
  });

  it('survives kill -9: every confirmed row is there, and the lock is free', async () => {
    const folder = join(temporaryFolder(), 'data');
    for (let round = 0; round < 3; round += 1) {
      const [executable = '', ...parameters] = command('durable', folder).map((part) =>
        part.replace('String(index)', `'${round}-' + index`),
      );
      const child = spawn(executable, parameters, { cwd: packageFolder, stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      const killAfter = 20 + round * 50;
      await new Promise<void>((done) => {
        child.stdout.on('data', (data) => {
          output += String(data);
          if (output.includes(`confirmed ${killAfter}\n`)) child.kill('SIGKILL');
        });
        child.once('close', () => done());
      });
      expect(output).not.toContain('end');
      const confirmed = [...output.matchAll(/confirmed (\d+)\n/g)].map(([, index]) => `${round}-${index}`);
      expect(confirmed.length).toBeGreaterThan(killAfter);
      const { sql } = await import('kysely');
      const { inInstallation, openDatabase } = await import('./index.ts');
      const database = await openDatabase({ kind: 'folder', path: folder }, []);
      const { rows } = await database.transaction(inInstallation, (transaction) =>
        sql<{ name: string }>`select name from jobs`.execute(transaction),
      );
      await database.close();
      const found = new Set(rows.map(({ name }) => name));
      expect(confirmed.filter((name) => !found.has(name))).toEqual([]);
    }
  });

  it('refuses a second process while the first runs, naming it, and lets it in afterwards', async () => {
    const folder = join(temporaryFolder(), 'data');
    const [executable = '', ...parameters] = command('durable', folder).map((part) =>
      part.replace(
        "writeSync(1, 'begin\\n');",
        "writeSync(1, 'begin\\n'); await new Promise((resolve) => process.stdin.once('data', resolve));",
      ),
    );
    const child = spawn(executable, parameters, { cwd: packageFolder, stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise<void>((done) => {
      child.stdout.once('data', () => done());
    });
    const second = spawnSync(executable, parameters, { cwd: packageFolder, encoding: 'utf8', input: 'go' });
    expect(second.status).not.toBe(0);
    expect(second.stderr).toContain(`Another process has this data folder open`);
    expect(second.stderr).toContain(`process ${child.pid}`);
    child.kill('SIGKILL');
    await new Promise<void>((done) => {
      child.once('close', () => done());
    });
    const third = spawnSync(executable, parameters, { cwd: packageFolder, encoding: 'utf8', input: 'go' });
    expect(third.stderr).toBe('');
    expect(third.stdout).toContain('closed');
  });
});
