/**
 * One folder per test run, known to every process of it through the environment: records, the shared PostgreSQL cluster
 * and all temporary folders live there, so that one removal leaves nothing behind.
 */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { stopPostgresIn } from './postgres-process.ts';
import { readWish } from './wish.ts';

const VARIABLE = 'STRONGROOM_TEST_FOLDER';
const PREFIX = 'strongroom-test-';

/** A file system in memory, where Linux has one. */
const IN_MEMORY = '/dev/shm';
/** The fast run fills 1.3 GB, nearly all of it with small databases. Bytes. */
const ROOM = 2.5 * 1024 ** 3;

/**
 * A fast run copies thousands of small files, for which a disk costs it several seconds of CPU time; and their removal costs as much.
 * Slow suites show what reaches a disk, so they work on one.
 */
function parentFolder(): string {
  if (readWish().slow || !existsSync(IN_MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(IN_MEMORY);
  return Math.min(bavail * bsize, process.availableMemory() / 2) < ROOM ? tmpdir() : IN_MEMORY;
}

export function runFolder(): string {
  const folder = process.env[VARIABLE];
  if (folder === undefined) throw new Error('@strongroom/testing works inside a vitest run of this repository.');
  return folder;
}

/** Opens the run's folder, or joins the one that the calling process opened. `close` is synchronous, for exit handlers. */
export function openRunFolder(): { readonly folder: string; readonly close: () => void } {
  const joined = process.env[VARIABLE];
  if (joined !== undefined) return { folder: joined, close: () => undefined };
  removeAbandonedFolders();
  const folder = mkdtempSync(join(parentFolder(), PREFIX));
  // PostgreSQL refuses to run as root; its own user must be able to reach its folder below this one.
  chmodSync(folder, 0o711);
  writeFileSync(join(folder, 'pid'), String(process.pid));
  process.env[VARIABLE] = folder;
  return {
    folder,
    close: () => {
      delete process.env[VARIABLE];
      removeRunFolder(folder);
    },
  };
}

function removeRunFolder(folder: string): void {
  stopPostgresIn(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Runs that were killed leave a cluster behind. */
function removeAbandonedFolders(): void {
  const parents = [tmpdir(), IN_MEMORY].filter((parent) => existsSync(parent));
  for (const folder of parents.flatMap((parent) => readdirSync(parent).map((name) => join(parent, name)))) {
    if (!basename(folder).startsWith(PREFIX)) continue;
    try {
      if (!isRunning(Number(readFileSync(join(folder, 'pid'), 'utf8')))) removeRunFolder(folder);
    } catch {
      // Not ours to remove, or another run removes it right now.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What tests report beside passing and failing; `file` is the test file's absolute path. */
interface Records {
  /** A real part that this machine lacks, and what to do about it. */
  readonly missing: { readonly file: string; readonly part: string; readonly reason: string };
  /** What a test measured or counted. */
  readonly figures: { readonly file: string; readonly text: string };
}

export type MissingRecord = Records['missing'];

/** Lines are short enough to be appended whole by several processes at once. */
export function addRecord<Kind extends keyof Records>(kind: Kind, record: Records[Kind]): void {
  appendFileSync(join(runFolder(), `${kind}.jsonl`), `${JSON.stringify(record)}\n`);
}

export function readRecords<Kind extends keyof Records>(folder: string, kind: Kind): readonly Records[Kind][] {
  const path = join(folder, `${kind}.jsonl`);
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Records[Kind]);
}
