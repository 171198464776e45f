/** What a slot keeps. */
export interface StoredRoot {
  /** The root material, opaque to the slot, at most 4 KB. Whoever called `load` owns the bytes and wipes them. */
  readonly material: Uint8Array;
  /** Counts the stores of this slot, from 1. */
  readonly generation: number;
}

export type Erasure = 'overwritten' | 'key-destroyed' | 'none';

/**
 * A place for the root key, and the only one: whoever destroys the slot destroys everything beneath. Small, so that a key
 * management service is one file: wrap in `store`, unwrap in `load`.
 */
export interface RootSlot {
  /** Names the slot in messages, for example its path. Holds nothing secret. */
  readonly name: string;
  /**
   * What a store does to the material it replaces. `overwritten`: its bytes, as far as the disk writes in place. `key-destroyed`: the key that
   * wrapped it. `none`: nothing; whoever kept a copy can still open it, so an erasure with such a slot is no erasure.
   */
  readonly erasure: Erasure;
  /**
   * The material, `undefined` for a slot that was never written. Throws `encryption.root-damaged`, `encryption.root-exposed` or
   * `encryption.root-unavailable`. Changes nothing in the slot.
   */
  load(): Promise<StoredRoot | undefined>;
  /**
   * Replaces the generation that the caller loaded, 0 for an empty slot, or throws `encryption.root-conflict` and leaves the slot as it is.
   * Resolves when the new material is durable and the former can no longer be read back. A crash at any moment leaves one of the two readable.
   * One caller at a time: who may call it is decided by a lock or lease above.
   */
  store(material: Uint8Array, replaces: number): Promise<void>;
}
