/** A root slot in one file, overwritten in place: see internal/root-image.ts for the bytes. */
import { randomBytes } from 'node:crypto';
import { link, open, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { equalBytes } from '@strongroom/kernel';
import { EncryptionError } from './errors.ts';
import { encodeSlot, IMAGE_BYTES, readImage, SLOT_BYTES, type SlotContent } from './internal/root-image.ts';
import type { RootSlot, StoredRoot } from './root-slot.ts';

/** Reading and writing by the owner only. */
const OWNER_ONLY = 0o600;
/** Every permission of the group and of others. */
const OTHERS = 0o077;
/** A reader that meets a store in progress may see the halves at different moments; looking again settles it. */
const READS = 3;

/**
 * Keeps the root key in the file `path`, which the first store creates with mode 0600. The file is refused when
 * other accounts may read or write it. Copies of the file are copies of the key. Overwriting in place erases the
 * former key on file systems and disks that write in place; copy-on-write file systems, snapshots and flash storage may keep it.
 */
export function fileSlot(path: string): RootSlot {
  let last: Promise<unknown> = Promise.resolve();
  return {
    name: `file ${path}`,
    erasure: 'overwritten',
    load: () => asSlotErrors(path, () => load(path)),
    store(material, replaces) {
      // One after the other, so that the check of the generation and the write belong together.
      const done = last.then(() =>
        asSlotErrors(path, () => (replaces === 0 ? create(path, material) : replace(path, material, replaces))),
      );
      last = done.catch(() => undefined);
      return done;
    },
  };
}

async function load(path: string): Promise<StoredRoot | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { material, generation } = await readSlot(path, file);
    return { material, generation };
  } finally {
    await file.close();
  }
}

/** Makes the file appear whole or not at all, and never in place of another one. */
async function create(path: string, material: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', OWNER_ONLY);
    try {
      const slot = encodeSlot(1, material);
      await writeAll(file, slot, 0);
      await writeAll(file, new Uint8Array(IMAGE_BYTES - SLOT_BYTES), SLOT_BYTES);
      slot.fill(0);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw new EncryptionError('encryption.root-conflict', { cause: error });
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

async function replace(path: string, material: Uint8Array, replaces: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const former = await readSlot(path, file);
    former.material.fill(0);
    if (former.generation !== replaces) throw new EncryptionError('encryption.root-conflict');
    const slot = encodeSlot(replaces + 1, material);
    await writeAll(file, slot, (1 - former.position) * SLOT_BYTES);
    slot.fill(0);
    await file.sync();
    const written = await readSlot(path, file);
    const same = written.generation === replaces + 1 && equalBytes(written.material, material);
    written.material.fill(0);
    // The former slot stays: what was written did not arrive, or somebody else writes as well.
    if (!same) {
      throw new EncryptionError('encryption.root-unavailable', { detail: 'What was written reads back differently.' });
    }
    await writeAll(file, new Uint8Array(SLOT_BYTES), former.position * SLOT_BYTES);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readSlot(path: string, file: FileHandle): Promise<SlotContent> {
  const status = await file.stat();
  // Windows has no such permission bits; Node makes them up there.
  if (process.platform !== 'win32' && (status.mode & OTHERS) !== 0) {
    throw new EncryptionError('encryption.root-exposed', { detail: `Run: chmod 600 '${path}'` });
  }
  const image = new Uint8Array(IMAGE_BYTES);
  try {
    for (let attempt = 0; attempt < READS; attempt += 1) {
      image.fill(0);
      await readAll(file, image);
      const content = readImage(image);
      if (content !== undefined) return content;
    }
  } finally {
    image.fill(0);
  }
  throw new EncryptionError('encryption.root-damaged', { detail: `The file is ${path}.` });
}

/** Reads until the buffer is full or the file ends. */
async function readAll(file: FileHandle, buffer: Uint8Array): Promise<void> {
  for (let offset = 0; offset < buffer.length;) {
    const { bytesRead } = await file.read(buffer, offset, buffer.length - offset, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, offset, bytes.length - offset, position + offset);
    offset += bytesWritten;
  }
}

/** Makes the file's name durable. Windows cannot open folders and needs no such call. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function asSlotErrors<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof EncryptionError) throw cause;
    const code = errorCode(cause);
    if (code === undefined) throw cause;
    throw new EncryptionError('encryption.root-unavailable', { detail: `The file is ${path} (${code}).`, cause });
  }
}

const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
