/** What a device keeps of one space, whichever way: as the server's tokens, or opened and sealed again in blocks. */
import type { Uuid } from '@strongroom/kernel';
import type { AccountKeys } from '@strongroom/sealing';
import type { BlockCache } from '../block-cache.ts';
import type { MemoryCache, SealedMemory } from '../memory-cache.ts';
import type { MemoryDocument } from '../memory-document.ts';
import type { SearchIndex } from '../search-index.ts';
import { BlockCopy } from './block-copy.ts';

/** A memory's state as the change feed showed it last; opened when this device could, and then the token may be missing. */
export interface KnownMemory extends SealedMemory {
  readonly document?: MemoryDocument;
}

export interface LoadedCopy {
  /** Everything up to this change of the feed is in it. */
  readonly position: number;
  /** In pieces, so that the first can be searched before the last is open. */
  readonly memories: AsyncIterable<readonly KnownMemory[]>;
  /** Of the memories, as they were at some time. */
  readonly index: { readonly index: SearchIndex; readonly sequence: number } | null;
}

export interface SpaceCopy {
  load(): Promise<LoadedCopy>;
  /** Takes over what changed, in the order of the feed. Never throws for want of room. */
  save(memories: readonly KnownMemory[], position: number): Promise<void>;
  /** Keeps the index, when that is done at all and it differs enough from the kept one. */
  saveIndex(index: SearchIndex, position: number): Promise<void>;
  remove(): Promise<void>;
}

export type DeviceCache = MemoryCache | BlockCache;

export function copyOf(cache: DeviceCache, space: Uuid, keys: AccountKeys): SpaceCopy {
  return 'kind' in cache ? new BlockCopy(cache, space, keys) : new ItemCopy(cache, space);
}

/** Tokens as the server gave them. The index is built anew each time. */
class ItemCopy implements SpaceCopy {
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
