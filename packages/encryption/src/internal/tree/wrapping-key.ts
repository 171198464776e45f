/**
 * How a key of the key tree encrypts the keys beneath it. docs/format/keys.md is the contract.
 *
 * wrapped key = format 1 | commitment 32 | nonce 12 | encrypted key 32 | tag 16
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Bytes } from '@strongroom/kernel';
import { decryptGcm, encryptGcm, GCM_KEY_BYTES, GCM_TAG_BYTES, GCM_VECTOR_BYTES } from '../aes-gcm.ts';
import { canonical } from '../canonical.ts';
import { hkdfExpand } from '../hkdf.ts';
import { RandomPool } from '../random-pool.ts';

const FORMAT = 1;
const COMMITMENT_OFFSET = 1;
const NONCE_OFFSET = 33;
const KEY_OFFSET = NONCE_OFFSET + GCM_VECTOR_BYTES;
const TAG_OFFSET = KEY_OFFSET + GCM_KEY_BYTES;
/** Bytes of a wrapped key. */
const WRAPPED_BYTES = TAG_OFFSET + GCM_TAG_BYTES;

/** What a wrapped key is authenticated with: which key, beneath which node (`null`: the root), since which version of the tree. */
export interface WrapPlace {
  readonly kind: 'branch' | 'leaf' | 'subject';
  readonly id: string;
  readonly parent: string | null;
  readonly version: number;
}

const nonces = new RandomPool(GCM_VECTOR_BYTES);

export class WrappingKey {
  readonly #key: KeyObject;
  readonly #commitment: Bytes;

  /** `secret`: the 32 random bytes of a node or of the root. */
  constructor(secret: KeyObject) {
    const bytes = hkdfExpand(secret, canonical('strongroom/key-tree/node/v1'), 2 * GCM_KEY_BYTES);
    this.#key = createSecretKey(bytes.subarray(0, GCM_KEY_BYTES));
    this.#commitment = bytes.slice(GCM_KEY_BYTES);
    bytes.fill(0);
  }

  wrap(place: WrapPlace, secret: Uint8Array): Bytes {
    const nonce = nonces.next();
    const { ciphertext, tag } = encryptGcm(this.#key, nonce, contextOf(place), secret);
    const wrapped = new Uint8Array(WRAPPED_BYTES);
    wrapped[0] = FORMAT;
    wrapped.set(this.#commitment, COMMITMENT_OFFSET);
    wrapped.set(nonce, NONCE_OFFSET);
    wrapped.set(ciphertext, KEY_OFFSET);
    wrapped.set(tag, TAG_OFFSET);
    return wrapped;
  }

  /** `undefined` for what was not wrapped with this key for this place. The caller wipes the result. */
  unwrap(place: WrapPlace, wrapped: Uint8Array): Uint8Array | undefined {
    if (wrapped.length !== WRAPPED_BYTES || wrapped[0] !== FORMAT) return undefined;
    // The commitment is public: it stands beside every wrapped key.
    if (!this.#commitment.every((byte, index) => wrapped[COMMITMENT_OFFSET + index] === byte)) return undefined;
    return decryptGcm(
      this.#key,
      wrapped.subarray(NONCE_OFFSET, KEY_OFFSET),
      contextOf(place),
      wrapped.subarray(KEY_OFFSET, TAG_OFFSET),
      wrapped.subarray(TAG_OFFSET),
    );
  }
}

function contextOf({ kind, id, parent, version }: WrapPlace): Uint8Array {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, BigInt(version));
  return canonical('strongroom/key-tree/v1', kind, id, parent ?? '', number);
}
