import { randomFillSync } from 'node:crypto';

/** Values drawn from the operating system at once: the call costs several times what the bytes cost. */
const VALUES_PER_CALL = 64;

/** Hands out random bytes, each once. */
export class RandomSupply {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #length: number;
  #used: number;

  /** `length`: bytes of one value. */
  constructor(length: number) {
    this.#length = length;
    this.#bytes = new Uint8Array(VALUES_PER_CALL * length);
    this.#used = this.#bytes.length;
  }

  next(): Uint8Array<ArrayBuffer> {
    if (this.#used === this.#bytes.length) {
      randomFillSync(this.#bytes);
      this.#used = 0;
    }
    const value = this.#bytes.slice(this.#used, this.#used + this.#length);
    // What is left of it here is no use to anybody.
    this.#bytes.fill(0, this.#used, this.#used + this.#length);
    this.#used += this.#length;
    return value;
  }
}
