/** What a device keeps of one space, whichever way: as the server's tokens, or opened and sealed again in blocks. */
import type { BlockCache } from '../block-cache.ts';
import type { MemoryCache, SealedMemory } from '../memory-cache.ts';
import type { MemoryDocument } from '../memory-document.ts';
import type { SearchIndex } from '../search-index.ts';

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
