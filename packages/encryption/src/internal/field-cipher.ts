/** The algorithms a field can be encrypted with, each as one object: what it makes of a column key, and what it puts behind a value's header. */
import { Buffer } from 'node:buffer';
import type { KeyObject } from 'node:crypto';
import type { Bytes } from '@strongroom/kernel';
import { FERNET_KEY_BYTES, SealingError, splitFernetKey } from '@strongroom/sealing';
import type { Algorithm } from '../algorithms.ts';
import { decryptGcm, encryptGcm, GCM_TAG_BYTES, GCM_VECTOR_BYTES, type GcmOutput } from './aes-gcm.ts';
import { FernetKeys, secondsNow } from './fernet-keys.ts';
import { hkdfExpand } from './hkdf.ts';
import { RandomPool } from './random-pool.ts';
import { ValueSlab } from './value-slab.ts';
import { XAES_NONCE_BYTES, XaesKey } from './xaes-gcm.ts';

/** One algorithm under one column key. `context` is valid during the call only. */
export interface FieldCipher {
  /** The whole value: `header`, and behind it what belongs to this algorithm. */
  seal(header: Uint8Array, context: Uint8Array, plaintext: string | Uint8Array): Bytes;
  /**
   * `value`: whole; its header, of so many bytes, was already compared. Returns `undefined` when what is behind the header was not sealed with this
   * key in this context, or is not whole.
   */
  open(value: Uint8Array, headerBytes: number, context: Uint8Array): Buffer<ArrayBuffer> | undefined;
}

const values = new ValueSlab();

interface Gcm {
  encrypt(nonce: Uint8Array, context: Uint8Array, plaintext: string | Uint8Array): GcmOutput;
  decrypt(
    nonce: Uint8Array,
    context: Uint8Array,
    ciphertext: Uint8Array,
    tag: Uint8Array,
  ): Buffer<ArrayBuffer> | undefined;
}

/** nonce | ciphertext | tag, with the context as associated data. The nonce's length is what tells AES-GCM and XAES-GCM apart. */
class GcmField implements FieldCipher {
  readonly #gcm: Gcm;
  readonly #nonces: RandomPool;

  constructor(gcm: Gcm, nonces: RandomPool) {
    this.#gcm = gcm;
    this.#nonces = nonces;
  }

  seal(header: Uint8Array, context: Uint8Array, plaintext: string | Uint8Array): Bytes {
    const nonce = this.#nonces.next();
    const { ciphertext, tag } = this.#gcm.encrypt(nonce, context, plaintext);
    const ciphertextOffset = header.length + nonce.length;
    const tagOffset = ciphertextOffset + ciphertext.length;
    const value = values.take(tagOffset + GCM_TAG_BYTES);
    value.set(header);
    value.set(nonce, header.length);
    value.set(ciphertext, ciphertextOffset);
    value.set(tag, tagOffset);
    return value;
  }

  open(value: Uint8Array, headerBytes: number, context: Uint8Array): Buffer<ArrayBuffer> | undefined {
    const ciphertextOffset = headerBytes + this.#nonces.size;
    const tagOffset = value.length - GCM_TAG_BYTES;
    if (tagOffset < ciphertextOffset) return undefined;
    return this.#gcm.decrypt(
      value.subarray(headerBytes, ciphertextOffset),
      context,
      value.subarray(ciphertextOffset, tagOffset),
      value.subarray(tagOffset),
    );
  }
}

/** A token as a Fernet library prints it. It has no associated data, so its key is derived from the context: another place is another key. */
class FernetField implements FieldCipher {
  readonly #columnKey: KeyObject;

  constructor(columnKey: KeyObject) {
    this.#columnKey = columnKey;
  }

  seal(header: Uint8Array, context: Uint8Array, plaintext: string | Uint8Array): Bytes {
    const token = this.#at(context).encrypt(plaintext, secondsNow());
    const value = values.take(header.length + token.length);
    value.set(header);
    Buffer.from(value.buffer, value.byteOffset, value.length).write(token, header.length, 'latin1');
    return value;
  }

  open(value: Uint8Array, headerBytes: number, context: Uint8Array): Buffer<ArrayBuffer> | undefined {
    try {
      const keys = this.#at(context);
      const frame = keys.verify(value.subarray(headerBytes));
      return frame === undefined ? undefined : keys.decrypt(frame);
    } catch (error) {
      if (error instanceof SealingError) return undefined;
      throw error;
    }
  }

  #at(context: Uint8Array): FernetKeys {
    return new FernetKeys(splitFernetKey(hkdfExpand(this.#columnKey, context, FERNET_KEY_BYTES)));
  }
}

const gcmNonces = new RandomPool(GCM_VECTOR_BYTES);
const xaesNonces = new RandomPool(XAES_NONCE_BYTES);

const makers: Readonly<Record<Algorithm, (columnKey: KeyObject) => FieldCipher>> = {
  'aes-256-gcm': (columnKey) =>
    new GcmField(
      {
        encrypt: (nonce, context, plaintext) => encryptGcm(columnKey, nonce, context, plaintext),
        decrypt: (nonce, context, ciphertext, tag) => decryptGcm(columnKey, nonce, context, ciphertext, tag),
      },
      gcmNonces,
    ),
  'xaes-256-gcm': (columnKey) => new GcmField(new XaesKey(columnKey), xaesNonces),
  fernet: (columnKey) => new FernetField(columnKey),
};

/** `columnKey`: 32 bytes, used with this algorithm only. */
export const fieldCipher = (algorithm: Algorithm, columnKey: KeyObject): FieldCipher => makers[algorithm](columnKey);
