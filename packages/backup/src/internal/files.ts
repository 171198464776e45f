/** A file that appears whole or not at all, and reading one piece by piece. */
import { randomBytes } from 'node:crypto';
import { link, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BackupError } from '../errors.ts';

/** Reading and writing by the owner only. */
const OWNER_ONLY = 0o600;
/** Bytes read at once. */
const PIECE = 256 * 1024;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';

const NO_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** File systems of USB sticks and some network drives have no hard links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

function writeError(path: string, error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  const code = codeOf(error);
  if (NO_SPACE.has(code)) return new BackupError('backup.disk-full', { detail: `The file is ${path}.`, cause: error });
  if (code === 'EEXIST') return new BackupError('backup.file-exists', { detail: `It is ${path}.`, cause: error });
  return new BackupError('backup.file-unwritable', { detail: `The file is ${path} (${code}).`, cause: error });
}

/** Throws `backup.file-exists`. */
export async function expectFree(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw new BackupError('backup.file-unwritable', {
      detail: `The file is ${path} (${codeOf(error)}).`,
      cause: error,
    });
  }
  await file.close();
  throw new BackupError('backup.file-exists', { detail: `It is ${path}.` });
}

/** Beside its place and under another name until `publish`. A process that is killed leaves `.NAME.….partial` behind, never `NAME`. */
export class StagedFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  #bytes = 0;

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  static async create(path: string): Promise<StagedFile> {
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.partial`);
    try {
      return new StagedFile(path, temporary, await open(temporary, 'wx', OWNER_ONLY));
    } catch (error) {
      throw writeError(path, error);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  async write(piece: Uint8Array): Promise<void> {
    try {
      for (let offset = 0; offset < piece.length;) {
        const { bytesWritten } = await this.#file.write(piece, offset);
        offset += bytesWritten;
      }
      this.#bytes += piece.length;
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }

  /** Everything written is on the disk when it resolves. */
  async sync(): Promise<void> {
    try {
      await this.#file.sync();
      await this.#file.close();
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }

  /** Gives the file its name, unless another has it or may be put out of its place. */
  async publish(overwrite = false): Promise<void> {
    try {
      await (overwrite ? rename(this.#temporary, this.#path) : this.#takeName());
      await syncFolder(dirname(this.#path));
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }

  async #takeName(): Promise<void> {
    try {
      await link(this.#temporary, this.#path);
      await rm(this.#temporary);
    } catch (error) {
      if (!NO_LINKS.has(codeOf(error))) throw error;
      // An empty file reserves the name; replacing it is one step.
      await (await open(this.#path, 'wx', OWNER_ONLY)).close();
      await rename(this.#temporary, this.#path);
    }
  }
}

/** Makes the file's name durable. Windows cannot open folders and needs no such call. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The file's bytes in order. Throws `backup.file-unreadable`. */
export async function* readPieces(path: string): AsyncGenerator<Uint8Array, void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    for (;;) {
      const piece = new Uint8Array(PIECE);
      const { bytesRead } = await file.read(piece, 0, PIECE);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } catch (error) {
    throw new BackupError('backup.file-unreadable', {
      detail: `The file is ${path} (${codeOf(error)}).`,
      cause: error,
    });
  } finally {
    await file?.close();
  }
}

export async function firstBytes(path: string, count: number): Promise<Uint8Array> {
  for await (const piece of readPieces(path)) return piece.subarray(0, count);
  return new Uint8Array();
}
