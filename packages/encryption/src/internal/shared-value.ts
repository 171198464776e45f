/**
 * A value about several people: its own random key, wrapped for each of them. docs/format/fields.md is the contract.
 *
 * value = format 2 | algorithm 1 | key version 4 | count 1 | count × wrap 92 | commitment 32 | what the algorithm makes, see field-cipher.ts
 * wrap  = commitment 32 | nonce 12 | encrypted key 32 | tag 16: a field of format 1 under AES-256-GCM without its first six bytes
 */
import { concatBytes, uint32, type Bytes } from '@strongroom/kernel';
import { algorithms, type Algorithm } from '../algorithms.ts';
import { EncryptionError } from '../errors.ts';
import type { SharedPlace } from '../sealer.ts';
import { GCM_KEY_BYTES, GCM_TAG_BYTES, GCM_VECTOR_BYTES } from './aes-gcm.ts';
import { canonical } from './canonical.ts';
import { fieldCipher, type FieldCipher } from './field-cipher.ts';
import { algorithmNames, COMMITMENT_BYTES, type FieldHeader } from './field-format.ts';
import { hkdfExpand } from './hkdf.ts';
import { secretKey } from './secret.ts';

const FORMAT = 2;
const HEADER_BYTES = 6;
const COUNT_OFFSET = HEADER_BYTES;
const WRAPS_OFFSET = COUNT_OFFSET + 1;
/** Of a wrapped key, whatever the value's own algorithm is: it is 32 random bytes, and nobody opens it with another library. */
export const WRAP_ALGORITHM = 'aes-256-gcm';
/** Commitment, nonce, key, tag. */
const WRAP_BYTES = COMMITMENT_BYTES + GCM_VECTOR_BYTES + GCM_KEY_BYTES + GCM_TAG_BYTES;
/** A value is about a handful of people, not about a crowd. */
export const MOST_SUBJECTS = 8;

export interface SharedParts {
  readonly header: FieldHeader;
  readonly wraps: readonly Uint8Array[];
  readonly value: Uint8Array;
  /** Bytes before the value's commitment: authenticated with it, so that no wrap can be taken away or exchanged. */
  readonly headBytes: number;
}

/** Throws `encryption.cannot-open` or `encryption.unknown-version`. */
export function readShared(value: Uint8Array): SharedParts {
  if (value.length < WRAPS_OFFSET) throw new EncryptionError('encryption.cannot-open');
  const algorithm = value[0] === FORMAT ? algorithmNames.get(value[1]!) : undefined;
  if (algorithm === undefined) throw new EncryptionError('encryption.unknown-version');
  const count = value[COUNT_OFFSET]!;
  const headBytes = WRAPS_OFFSET + count * WRAP_BYTES;
  if (count < 1 || count > MOST_SUBJECTS || value.length < headBytes + COMMITMENT_BYTES) {
    throw new EncryptionError('encryption.cannot-open');
  }
  const wraps = Array.from({ length: count }, (_, index) =>
    value.subarray(WRAPS_OFFSET + index * WRAP_BYTES, WRAPS_OFFSET + (index + 1) * WRAP_BYTES),
  );
  const keyVersion = new DataView(value.buffer, value.byteOffset).getUint32(2);
  return { header: { algorithm, keyVersion }, wraps, value, headBytes };
}

/** `valueKey`: 32 random bytes; `wraps`: it, sealed for each person. */
export function sealShared(
  { algorithm, keyVersion }: FieldHeader,
  place: SharedPlace,
  valueKey: Uint8Array,
  wraps: readonly Uint8Array[],
  plaintext: string | Uint8Array,
): Bytes {
  const head = concatBytes(
    Uint8Array.of(FORMAT, algorithms[algorithm]),
    uint32(keyVersion),
    Uint8Array.of(wraps.length),
    ...wraps,
  );
  const { cipher, commitment } = contentKey(algorithm, valueKey);
  return cipher.seal(concatBytes(head, commitment), contextOf(place, head), plaintext);
}

/** `undefined` when it does not fit. */
export function openShared(
  { header, value, headBytes }: SharedParts,
  place: SharedPlace,
  valueKey: Uint8Array,
): Buffer<ArrayBuffer> | undefined {
  const { cipher, commitment } = contentKey(header.algorithm, valueKey);
  if (!commitment.every((byte, index) => value[headBytes + index] === byte)) return undefined;
  return cipher.open(value, headBytes + COMMITMENT_BYTES, contextOf(place, value.subarray(0, headBytes)));
}

function contentKey(algorithm: Algorithm, valueKey: Uint8Array): { cipher: FieldCipher; commitment: Uint8Array } {
  const parent = secretKey(Uint8Array.from(valueKey));
  const bytes = hkdfExpand(parent, contentInfo(algorithm), GCM_KEY_BYTES + COMMITMENT_BYTES);
  const commitment = bytes.slice(GCM_KEY_BYTES);
  return { cipher: fieldCipher(algorithm, secretKey(bytes.subarray(0, GCM_KEY_BYTES))), commitment };
}

/** AES-256-GCM was the only algorithm once and is not named; the others have keys of their own. */
const contentInfo = (algorithm: Algorithm): Uint8Array =>
  algorithm === 'aes-256-gcm'
    ? canonical('strongroom/shared-value/v1')
    : canonical('strongroom/shared-value/v2', Uint8Array.of(algorithms[algorithm]));

const contextOf = ({ tenant, table, column, row }: SharedPlace, head: Uint8Array): Uint8Array =>
  canonical('strongroom/shared/v1', head, tenant ?? '', table, column, row);
