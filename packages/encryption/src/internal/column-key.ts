import type { Bytes } from '@strongroom/kernel';
import type { Place } from '../place.ts';
import { GCM_TAG_BYTES } from './aes-gcm.ts';
import type { FieldCipher } from './field-cipher.ts';
import { contextPrefix, encodeHeader, NONCE_OFFSET, type FieldHeader } from './field-format.ts';
import { RowContext } from './row-context.ts';
import { ValueSlab } from './value-slab.ts';

const values = new ValueSlab();

/** Seals and opens the values of one tenant, subject, table and column under one key version with one algorithm. */
export class ColumnKey {
  readonly #cipher: FieldCipher;
  readonly #header: Bytes;
  readonly #context: RowContext;
  readonly #ciphertextOffset: number;

  constructor(cipher: FieldCipher, commitment: Uint8Array, header: FieldHeader, place: Omit<Place, 'row'>) {
    this.#cipher = cipher;
    this.#header = encodeHeader(header, commitment);
    this.#context = new RowContext(contextPrefix(header, place));
    this.#ciphertextOffset = NONCE_OFFSET + cipher.nonces.size;
  }

  seal(row: string, plaintext: string | Uint8Array): Bytes {
    const nonce = this.#cipher.nonces.next();
    const { ciphertext, tag } = this.#cipher.encrypt(nonce, this.#context.at(row), plaintext);
    const tagOffset = this.#ciphertextOffset + ciphertext.length;
    const value = values.take(tagOffset + GCM_TAG_BYTES);
    value.set(this.#header);
    value.set(nonce, NONCE_OFFSET);
    value.set(ciphertext, this.#ciphertextOffset);
    value.set(tag, tagOffset);
    return value;
  }

  /** Returns `undefined` for a value that was not sealed with this key for this row, or is not whole. */
  open(row: string, value: Uint8Array): Buffer<ArrayBuffer> | undefined {
    const tagOffset = value.length - GCM_TAG_BYTES;
    if (tagOffset < this.#ciphertextOffset || !this.#startsWithHeader(value)) return undefined;
    return this.#cipher.decrypt(
      value.subarray(NONCE_OFFSET, this.#ciphertextOffset),
      this.#context.at(row),
      value.subarray(this.#ciphertextOffset, tagOffset),
      value.subarray(tagOffset),
    );
  }

  /** The commitment is public: it stands in every value. An early exit tells nothing. */
  #startsWithHeader(value: Uint8Array): boolean {
    for (let index = 0; index < NONCE_OFFSET; index += 1) {
      if (value[index] !== this.#header[index]) return false;
    }
    return true;
  }
}
