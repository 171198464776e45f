import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { resolve } from 'node:path';
import { figure, needs, temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';

/** A mount namespace of one's own: a small file system that vanishes with the process. */
const mounted = (folder: string, size: string, ...command: readonly string[]): SpawnSyncReturns<string> =>
  spawnSync(
    'unshare',
    ['-rm', 'sh', '-c', `mount -t tmpfs -o size=${size} tmpfs "$0" && exec "$@"`, folder, ...command],
    { cwd: resolve(import.meta.dirname, '..'), encoding: 'utf8', timeout: 250_000 },
  );

const program = `
  import { createHash } from 'node:crypto';
  import { rmSync, writeFileSync } from 'node:fs';
  import { newUuid, systemClock } from '@strongroom/kernel';
  import { openDatabase } from '@strongroom/storage';
  import { createEncryption } from './src/encryption.ts';
  import { fileSlot } from './src/file-slot.ts';
  import { manifest } from './src/manifest.ts';
  import { Notes, notesRoom } from './src/column-migration.test-support.ts';
  const [, folder, root] = process.argv;
  const location = { kind: 'folder', path: folder + '/data' };
  const fill = () => { try { writeFileSync(folder + '/filler', Buffer.alloc(2 ** 27)); } catch {} };
  const attempt = async (work) => { try { await work(); return 'done'; } catch (error) { return error.code ?? String(error); } };
  const database = await openDatabase(location, [manifest, notesRoom]);
  const encryption = await createEncryption({ slot: fileSlot(root) });
  const notes = new Notes(database, encryption, systemClock);
  const owner = newUuid();
  await notes.insert(owner, Array.from({ length: 4000 }, (_, index) => index + ' ' + 'x'.repeat(1500)));
  const digest = async (from) => createHash('sha256').update(JSON.stringify([...(await from.read())].sort())).digest('hex');
  const before = await digest(notes);
  const report = {};
  const migration = notes.migration();
  await migration.begin();
  fill();
  report.full = await attempt(() => migration.run());
  const { phase, seen } = await migration.status();
  report.stopped = phase;
  report.notAll = seen < 4000;
  report.readable = (await digest(notes)) === before;
  rmSync(folder + '/filler');
  report.freed = await attempt(() => migration.run());
  report.verified = (await migration.status()).phase;
  await migration.cutOver();
  await migration.drop();
  report.dropped = (await migration.run()).phase;
  report.same = (await digest(notes)) === before;
  report.plain = (await notes.counts()).plain;
  await database.close();
  const reopened = await openDatabase(location, [manifest, notesRoom]);
  report.reopened = (await digest(new Notes(reopened, encryption, systemClock, notes.tenant))) === before;
  await reopened.close();
  console.log(JSON.stringify(report));`;

describe.skipIf(!needs('mount'))('a full disk while a column is being encrypted', () => {
  it('stops it where it is, loses nothing, and lets it go on when there is space', () => {
    const folder = temporaryFolder();
    const { stdout, stderr, status } = mounted(
      folder,
      '140m',
      process.execPath,
      '--conditions=source',
      '--input-type=module-typescript',
      '-e',
      program,
      folder,
      `${temporaryFolder()}/root`,
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      full: 'storage.disk-full',
      stopped: 'backfilling',
      notAll: true,
      readable: true,
      freed: 'done',
      verified: 'verified',
      dropped: 'dropped',
      same: true,
      plain: 0,
      reopened: true,
    });
    figure(
      'column migration: the disk filled up during the backfill, 4,000 of 4,000 rows there before, meanwhile and after',
    );
  });
});
