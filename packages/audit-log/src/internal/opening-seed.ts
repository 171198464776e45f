/** Salts of several openings from one seed, so that one encryption serves all of them. */
import { type Bytes, concatBytes, utf8 } from '@strongroom/kernel';
import { sha256Into } from '#sha256';
import { SALT_LENGTH } from '../entry.ts';

/** Bytes of a seed: as long as the salts, so that these are no easier to guess than if each were drawn. */
export const SEED_LENGTH = SALT_LENGTH;

/** Openings made from one seed. The counter has one byte; more would save little. */
export const OPENINGS_OF_SEED = 64;

const SALT_LABEL = utf8('strongroom/audit-opening-salt/v1');

/** Bytes of the counter in a block of the key derivation. */
const COUNTER_LENGTH = 4;

/** A seed, and the value that its openings have in common. */
export class OpeningSeed {
  /** What a salt is the hash of. */
  readonly #block: Bytes;
  /** Room for a salt, then the value. */
  readonly #salted: Bytes;

  /** `seeded`: seed and value in UTF-8, one behind the other. */
  constructor(seeded: Uint8Array) {
    this.#block = concatBytes(new Uint8Array(COUNTER_LENGTH), seeded.subarray(0, SEED_LENGTH), SALT_LABEL);
    this.#salted = concatBytes(new Uint8Array(SALT_LENGTH), seeded.subarray(SEED_LENGTH));
  }

  /**
   * Salt and value, one behind the other, until the next call. The salt is block `counter` (1 to 255) of the one-step key derivation of NIST SP 800-56C Rev. 2 §4.1
   * with SHA-256.
   */
  salted(counter: number): Bytes {
    this.#block[COUNTER_LENGTH - 1] = counter;
    sha256Into(this.#block, this.#salted, 0);
    return this.#salted;
  }
}
