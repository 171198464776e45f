import type { Bytes } from '@strongroom/kernel';
import type { Place } from '../place.ts';
import type { FieldCipher } from './field-cipher.ts';
import { BODY_OFFSET, contextPrefix, encodeHeader, type FieldHeader } from './field-format.ts';
import { RowContext } from './row-context.ts';

/** Seals and opens the values of one tenant, subject, table and column under one key version with one algorithm. */
export class ColumnKey {
  readonly #cipher: FieldCipher;
  readonly #header: Bytes;
  readonly #context: RowContext;

  constructor(cipher: FieldCipher, commitment: Uint8Array, header: FieldHeader, place: Omit<Place, 'row'>) {
    this.#cipher = cipher;
    this.#header = encodeHeader(header, commitment);
    this.#context = new RowContext(contextPrefix(header, place));
  }

  seal(row: string, plaintext: string | Uint8Array): Bytes {
    return this.#cipher.seal(this.#header, this.#context.at(row), plaintext);
  }

  /** Returns `undefined` for a value that was not sealed with this key for this row, or is not whole. */
  open(row: string, value: Uint8Array): Buffer<ArrayBuffer> | undefined {
    return this.#startsWithHeader(value) ? this.#cipher.open(value, BODY_OFFSET, this.#context.at(row)) : undefined;
  }

  /** The commitment is public: it stands in every value. An early exit tells nothing. */
  #startsWithHeader(value: Uint8Array): boolean {
    for (let index = 0; index < BODY_OFFSET; index += 1) {
      if (value[index] !== this.#header[index]) return false;
    }
    return true;
  }
}
