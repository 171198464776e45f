/**
 * The sealed cache as files: one for each space, one line for each write. A line that was cut short by a crash is the last one and is
 * left out, so a write counts as a whole or not at all.
 */
import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { CachedSpace, MemoryCache, SealedMemory } from '@strongroom/client';
import { type Uuid, isUuid } from '@strongroom/kernel';
import type { StateFolder } from './state.ts';

const FOLDER = 'cache';
const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
/** Lines after which the next read writes the file anew, with each memory once. */
const COMPACT_AT = 200;

interface Line {
  readonly sequence: number;
  readonly memories: readonly SealedMemory[];
}

export class FileCache implements MemoryCache {
  readonly #state: StateFolder;
  readonly #account: Uuid;

  constructor(state: StateFolder, account: Uuid) {
    this.#state = state;
    this.#account = account;
  }

  async read(space: Uuid): Promise<CachedSpace> {
    const text = await this.#state.read(...this.#segments(space));
    if (text === undefined) return { sequence: 0, memories: [] };
    const lines = text.split('\n').filter((line) => line !== '');
    const memories = new Map<Uuid, SealedMemory>();
    let sequence = 0;
    let kept = 0;
    for (const text of lines) {
      const line = parseLine(text);
      if (line === undefined) break;
      for (const memory of line.memories) memories.set(memory.id, memory);
      ({ sequence } = line);
      kept += 1;
    }
    const cached = { sequence, memories: [...memories.values()] };
    // A damaged line must not stay in front of what is appended later.
    if (kept < lines.length || kept > COMPACT_AT || !text.endsWith('\n')) await this.#rewrite(space, cached);
    return cached;
  }

  async write(space: Uuid, memories: readonly SealedMemory[], sequence: number): Promise<void> {
    const file = this.#state.file(...this.#segments(space));
    await mkdir(path.dirname(file), { recursive: true, mode: OWNER_ONLY_FOLDER });
    await appendFile(file, `${JSON.stringify({ sequence, memories } satisfies Line)}\n`, { mode: OWNER_ONLY_FILE });
  }

  async remove(space: Uuid): Promise<void> {
    await this.#state.remove(...this.#segments(space));
  }

  #rewrite(space: Uuid, { sequence, memories }: CachedSpace): Promise<void> {
    return this.#state.write(`${JSON.stringify({ sequence, memories } satisfies Line)}\n`, ...this.#segments(space));
  }

  #segments(space: Uuid): readonly string[] {
    return [FOLDER, this.#account, `${space}.jsonl`];
  }
}

/** Undefined for what this class did not write. */
function parseLine(text: string): Line | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { sequence, memories } = value as Partial<Line>;
  if (!Number.isSafeInteger(sequence) || !Array.isArray(memories) || !memories.every(isSealedMemory)) return undefined;
  return { sequence: sequence!, memories };
}

function isSealedMemory(value: unknown): value is SealedMemory {
  if (typeof value !== 'object' || value === null) return false;
  const { id, version, epoch, token, author, sequence, changedAt } = value as Partial<
    Record<keyof SealedMemory, unknown>
  >;
  return (
    isUuid(id) &&
    Number.isSafeInteger(version) &&
    Number.isSafeInteger(epoch) &&
    (token === null || typeof token === 'string') &&
    (author === null || isUuid(author)) &&
    Number.isSafeInteger(sequence) &&
    typeof changedAt === 'string'
  );
}
