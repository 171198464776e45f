/** Removing a file whose content must not stay on the disk. */
import { open, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BackupError } from './errors.ts';
import { syncFolder } from './internal/files.ts';

/** Bytes written at once. */
const PIECE = 256 * 1024;

/**
 * Overwrites the file in place, syncs, and removes it. Without effect when there is none. File systems that copy on write, and flash storage, may
 * keep what was there. Throws `backup.file-unwritable`, and the file is still there then.
 */
export async function destroyFile(path: string): Promise<void> {
  try {
    let file: FileHandle;
    try {
      file = await open(path, 'r+');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      throw error;
    }
    try {
      const { size } = await file.stat();
      const zeros = new Uint8Array(PIECE);
      for (let offset = 0; offset < size;) {
        const { bytesWritten } = await file.write(zeros, 0, Math.min(PIECE, size - offset), offset);
        offset += bytesWritten;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rm(path);
    await syncFolder(dirname(path));
  } catch (cause) {
    throw new BackupError('backup.file-unwritable', { detail: `The file is ${path}.`, cause });
  }
}
