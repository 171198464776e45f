import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { resolve } from 'node:path';
import { needs, temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';

/** A mount namespace of one's own: a small file system that vanishes with the process. */
const mounted = (folder: string, size: string, ...command: readonly string[]): SpawnSyncReturns<string> =>
  spawnSync(
    'unshare',
    ['-rm', 'sh', '-c', `mount -t tmpfs -o size=${size} tmpfs "$0" && exec "$@"`, folder, ...command],
    {
      cwd: resolve(import.meta.dirname, '..'),
      encoding: 'utf8',
      timeout: 200_000,
    },
  );

/** Runs `body` with a database on a file system of 100 MB; `report` collects the answer. */
function onSmallDisk(body: string): unknown {
  const folder = temporaryFolder();
  const program = `
    import { rmSync, writeFileSync } from 'node:fs';
    import { sql } from 'kysely';
    import { inInstallation, openDatabase } from './src/index.ts';
    const [, folder] = process.argv;
    const location = { kind: 'folder', path: folder + '/data' };
    const fill = () => { try { writeFileSync(folder + '/filler', Buffer.alloc(2 ** 27)); } catch {} };
    const free = () => rmSync(folder + '/filler');
    const attempt = async (work) => { try { await work(); return 'done'; } catch (error) { return error.code ?? String(error); } };
    const database = await openDatabase(location, []);
    const run = (query) => database.transaction(inInstallation, (transaction) => query.execute(transaction));
    const names = async (from = database) => (await from.transaction(inInstallation, (transaction) =>
      sql\`select name from jobs order by name\`.execute(transaction))).rows.map(({ name }) => name);
    const report = {};
    ${body}
    console.log(JSON.stringify(report));`;
  const { stdout, stderr, status } = mounted(
    folder,
    '100m',
    process.execPath,
    '--conditions=source',
    '--input-type=module-typescript',
    '-e',
    program,
    folder,
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

describe.skipIf(!needs('mount'))('a full disk', () => {
  it('does not make half a database', () => {
    const program = `
      import { readdirSync, rmSync, writeFileSync } from 'node:fs';
      import { openDatabase } from './src/index.ts';
      const [, folder] = process.argv;
      writeFileSync(folder + '/filler', Buffer.alloc(80_000_000));
      const location = { kind: 'folder', path: folder + '/data' };
      const code = await openDatabase(location, []).catch((error) => error.code);
      const left = readdirSync(folder + '/data');
      rmSync(folder + '/filler');
      await (await openDatabase(location, [])).close();
      console.log(JSON.stringify({ code, made: left.includes('layout.json') || left.includes('database') }));`;
    const parameters = ['--conditions=source', '--input-type=module-typescript', '-e', program];
    const folder = temporaryFolder();
    const { stdout, stderr } = mounted(folder, '100m', process.execPath, ...parameters, folder);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ code: 'storage.disk-full', made: false });
  });

  it('rolls back what does not fit, keeps the rest, and goes on when there is space', () => {
    const report = onSmallDisk(`
      await run(sql\`insert into jobs (name) values ('before')\`);
      fill();
      report.full = await attempt(() => run(sql\`insert into jobs (name, last_error) select 'lost-' || g, repeat('x', 1000) from generate_series(1, 50000) g\`));
      report.meanwhile = await names();
      free();
      report.freed = await attempt(() => run(sql\`insert into jobs (name) values ('after')\`));
      report.after = await names();
      await database.close();
      const reopened = await openDatabase(location, []);
      report.reopened = await names(reopened);
      await reopened.close();`);
    expect(report).toEqual({
      full: 'storage.disk-full',
      meanwhile: ['before'],
      freed: 'done',
      after: ['after', 'before'],
      reopened: ['after', 'before'],
    });
  });

  it('recovers by itself when the write-ahead log cannot grow, which ends PostgreSQL', () => {
    const report = onSmallDisk(`
      const counter = async (from = database) => (await from.transaction(inInstallation, (transaction) =>
        sql\`select nudges from jobs\`.execute(transaction))).rows[0].nudges;
      // Much log and one row in one page: the log meets the end of the disk first.
      const count = (value) => database.transaction(inInstallation, async (transaction) => {
        await sql\`update jobs set nudges = \${value}\`.execute(transaction);
        await sql\`select pg_logical_emit_message(true, 'ballast', repeat('x', 100000))\`.execute(transaction);
      });
      await run(sql\`insert into jobs (name) values ('counter')\`);
      await count(0);
      fill();
      let confirmed = 0;
      report.outcome = 'done';
      while (report.outcome === 'done') {
        report.outcome = await attempt(() => count(confirmed + 1));
        if (report.outcome === 'done') confirmed += 1;
      }
      report.some = confirmed > 10;
      report.meanwhile = await attempt(counter);
      free();
      report.kept = (await counter()) === confirmed;
      report.freed = await attempt(() => count(-1));
      await database.close();
      const reopened = await openDatabase(location, []);
      report.reopened = await counter(reopened);
      await reopened.close();`);
    expect(report).toEqual({
      outcome: 'storage.disk-full',
      some: true,
      meanwhile: 'storage.disk-full',
      kept: true,
      freed: 'done',
      reopened: -1,
    });
  });
});
