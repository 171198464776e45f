/**
 * What a device keeps between visits: the sealed memories of each space and how far it has followed the change feed. Only what
 * the server has too, so whoever steals it learns no more than the server knows. One cache belongs to one account.
 */
import type { Uuid } from '@strongroom/kernel';

/** A memory's state as the change feed showed it last. */
export interface SealedMemory {
  readonly id: Uuid;
  readonly version: number;
  readonly epoch: number;
  /** Base64url without padding; null for a deleted memory. */
  readonly token: string | null;
  /** The account that wrote this version; null for a deleted memory. */
  readonly author: Uuid | null;
  readonly sequence: number;
  /** RFC 3339 UTC. */
  readonly changedAt: string;
}

export interface CachedSpace {
  /** Everything up to this sequence is in `memories`; 0 when nothing is known. */
  readonly sequence: number;
  readonly memories: readonly SealedMemory[];
}

export interface MemoryCache {
  /** Tombstones included. A space that is not kept, or was found damaged and dropped, is empty with sequence 0. */
  read(space: Uuid): Promise<CachedSpace>;
  /** Replaces the given memories and sets the sequence, both or neither, also when the process is killed in between. */
  write(space: Uuid, memories: readonly SealedMemory[], sequence: number): Promise<void>;
  /** Forgets the space. */
  remove(space: Uuid): Promise<void>;
}

/** Keeps it as long as the program runs. */
export class InMemoryCache implements MemoryCache {
  readonly #spaces = new Map<Uuid, { sequence: number; readonly memories: Map<Uuid, SealedMemory> }>();

  async read(space: Uuid): Promise<CachedSpace> {
    const kept = this.#spaces.get(space);
    return kept === undefined
      ? { sequence: 0, memories: [] }
      : { sequence: kept.sequence, memories: [...kept.memories.values()] };
  }

  async write(space: Uuid, memories: readonly SealedMemory[], sequence: number): Promise<void> {
    const kept = this.#spaces.get(space) ?? { sequence: 0, memories: new Map<Uuid, SealedMemory>() };
    for (const memory of memories) kept.memories.set(memory.id, memory);
    kept.sequence = sequence;
    this.#spaces.set(space, kept);
  }

  async remove(space: Uuid): Promise<void> {
    this.#spaces.delete(space);
  }
}
