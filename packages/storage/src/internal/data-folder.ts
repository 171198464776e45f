/**
 * The data folder:
 * - `lock`, `lock-holder.json`: see folder-lock.ts
 * - `layout.json`: how to read the rest; written once the database is complete and on the disk
 * - `database/`: the files of PostgreSQL
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '../errors.ts';

/** Raised when a later version of this program arranges the folder differently. */
const LAYOUT = 1;
/** Major version of PostgreSQL inside PGlite; its files are read by the same major version only. */
const POSTGRES_MAJOR = 18;

const LAYOUT_FILE = 'layout.json';
const DATABASE = 'database';
/** Renamed to `database` after `layout.json` was written, so that an interrupted start leaves nothing half made behind. */
const UNFINISHED = 'database.unfinished';

/** PostgreSQL source, src/include/catalog/pg_control.h: PG_CONTROL_FILE_SIZE, bytes. */
const CONTROL_FILE_SIZE = 8192;

const damaged = (folder: string, what: string): StorageError =>
  new StorageError('storage.damaged', { detail: `The data folder is "${folder}": ${what}.` });

function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Windows cannot open folders, and needs no syncing of them. */
function syncFolder(path: string): void {
  if (process.platform !== 'win32') syncPath(path);
}

/** PGlite copies the first files without regard to who may read them. Syncs them too, if `durable`. */
function settleTree(folder: string, durable: boolean): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) settleTree(path, durable);
    else {
      chmodSync(path, 0o600);
      if (durable) syncPath(path);
    }
  }
  if (durable) syncFolder(folder);
}

/** Makes the folder if need be; throws `storage.folder-unusable`. */
export function ensureFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    readdirSync(folder);
  } catch (error) {
    throw new StorageError('storage.folder-unusable', {
      detail: `"${folder}" is no folder that this user may use (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`,
    });
  }
}

/**
 * The path of the database's files, or `undefined` in a folder that holds none yet. Call it with the folder locked. Throws
 * `storage.damaged` when something is missing that must be there, `storage.database-newer` when a later version wrote it.
 */
export function findDatabase(folder: string): string | undefined {
  const database = join(folder, DATABASE);
  const layoutPath = join(folder, LAYOUT_FILE);
  if (!existsSync(layoutPath)) {
    if (existsSync(database)) throw damaged(folder, `${LAYOUT_FILE} is missing`);
    return undefined;
  }
  checkLayout(folder, readFileSync(layoutPath, 'utf8'));
  if (!existsSync(database)) {
    if (!existsSync(join(folder, UNFINISHED))) throw damaged(folder, `${DATABASE} is missing`);
    putInPlace(folder);
  }
  checkFile(folder, 'PG_VERSION', (path) => readFileSync(path, 'utf8').trim() === String(POSTGRES_MAJOR));
  checkFile(folder, 'global/pg_control', (path) => statSync(path).size === CONTROL_FILE_SIZE);
  for (const name of ['base', 'pg_wal', 'pg_xact']) checkFile(folder, name, (path) => statSync(path).isDirectory());
  return database;
}

function checkLayout(folder: string, text: string): void {
  let parsed: { layout?: unknown; postgresql?: unknown };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    throw damaged(folder, `${LAYOUT_FILE} cannot be read`);
  }
  const { layout, postgresql } = parsed;
  if (typeof layout !== 'number' || typeof postgresql !== 'number')
    throw damaged(folder, `${LAYOUT_FILE} cannot be read`);
  if (layout > LAYOUT || postgresql > POSTGRES_MAJOR) {
    throw new StorageError('storage.database-newer', { detail: `The data folder is "${folder}".` });
  }
  if (postgresql < POSTGRES_MAJOR) {
    throw new StorageError('storage.folder-unusable', {
      detail: `"${folder}" holds files of PostgreSQL ${postgresql}; export with the version that wrote it, import with this one.`,
    });
  }
}

function checkFile(folder: string, name: string, isSound: (path: string) => boolean): void {
  const path = join(folder, DATABASE, name);
  if (!existsSync(path)) throw damaged(folder, `${DATABASE}/${name} is missing`);
  if (!isSound(path)) throw damaged(folder, `${DATABASE}/${name} is not what it should be`);
}

/** An empty folder to make the database in, left-overs of an interrupted attempt removed. */
export function beginDatabase(folder: string): string {
  const unfinished = join(folder, UNFINISHED);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  return unfinished;
}

/** Puts the finished database in its place, after it reached the disk if `durable`. Returns its path. */
export function finishDatabase(folder: string, durable: boolean): string {
  settleTree(join(folder, UNFINISHED), durable);
  const layoutPath = join(folder, LAYOUT_FILE);
  const layout = { layout: LAYOUT, postgresql: POSTGRES_MAJOR };
  writeFileSync(`${layoutPath}.new`, `${JSON.stringify(layout)}\n`, { mode: 0o600 });
  syncPath(`${layoutPath}.new`);
  renameSync(`${layoutPath}.new`, layoutPath);
  syncFolder(folder);
  return putInPlace(folder);
}

function putInPlace(folder: string): string {
  const database = join(folder, DATABASE);
  renameSync(join(folder, UNFINISHED), database);
  syncFolder(folder);
  return database;
}
