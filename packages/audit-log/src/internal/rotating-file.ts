/** JSON lines in files of a folder, a new one when a file is large enough or the day is over. */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/** Bytes read at once when looking for the end of the last whole line. */
const CHUNK = 64 * 1024;

const NEW_LINE = 0x0a;

export interface RotatingFile {
  readonly folder: string;
  /** Name of the sink, with which its files begin. */
  readonly name: string;
  /** A file of at least this many bytes gets no further batch. */
  readonly rotateBytes: number;
  /** Whether a file holds batches of one day (UTC) only. */
  readonly rotateDaily: boolean;
  /** With a new file, the oldest beyond these are deleted; null: none. */
  readonly keepFiles: number | null;
}

export interface FileBatch {
  /** Place of the first event in the log; a new file is named after it. */
  readonly from: number;
  /** Whole lines. */
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Null once the lines are on the disk; otherwise what was wrong. A line that a crash left unfinished is cut off before: it was never acknowledged, and
 * comes again with the batch.
 */
export async function appendToFile(file: RotatingFile, batch: FileBatch): Promise<string | null> {
  try {
    await mkdir(file.folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
    const day = dayOf(batch.now);
    const current = (await filesOf(file)).toSorted(byPlace).at(-1);
    const isSameDay = current?.day === day || !file.rotateDaily;
    if (current !== undefined && isSameDay && (await append(file, current.name, batch.body))) return null;
    const name = `${file.name}-${day}-${String(batch.from).padStart(INDEX_DIGITS, '0')}.jsonl`;
    await append(file, name, batch.body, true);
    await deleteOldest(file, name);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return `not written: ${typeof code === 'string' ? code : 'unknown reason'}`;
  }
}

/** Places up to 2^53 have no more, so names sort as numbers do. */
const INDEX_DIGITS = 16;

/** `20261122` */
const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10).replaceAll('-', '');

interface LogFile {
  readonly name: string;
  readonly day: string;
  readonly index: string;
}

/** Those of this sink, in no order. */
async function filesOf({ folder, name }: RotatingFile): Promise<readonly LogFile[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const [, day, index] = /^-(\d{8})-(\d{16})\.jsonl$/.exec(entry.name.slice(name.length)) ?? [];
    if (!entry.isFile() || !entry.name.startsWith(name) || day === undefined || index === undefined) return [];
    return [{ name: entry.name, day, index }];
  });
}

/** Where to go on: at the highest place; of several with the same, in the one of the latest day. */
const byPlace = (left: LogFile, right: LogFile): number => (left.index + left.day < right.index + right.day ? -1 : 1);

/** By age: after a restore of the vault, places come again that were written on an earlier day. */
const byDay = (left: LogFile, right: LogFile): number => (left.day + left.index < right.day + right.index ? -1 : 1);

/** What cannot be deleted stays until the next new file: the lines are on the disk, and must not come again for it. */
async function deleteOldest(file: RotatingFile, written: string): Promise<void> {
  if (file.keepFiles === null) return;
  const others = (await filesOf(file)).filter(({ name }) => name !== written).toSorted(byDay);
  const kept = file.keepFiles - 1;
  for (const { name } of others.slice(0, Math.max(0, others.length - kept))) {
    await rm(path.join(file.folder, name), { force: true }).catch(() => undefined);
  }
}

/** False, and nothing was written, when the file is large enough already; `anyway`: then it is written all the same. */
async function append(file: RotatingFile, name: string, body: string, anyway = false): Promise<boolean> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  const handle = await open(path.join(file.folder, name), flags, OWNER_ONLY_FILE);
  try {
    const { size } = await handle.stat();
    const whole = await endOfLastLine(handle, size);
    if (whole >= file.rotateBytes && !anyway) return false;
    if (whole < size) await handle.truncate(whole);
    await handle.appendFile(body);
    await handle.sync();
    if (size === 0) await syncFolder(file.folder);
    return true;
  } finally {
    await handle.close();
  }
}

/** Bytes up to and with the last line break. */
async function endOfLastLine(handle: FileHandle, size: number): Promise<number> {
  const buffer = Buffer.alloc(Math.min(CHUNK, size));
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - CHUNK);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    const last = buffer.subarray(0, bytesRead).lastIndexOf(NEW_LINE);
    if (last >= 0) return start + last + 1;
    end = start;
  }
  return 0;
}

/** The name of a new file is on the disk only then. */
async function syncFolder(folder: string): Promise<void> {
  const directory = await open(folder, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
