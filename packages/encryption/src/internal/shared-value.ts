/**
 * A value about several people: its own random key, wrapped for each of them. docs/format/fields.md is the contract.
 *
 * value   = format 2 | algorithm 1 | key version 4 | count 1 | count × wrap 92 | nonce 12 | ciphertext | tag 16, with a commitment 32 before the nonce
 * wrap    = commitment 32 | nonce 12 | encrypted key 32 | tag 16: a field of format 1 without its first six bytes
 */
import type { KeyObject } from 'node:crypto';
import { concatBytes, uint32, type Bytes } from '@strongroom/kernel';
import { algorithms } from '../algorithms.ts';
import { EncryptionError } from '../errors.ts';
import type { SharedPlace } from '../sealer.ts';
import { decryptGcm, encryptGcm, GCM_KEY_BYTES, GCM_TAG_BYTES, GCM_VECTOR_BYTES } from './aes-gcm.ts';
import { canonical } from './canonical.ts';
import { COMMITMENT_BYTES, type FieldHeader } from './field-format.ts';
import { hkdfExpand } from './hkdf.ts';
import { RandomPool } from './random-pool.ts';
import { secretKey } from './secret.ts';

const FORMAT = 2;
const HEADER_BYTES = 6;
const COUNT_OFFSET = HEADER_BYTES;
const WRAPS_OFFSET = COUNT_OFFSET + 1;
/** Commitment, nonce, key, tag. */
const WRAP_BYTES = COMMITMENT_BYTES + GCM_VECTOR_BYTES + GCM_KEY_BYTES + GCM_TAG_BYTES;
/** A value is about a handful of people, not about a crowd. */
export const MOST_SUBJECTS = 8;

const nonces = new RandomPool(GCM_VECTOR_BYTES);

export interface SharedParts {
  readonly header: FieldHeader;
  readonly wraps: readonly Uint8Array[];
  /** Everything before the value's commitment: authenticated with it, so that no wrap can be taken away or exchanged. */
  readonly head: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Throws `encryption.cannot-open` or `encryption.unknown-version`. */
export function readShared(value: Uint8Array): SharedParts {
  if (value.length < WRAPS_OFFSET) throw new EncryptionError('encryption.cannot-open');
  if (value[0] !== FORMAT || value[1] !== algorithms['aes-256-gcm']) {
    throw new EncryptionError('encryption.unknown-version');
  }
  const count = value[COUNT_OFFSET]!;
  const end = WRAPS_OFFSET + count * WRAP_BYTES;
  if (count < 1 || count > MOST_SUBJECTS || value.length < end + COMMITMENT_BYTES + GCM_VECTOR_BYTES + GCM_TAG_BYTES) {
    throw new EncryptionError('encryption.cannot-open');
  }
  const wraps = Array.from({ length: count }, (_, index) =>
    value.subarray(WRAPS_OFFSET + index * WRAP_BYTES, WRAPS_OFFSET + (index + 1) * WRAP_BYTES),
  );
  const keyVersion = new DataView(value.buffer, value.byteOffset).getUint32(2);
  return {
    header: { algorithm: 'aes-256-gcm', keyVersion },
    wraps,
    head: value.subarray(0, end),
    sealed: value.subarray(end),
  };
}

/** `valueKey`: 32 random bytes; `wraps`: it, sealed for each person. */
export function sealShared(
  keyVersion: number,
  place: SharedPlace,
  valueKey: Uint8Array,
  wraps: readonly Uint8Array[],
  plaintext: string | Uint8Array,
): Bytes {
  const head = concatBytes(
    Uint8Array.of(FORMAT, algorithms['aes-256-gcm']),
    uint32(keyVersion),
    Uint8Array.of(wraps.length),
    ...wraps,
  );
  const { key, commitment } = contentKey(valueKey);
  const nonce = Uint8Array.from(nonces.next());
  const { ciphertext, tag } = encryptGcm(key, nonce, contextOf(place, head), plaintext);
  return concatBytes(head, commitment, nonce, ciphertext, tag);
}

/** `undefined` when it does not fit. */
export function openShared(
  parts: SharedParts,
  place: SharedPlace,
  valueKey: Uint8Array,
): Buffer<ArrayBuffer> | undefined {
  const { key, commitment } = contentKey(valueKey);
  const { sealed, head } = parts;
  if (!commitment.every((byte, index) => sealed[index] === byte)) return undefined;
  const nonceEnd = COMMITMENT_BYTES + GCM_VECTOR_BYTES;
  return decryptGcm(
    key,
    sealed.subarray(COMMITMENT_BYTES, nonceEnd),
    contextOf(place, head),
    sealed.subarray(nonceEnd, -GCM_TAG_BYTES),
    sealed.subarray(-GCM_TAG_BYTES),
  );
}

function contentKey(valueKey: Uint8Array): { key: KeyObject; commitment: Uint8Array } {
  const parent = secretKey(Uint8Array.from(valueKey));
  const bytes = hkdfExpand(parent, canonical('strongroom/shared-value/v1'), GCM_KEY_BYTES + COMMITMENT_BYTES);
  const commitment = bytes.slice(GCM_KEY_BYTES);
  return { key: secretKey(bytes.subarray(0, GCM_KEY_BYTES)), commitment };
}

const contextOf = ({ tenant, table, column, row }: SharedPlace, head: Uint8Array): Uint8Array =>
  canonical('strongroom/shared/v1', head, tenant ?? '', table, column, row);
