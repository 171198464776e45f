/** What the command line keeps between runs, in files only their owner can read. Never a key. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CliError } from './errors.ts';

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

type Environment = Readonly<Record<string, string | undefined>>;

/** STRONGROOM_HOME, or `strongroom` in the XDG state folder. */
export function stateFolder(environment: Environment): string {
  const chosen = environment['STRONGROOM_HOME'];
  if (chosen !== undefined && chosen !== '') return path.resolve(chosen);
  const base = environment['XDG_STATE_HOME'];
  const stateHome = base !== undefined && path.isAbsolute(base) ? base : path.join(os.homedir(), '.local', 'state');
  return path.join(stateHome, 'strongroom');
}

export class StateFolder {
  readonly path: string;

  constructor(folder: string) {
    this.path = folder;
  }

  file(...segments: readonly string[]): string {
    return path.join(this.path, ...segments);
  }

  /** Undefined when there is no such file. */
  async read(...segments: readonly string[]): Promise<string | undefined> {
    try {
      return await readFile(this.file(...segments), 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new CliError('cli.unreadable-file', { detail: segments.join('/'), cause: error });
    }
  }

  /** Parses JSON that `write` made; `check` narrows it. Throws `cli.state-damaged`. */
  async readJson<Value>(
    check: (value: unknown) => value is Value,
    ...segments: readonly string[]
  ): Promise<Value | undefined> {
    const text = await this.read(...segments);
    if (text === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new CliError('cli.state-damaged', { detail: segments.join('/'), cause });
    }
    if (!check(value)) throw new CliError('cli.state-damaged', { detail: segments.join('/') });
    return value;
  }

  /** Replaces the file as a whole: a reader, and a crash, sees the old or the new content. */
  async write(content: string, ...segments: readonly string[]): Promise<void> {
    const target = this.file(...segments);
    await mkdir(path.dirname(target), { recursive: true, mode: OWNER_ONLY_FOLDER });
    const temporary = `${target}.${randomUUID()}.tmp`;
    const handle = await open(temporary, 'wx', OWNER_ONLY_FILE);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  }

  async remove(...segments: readonly string[]): Promise<void> {
    await rm(this.file(...segments), { force: true, recursive: true });
  }
}

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
