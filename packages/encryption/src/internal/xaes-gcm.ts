/** XAES-256-GCM (c2sp.org/XAES-256-GCM): AES-256-GCM with a nonce of 24 bytes, under a key derived from the nonce's first half. */
import { createCipheriv, createSecretKey, type Cipheriv, type KeyObject } from 'node:crypto';
import { decryptGcm, encryptGcm, GCM_KEY_BYTES, type GcmOutput } from './aes-gcm.ts';

/** Nonce, bytes. Random ones are good for 2^80 values under one key with a risk of 2^-32. */
export const XAES_NONCE_BYTES = 24;

/** The first half goes into the key, the second one is the vector of AES-256-GCM. Bytes. */
const HALF_NONCE_BYTES = 12;
/** AES block, bytes. */
const BLOCK_BYTES = 16;
/** SP 800-38B §5.3: R for blocks of 128 bits. */
const REDUCTION = 0b1000_0111;

export class XaesKey {
  /** ECB keeps nothing between blocks, so that one cipher serves every value; making one costs as much as a small encryption. */
  readonly #blocks: Cipheriv;
  /** SP 800-108r1 in counter mode with CMAC: two inputs of one block each, counter | "X" | 0 | half a nonce, masked with the subkey K1. */
  readonly #mask: Buffer;
  readonly #input = Buffer.alloc(2 * BLOCK_BYTES);

  constructor(key: KeyObject) {
    this.#blocks = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    const subkey = double(this.#blocks.update(Buffer.alloc(BLOCK_BYTES)));
    const [first, second] = [1, 2].map((counter) =>
      xor(subkey, Buffer.from([0, counter, 0x58, 0, ...Buffer.alloc(HALF_NONCE_BYTES)])),
    );
    this.#mask = Buffer.concat([first!, second!]);
  }

  encrypt(nonce: Uint8Array, associatedData: Uint8Array, plaintext: string | Uint8Array): GcmOutput {
    return encryptGcm(this.#derive(nonce), nonce.subarray(HALF_NONCE_BYTES), associatedData, plaintext);
  }

  /** Returns `undefined` when the tag does not fit. */
  decrypt(
    nonce: Uint8Array,
    associatedData: Uint8Array,
    ciphertext: Uint8Array,
    tag: Uint8Array,
  ): Buffer<ArrayBuffer> | undefined {
    return decryptGcm(this.#derive(nonce), nonce.subarray(HALF_NONCE_BYTES), associatedData, ciphertext, tag);
  }

  #derive(nonce: Uint8Array): KeyObject {
    const input = this.#input;
    input.set(this.#mask);
    for (let index = 0; index < HALF_NONCE_BYTES; index += 1) {
      input[4 + index]! ^= nonce[index]!;
      input[BLOCK_BYTES + 4 + index]! ^= nonce[index]!;
    }
    const bytes = this.#blocks.update(input);
    const key = createSecretKey(bytes.subarray(0, GCM_KEY_BYTES));
    bytes.fill(0);
    return key;
  }
}

/** SP 800-38B §6.1: multiplication by x, which makes K1 from the encrypted zero block. */
function double(block: Buffer): Buffer {
  const doubled = Buffer.alloc(BLOCK_BYTES);
  for (let index = 0; index < BLOCK_BYTES; index += 1) {
    doubled[index] = (block[index]! << 1) | ((block[index + 1] ?? 0) >>> 7);
  }
  if (block[0]! >= 0x80) doubled[BLOCK_BYTES - 1]! ^= REDUCTION;
  return doubled;
}

const xor = (left: Buffer, right: Buffer): Buffer => Buffer.from(left.map((byte, index) => byte ^ right[index]!));
