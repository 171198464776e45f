/**
 * One process per data folder. The lock is the operating system's own lock on a file, taken through SQLite because Node
 * offers no file locks itself: it ends with the process however that ends, a reused process id means nothing to it, and it
 * holds between containers that share a volume.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StorageError } from '../errors.ts';

/**
 * Stays empty. POSIX drops a process's locks on a file when that process closes any descriptor of it, therefore nothing but
 * SQLite may ever open this one in the process that holds the lock.
 */
const LOCK_FILE = 'lock';
/** Who holds the lock, for the message to the second process only. */
const HOLDER_FILE = 'lock-holder.json';

/** SQLITE_BUSY, https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;

export interface FolderLock {
  release(): void;
}

function describeHolder(folder: string): string {
  try {
    const { pid, since } = JSON.parse(readFileSync(join(folder, HOLDER_FILE), 'utf8')) as {
      pid: unknown;
      since: unknown;
    };
    if (typeof pid === 'number' && typeof since === 'string') return ` It is process ${pid}, running since ${since}.`;
  } catch {
    // The holder is only just starting.
  }
  return '';
}

/** Throws `storage.folder-in-use` at once when another process, or this one, holds the folder. */
export function lockFolder(folder: string): FolderLock {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, LOCK_FILE), { timeout: 0 });
    database.exec('begin exclusive');
  } catch (error) {
    database?.close();
    if ((error as { errcode?: unknown }).errcode === SQLITE_BUSY) {
      throw new StorageError('storage.folder-in-use', {
        detail: `The folder is "${folder}".${describeHolder(folder)}`,
      });
    }
    throw new StorageError('storage.folder-unusable', {
      detail: `The lock in "${folder}" cannot be taken.`,
      cause: error,
    });
  }
  const held = database;
  writeFileSync(
    join(folder, HOLDER_FILE),
    `${JSON.stringify({ pid: process.pid, since: new Date(Date.now() - process.uptime() * 1000).toISOString() })}\n`,
    { mode: 0o600 },
  );
  return {
    release: () => {
      rmSync(join(folder, HOLDER_FILE), { force: true });
      held.close();
    },
  };
}
