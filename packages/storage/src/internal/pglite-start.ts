/** Starting PGlite: over a folder, in memory, or for the first time. */
import { statfsSync } from 'node:fs';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { StorageError } from '../errors.ts';
import { beginDatabase, finishDatabase } from './data-folder.ts';
import { FolderFilesystem } from './durable-filesystem.ts';

/** Sizes of the write-ahead log between which old segments are kept for reuse; the checkpoints are made by pglite-upkeep.ts. */
const logSize = ['-c', 'min_wal_size=32MB', '-c', 'max_wal_size=64MB'];

/** Its timer would outlive a start that failed, and call into what is left of it. */
const noProgressTimer = ['-c', 'log_startup_progress_interval=0'];

/**
 * PostgreSQL's own 128 MB are written at every start, and remain: a third of a start's processor time and 100 MB of memory. What does not
 * fit is read from the file system's cache (measured: docs/design/storage.md).
 */
const bufferSize = ['-c', 'shared_buffers=32MB'];

const relaxedParameters = [...PGlite.defaultStartParams, ...bufferSize, ...logSize, ...noProgressTimer];

/** `-F` switches syncing off. `fsync` is the one method that reaches the file system layer (see durable-filesystem.ts). */
const durableParameters = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
  ...bufferSize,
  ...logSize,
  ...noProgressTimer,
  '-c',
  'wal_sync_method=fsync',
];

export const startInMemory = (): Promise<PGlite> => PGlite.create();

/**
 * Starts over existing files, and recovers them from the write-ahead log after a crash. Throws `storage.disk-full` or
 * `storage.damaged`; `folder` is for their messages.
 */
export async function startInFolder(database: string, durable: boolean, folder: string): Promise<PGlite> {
  let log = '';
  const options: PGliteOptions = {
    fs: new FolderFilesystem(database, durable),
    startParams: durable ? durableParameters : relaxedParameters,
    onStderr: (line) => {
      log += `${line}\n`;
      return false;
    },
  };
  try {
    return await PGlite.create(options);
  } catch (error) {
    // PostgreSQL's own log is the only place that tells why it did not start. It names files, never rows.
    if (log.includes('No space left on device')) throw new StorageError('storage.disk-full');
    const [reason] = /(?:PANIC|FATAL):.*/.exec(log) ?? [];
    throw new StorageError('storage.damaged', {
      detail: `The data folder is "${folder}": PostgreSQL did not start.${reason === undefined ? '' : ` ${reason}`}`,
      cause: error,
    });
  }
}

/** What a new database takes, roughly. Bytes. */
const SIZE_OF_NEW = 64 * 1024 * 1024;

/**
 * Makes the first database in a folder. An interrupted attempt leaves nothing that looks like one. Throws `storage.disk-full` or
 * `storage.folder-unusable`.
 */
export async function makeDatabase(folder: string, durable: boolean): Promise<string> {
  try {
    // Nothing needs syncing before `finishDatabase` does it for all at once.
    const fs = new FolderFilesystem(beginDatabase(folder), false);
    const pglite = await PGlite.create({ fs, startParams: relaxedParameters });
    await pglite.close();
    return finishDatabase(folder, durable);
  } catch (error) {
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize < SIZE_OF_NEW) throw new StorageError('storage.disk-full', { cause: error });
    throw new StorageError('storage.folder-unusable', {
      detail: `No database can be made in "${folder}".`,
      cause: error,
    });
  }
}
