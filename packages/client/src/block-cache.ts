/**
 * What a device keeps between visits when it shall begin quickly: memories as they were opened, some hundred in one block, and the search index,
 * all sealed under the account's own key. To open ten thousand items one by one takes seconds; to open twenty blocks does not. A store of these
 * sees bytes only. One cache belongs to one account; several programs may share it.
 */
import type { Bytes, Uuid } from '@strongroom/kernel';

export interface SealedBlock {
  /** Names the block within its space, and orders blocks. */
  readonly end: number;
  readonly bytes: Bytes;
}

export interface KeptSpace {
  /** Changes with every write: who writes says on which state. */
  readonly stamp: string;
  /** Sealed; null while nothing was written. */
  readonly head: Bytes | null;
  readonly blocks: readonly SealedBlock[];
  readonly index: KeptIndex | null;
}

export interface KeptIndex {
  /** Up to which change of the feed it goes. */
  readonly sequence: number;
  readonly bytes: Bytes;
}

export interface KeptProfile {
  /** The account's sealed record as JSON: with it a password can be tried, as with the server's database. */
  readonly record: string;
  readonly sealed: Bytes;
}

export interface BlockChange {
  /** The state that it was made from; null replaces all blocks, unless the kept sequence is greater than this one. */
  readonly expects: string | null;
  readonly stamp: string;
  /** Everything up to this change of the feed is in the blocks. */
  readonly sequence: number;
  readonly head: Bytes;
  readonly put: readonly SealedBlock[];
  readonly remove: readonly number[];
}

/** `overtaken`: somebody else wrote since, nothing was changed. `gone`: the space is not kept any more, or nothing can be. */
export type BlockOutcome = 'written' | 'overtaken' | 'gone';

export interface BlockCache {
  readonly kind: 'blocks';
  /** Begins to keep a space that is not kept. Null when nothing can be kept. */
  read(space: Uuid): Promise<KeptSpace | null>;
  /** All of the change or nothing, also when the process is killed in between. */
  write(space: Uuid, change: BlockChange): Promise<BlockOutcome>;
  /** Replaces the index; null drops it. */
  writeIndex(space: Uuid, index: KeptIndex | null): Promise<void>;
  /** Forgets the space. */
  remove(space: Uuid): Promise<void>;
  readProfile(): Promise<KeptProfile | null>;
  writeProfile(profile: KeptProfile): Promise<void>;
}
