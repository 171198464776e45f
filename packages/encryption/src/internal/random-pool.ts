import { randomFillSync } from 'node:crypto';

/** Vectors drawn from the operating system at once: one call costs as much as a whole small encryption. */
const VECTORS_PER_REFILL = 1024;

/**
 * Hands out random initialization vectors, each once. A vector is a view that stays valid until the pool is refilled: use it
 * at once or copy it. Vectors are public (they travel with the ciphertext), so the pool is no secret worth wiping.
 */
export class RandomPool {
  /** Bytes of one vector. */
  readonly size: number;
  readonly #pool: Uint8Array;
  #offset: number;

  constructor(size: number) {
    this.size = size;
    this.#pool = new Uint8Array(size * VECTORS_PER_REFILL);
    this.#offset = this.#pool.length;
  }

  next(): Uint8Array {
    if (this.#offset === this.#pool.length) {
      randomFillSync(this.#pool);
      this.#offset = 0;
    }
    const start = this.#offset;
    this.#offset += this.size;
    return this.#pool.subarray(start, this.#offset);
  }
}
