/** The algorithms a field can be encrypted with. What they share, and all that a column key needs to know of them. */
import type { KeyObject } from 'node:crypto';
import type { Algorithm } from '../algorithms.ts';
import { decryptGcm, encryptGcm, GCM_VECTOR_BYTES, type GcmOutput } from './aes-gcm.ts';
import { RandomPool } from './random-pool.ts';
import { XAES_NONCE_BYTES, XaesKey } from './xaes-gcm.ts';

/** A cipher under one key. Both algorithms have tags of 16 bytes. */
export interface FieldCipher {
  /** Random nonces of the length that `encrypt` wants. */
  readonly nonces: RandomPool;
  encrypt(nonce: Uint8Array, associatedData: Uint8Array, plaintext: string | Uint8Array): GcmOutput;
  /** Returns `undefined` when the tag does not fit. */
  decrypt(
    nonce: Uint8Array,
    associatedData: Uint8Array,
    ciphertext: Uint8Array,
    tag: Uint8Array,
  ): Buffer<ArrayBuffer> | undefined;
}

const gcmNonces = new RandomPool(GCM_VECTOR_BYTES);
const xaesNonces = new RandomPool(XAES_NONCE_BYTES);

const makers: Readonly<Record<Algorithm, (key: KeyObject) => FieldCipher>> = {
  'aes-256-gcm': (key) => ({
    nonces: gcmNonces,
    encrypt: (nonce, associatedData, plaintext) => encryptGcm(key, nonce, associatedData, plaintext),
    decrypt: (nonce, associatedData, ciphertext, tag) => decryptGcm(key, nonce, associatedData, ciphertext, tag),
  }),
  'xaes-256-gcm': (key) => {
    const xaes = new XaesKey(key);
    return {
      nonces: xaesNonces,
      encrypt: (nonce, associatedData, plaintext) => xaes.encrypt(nonce, associatedData, plaintext),
      decrypt: (nonce, associatedData, ciphertext, tag) => xaes.decrypt(nonce, associatedData, ciphertext, tag),
    };
  },
};

/** `key`: 32 bytes, used with this algorithm only. */
export const fieldCipher = (algorithm: Algorithm, key: KeyObject): FieldCipher => makers[algorithm](key);
