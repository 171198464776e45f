/** What a witness must never forget, in a folder of its own: one file for each log, and its keys. Durable before anything is answered. */
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditLogError } from './errors.ts';
import { type Cosigner, newCosigner, readCosigner } from './internal/cosigner.ts';

export interface WitnessState {
  /** The cosigned checkpoint of a log (a signed note); null before the first. */
  read(originHash: string): Promise<string | null>;
  /** Resolves when it is on the disk. */
  write(originHash: string, note: string): Promise<void>;
}

export interface WitnessFolder {
  readonly state: WitnessState;
  readonly cosigners: readonly Cosigner[];
  /** Lets another process have the folder. */
  close(): Promise<void>;
}

/** Readable and writable for the owner alone. */
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/**
 * Opens the folder for this process alone and makes the keys at the first time. Throws `audit-log.witness-state` when another process has it, when it
 * belongs to a witness of another name, or when it holds checkpoints but no keys.
 */
export async function openWitnessFolder(folder: string, name: string): Promise<WitnessFolder> {
  await mkdir(join(folder, 'logs'), { recursive: true, mode: PRIVATE_FOLDER });
  const unlock = await lock(join(folder, 'lock'));
  try {
    return {
      state: folderState(join(folder, 'logs')),
      cosigners: await openKeys(join(folder, 'keys.json'), name),
      close: unlock,
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

function folderState(folder: string): WitnessState {
  return {
    read: (originHash) => readIfThere(join(folder, `${originHash}.checkpoint`)),
    write: (originHash, note) => writeDurably(folder, `${originHash}.checkpoint`, note),
  };
}

interface KeyFile {
  readonly name: string;
  /** PKCS #8 in PEM. */
  readonly ed25519: string;
  readonly mldsa44: string;
}

async function openKeys(path: string, name: string): Promise<readonly Cosigner[]> {
  const stored = await readIfThere(path);
  if (stored === null) return makeKeys(path, name);
  const file = parseKeyFile(stored);
  if (file.name !== name) throw unusable(`It belongs to ${file.name}.`);
  return [readCosigner(name, 'ed25519-cosignature', file.ed25519), readCosigner(name, 'ml-dsa-44', file.mldsa44)];
}

async function makeKeys(path: string, name: string): Promise<readonly Cosigner[]> {
  const cosigners = [newCosigner(name, 'ed25519-cosignature'), newCosigner(name, 'ml-dsa-44')] as const;
  const [ed25519, mldsa44] = cosigners.map(({ privateKey }) =>
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  await writeDurably(join(path, '..'), 'keys.json', `${JSON.stringify({ name, ed25519, mldsa44 }, null, 2)}\n`);
  return cosigners;
}

function parseKeyFile(text: string): KeyFile {
  try {
    const { name, ed25519, mldsa44 } = JSON.parse(text) as Record<string, unknown>;
    if (typeof name === 'string' && typeof ed25519 === 'string' && typeof mldsa44 === 'string') {
      return { name, ed25519, mldsa44 };
    }
  } catch (cause) {
    throw unusable('Its keys cannot be read.', cause);
  }
  throw unusable('Its keys cannot be read.');
}

/** Old content or new content, never a mixture, also when power fails: written beside it, synced, renamed, and the folder synced. */
async function writeDurably(folder: string, name: string, content: string): Promise<void> {
  const path = join(folder, name);
  const file = await open(`${path}.new`, 'w', PRIVATE_FILE);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const directory = await open(folder, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unusable('It cannot be read.', error);
  }
}

/** The locks of this process. */
const held = new Set<string>();

/** A file with the process id of whoever has the folder. Left behind by a process that is gone, it is taken over. */
async function lock(path: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const file = await open(path, 'wx', PRIVATE_FILE);
      await file.writeFile(String(process.pid));
      await file.close();
      held.add(path);
      return async () => {
        await rm(path, { force: true });
        held.delete(path);
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable('It cannot be written.', error);
      const pid = Number(await readIfThere(path));
      // In a container the process before this one had the same id.
      if (pid === process.pid ? held.has(path) : isRunning(pid)) throw unusable('Another process has it.');
      await rm(path, { force: true });
    }
  }
  throw unusable('Another process has it.');
}

function isRunning(pid: number): boolean {
  // A file that was not written to its end belongs to somebody who is just starting.
  if (!Number.isSafeInteger(pid) || pid <= 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const unusable = (detail: string, cause?: unknown) => new AuditLogError('audit-log.witness-state', { detail, cause });
