import type { Bytes, Uuid } from '@strongroom/kernel';
import type { Algorithm } from './algorithms.ts';
import type { ColumnPlace, Place } from './place.ts';

/** Encryption of single values in database columns. Synchronous. */
export interface Sealer {
  /**
   * Encrypts for exactly this place: format v1 of docs/format/fields.md, 66 bytes longer than the plaintext (78 with XAES). Text is
   * stored as UTF-8. The algorithm is AES-256-GCM unless said otherwise; opening reads it from the value.
   * Throws `encryption.malformed-text` for text with lone surrogates, `encryption.subject-not-loaded` or `encryption.subject-erased` for a
   * place about a person whose keys are not at hand, a TypeError for an unusable place.
   */
  seal(place: Place, plaintext: string | Uint8Array, algorithm?: Algorithm): Bytes;
  /**
   * Throws `encryption.cannot-open` for whatever was not sealed for this place or was changed since,
   * `encryption.unknown-version` or `encryption.key-missing` for a header that names something unknown here, and for people as `seal`.
   */
  open(place: Place, value: Uint8Array): Bytes;
  /** Like `open`; also throws `encryption.cannot-open` when the value holds bytes that are no text. */
  openText(place: Place, value: Uint8Array): string;
  /**
   * 32 bytes, the same for equal text in the same tenant, table and column, by which a row is found without decrypting. Give it a
   * normalised text. Whoever sees the column learns which rows are equal, nothing else. `keyVersion`: while the index is being rotated
   * (blind-index-rotation.ts); the lookup version otherwise. Throws `encryption.key-missing` for one that is not there.
   */
  blindIndex(place: ColumnPlace, normalised: string, keyVersion?: number): Bytes;
}

/** Where a value about several people lives. */
export type SharedPlace = Omit<Place, 'subject'>;

/** Seals and opens for people whose keys were loaded, and for nobody in particular. Good for one transaction. */
export interface SubjectKeys extends Sealer {
  /** False for a person who was erased, or never had a key. */
  has(subject: Uuid): boolean;
  /**
   * One value about several people, 1 to 8 of them: readable as long as one of them is not erased. Format v2 of
   * docs/format/fields.md, with AES-256-GCM 67 bytes and 92 for each person longer than the plaintext. Algorithm and errors as for `seal`.
   */
  sealShared(
    subjects: readonly Uuid[],
    place: SharedPlace,
    plaintext: string | Uint8Array,
    algorithm?: Algorithm,
  ): Bytes;
  /**
   * `subjects`: those of the people that are known to the reader; keys of the erased are passed by. Each of the others must be one of those for whom the
   * value was sealed. Throws `encryption.subject-erased` when none of them has a key, otherwise as `open`.
   */
  openShared(subjects: readonly Uuid[], place: SharedPlace, value: Uint8Array): Bytes;
}
