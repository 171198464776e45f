/** Killed processes and full disks, in processes of their own. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { figure, needs, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { openDatabase } from '@strongroom/storage';
import { beforeAll, describe, expect, it } from 'vitest';
import { createBackup } from './create-backup.ts';
import { content, fill, houses } from './house.test-support.ts';
import { generateIdentity, type GeneratedIdentity } from './identities.ts';
import { restoreBackup } from './restore-backup.ts';

const here = resolve(import.meta.dirname, '..');
const ROWS = 20_000;

const engines = databases();
let person: GeneratedIdentity;
let file: string;
let rows: readonly string[];
beforeAll(async () => {
  person = await generateIdentity('x25519');
  file = join(temporaryFolder(), 'backup.age');
  const database = await engines[0]!.open([houses]);
  await fill(database, ROWS);
  rows = await content(database);
  await createBackup({ database, path: file, recipients: [person.recipient], program: '1' });
});

/** Runs statements with `options` at hand; in front may stand a program that runs it. */
function run(body: string, options: object, before: readonly string[] = []) {
  const program = `
    import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
    import { openDatabase } from '@strongroom/storage';
    import { createBackup, restoreBackup } from './src/index.ts';
    import { content, fill, houses } from './src/house.test-support.ts';
    const options = JSON.parse(process.argv[1]);
    const attempt = async (work) => { try { await work(); return 'done'; } catch (error) { return error.code ?? String(error); } };
    const report = {};
    ${body}
    console.log(JSON.stringify(report));`;
  const command = [
    ...before,
    process.execPath,
    '--conditions=source',
    '--expose-gc',
    '--input-type=module-typescript',
    '-e',
    program,
  ];
  return spawnSync(command[0]!, [...command.slice(1), JSON.stringify(options)], {
    cwd: here,
    encoding: 'utf8',
    timeout: 200_000,
  });
}

for (const engine of engines) {
  describe.skipIf(!engine.available)(`interrupted on ${engine.name}`, () => {
    it('a restore killed at any point leaves an empty database, and the next one is complete', async () => {
      const location = await engine.fresh();
      const kill = `
        await restoreBackup({ ...options, identities: [options.identity], manifests: [houses],
          onProgress: (done, total) => { if (done / total >= options.share) process.kill(process.pid, 'SIGKILL'); } });`;
      for (const share of [0, 0.5, 1]) {
        expect(run(kill, { path: file, identity: person.identity, location, share })).toMatchObject({
          signal: 'SIGKILL',
        });
      }
      const empty = await openDatabase(location, [houses]);
      expect(await content(empty)).toEqual([]);
      await empty.close();
      await restoreBackup({ path: file, identities: [person.identity], location, manifests: [houses] });
      const restored = await openDatabase(location, [houses]);
      expect(await content(restored)).toEqual(rows);
      await restored.close();
    });

    it('a backup killed in the middle leaves no file of its name, and the database as it was', async () => {
      const location = await engine.fresh();
      await restoreBackup({ path: file, identities: [person.identity], location, manifests: [houses] });
      const path = join(temporaryFolder(), 'killed.age');
      const kill = `
        const database = await openDatabase(options.location, [houses]);
        await createBackup({ database, path: options.path, recipients: [options.recipient], program: '1',
          onProgress: (done, total) => { if (done > total / 2) process.kill(process.pid, 'SIGKILL'); } });`;
      expect(run(kill, { path, recipient: person.recipient, location })).toMatchObject({ signal: 'SIGKILL' });
      expect(existsSync(path)).toBe(false);
      expect(readdirSync(join(path, '..'))).toEqual([expect.stringMatching(/^\.killed\.age\.\w+\.partial$/)]);
      const database = await openDatabase(location, [houses]);
      await createBackup({ database, path, recipients: [person.recipient], program: '1' });
      expect(await content(database)).toEqual(rows);
      await database.close();
    });
  });
}

/** A mount namespace of one's own: a small file system that vanishes with the process. */
const small = (folder: string, size: string): readonly string[] => [
  'unshare',
  '-rm',
  'sh',
  '-c',
  `mount -t tmpfs -o size=${size} tmpfs "$0" && exec "$@"`,
  folder,
];

describe.skipIf(!needs('mount'))('a full disk', () => {
  it('leaves nothing of a backup behind, and the next one succeeds when there is space', () => {
    const disk = temporaryFolder();
    const body = `
      const database = await openDatabase({ kind: 'memory' }, [houses]);
      await fill(database, 3000);
      const create = () => createBackup({ database, path: options.disk + '/vault.age', recipients: [options.recipient], program: '1' });
      writeFileSync(options.disk + '/filler', Buffer.alloc(1_500_000));
      report.full = await attempt(create);
      report.left = readdirSync(options.disk);
      rmSync(options.disk + '/filler');
      report.freed = await attempt(create);
      report.after = readdirSync(options.disk);
      report.rows = (await content(database)).length;
      await database.close();`;
    const { stdout, stderr } = run(body, { disk, recipient: person.recipient }, small(disk, '4m'));
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      full: 'backup.disk-full',
      left: ['filler'],
      freed: 'done',
      after: ['vault.age'],
      rows: 3001,
    });
  });

  it('ends a restore with an empty database, and the next one succeeds when there is space', () => {
    const disk = temporaryFolder();
    const source = join(temporaryFolder(), 'copy.age');
    copyFileSync(file, source);
    mkdirSync(disk, { recursive: true });
    const body = `
      const location = { kind: 'folder', path: options.disk + '/data' };
      await (await openDatabase(location, [houses])).close();
      const occupy = () => { try { writeFileSync(options.disk + '/filler', Buffer.alloc(2 ** 28)); } catch {} truncateSync(options.disk + '/filler', statSync(options.disk + '/filler').size - 2 ** 23); };
      const restore = () => restoreBackup({ path: options.source, identities: [options.identity], location, manifests: [houses] });
      occupy();
      report.full = await attempt(restore);
      rmSync(options.disk + '/filler');
      report.freed = await attempt(restore);
      const database = await openDatabase(location, [houses]);
      report.rows = (await content(database)).length;
      await database.close();`;
    const { stdout, stderr } = run(body, { disk, source, identity: person.identity }, small(disk, '250m'));
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ full: 'storage.disk-full', freed: 'done', rows: ROWS + 1 });
  });
});

describe('a large database', () => {
  it('needs the same memory as a small one', async () => {
    const body = `
      const database = await openDatabase({ kind: 'memory' }, [houses]);
      await fill(database, options.rows);
      globalThis.gc();
      const before = process.memoryUsage();
      let [most, calls] = [0, 0];
      const started = performance.now();
      const summary = await createBackup({ database, path: options.path, recipients: [options.recipient], program: '1', onProgress: () => {
        calls += 1;
        if (calls % 20 !== 0) return;
        // What waits to be collected is not what the backup needs.
        globalThis.gc();
        const now = process.memoryUsage();
        most = Math.max(most, now.heapUsed + now.external - before.heapUsed - before.external);
      } });
      report.milliseconds = performance.now() - started;
      report.bytes = summary.bytes;
      report.most = most;
      report.measured = Math.floor(calls / 20);
      await database.close();`;
    const path = join(temporaryFolder(), 'large.age');
    const { stdout, stderr } = run(body, { path, recipient: person.recipient, rows: 60_000 });
    expect(stderr).toBe('');
    const report = JSON.parse(stdout) as { milliseconds: number; bytes: number; most: number; measured: number };
    const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
    figure(
      `${mebibytes(report.bytes)} MiB backed up from PGlite in ${Math.round(report.milliseconds)} ms with ${mebibytes(report.most)} MiB of memory`,
    );
    expect(report.bytes).toBeGreaterThan(50e6);
    expect(report.measured).toBeGreaterThan(5);
    expect(report.most).toBeLessThan(64 * 2 ** 20);
  });
});
