/** A space as the server gave it. */
import type { Uuid } from '@strongroom/kernel';
import type { MemoryCache } from '../memory-cache.ts';
import type { KnownMemory, LoadedCopy, SpaceCopy } from './space-copy.ts';

/** Tokens as the server gave them. The index is built anew each time. */
export class ItemCopy implements SpaceCopy {
  readonly #cache: MemoryCache;
  readonly #space: Uuid;

  constructor(cache: MemoryCache, space: Uuid) {
    this.#cache = cache;
    this.#space = space;
  }

  async load(): Promise<LoadedCopy> {
    const { sequence, memories } = await this.#cache.read(this.#space);
    return { position: sequence, memories: inOnePiece(memories), index: null };
  }

  async save(memories: readonly KnownMemory[], position: number): Promise<void> {
    const sealed = memories.map(({ document: _document, ...memory }) => memory);
    await this.#cache.write(this.#space, sealed, position);
  }

  async saveIndex(): Promise<void> {
    // Nothing.
  }

  remove(): Promise<void> {
    return this.#cache.remove(this.#space);
  }
}

async function* inOnePiece(memories: readonly KnownMemory[]): AsyncGenerator<readonly KnownMemory[]> {
  yield memories;
}
