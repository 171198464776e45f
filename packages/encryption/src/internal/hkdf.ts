/**
 * HKDF-Expand with SHA-256 on KeyObjects. Every key here descends from 32 uniformly random bytes, so the extract step adds nothing
 * (RFC 5869 §3.3). Two `createHmac` calls are faster than `hkdfSync`, which would also extract.
 */
import { Buffer } from 'node:buffer';
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Bytes } from '@strongroom/kernel';

/** SHA-256 output, bytes. */
const HASH_BYTES = 32;

/** RFC 2104 with SHA-256, 32 bytes. */
export const hmacSha256 = (key: KeyObject, message: Uint8Array): Buffer<ArrayBuffer> =>
  createHmac('sha256', key).update(message).digest();

/** RFC 5869 §2.3. `length` in bytes, at most 8160. The caller wipes the result when it is a key. */
export function hkdfExpand(pseudorandomKey: KeyObject, info: Uint8Array, length: number): Bytes {
  if (length > 255 * HASH_BYTES) throw new RangeError('hkdfExpand: length must be at most 8160 bytes');
  const output = new Uint8Array(length);
  // T(n) = HMAC(key, T(n - 1) | info | n), where T(0) is empty.
  const message = Buffer.allocUnsafe(HASH_BYTES + info.length + 1);
  message.set(info, HASH_BYTES);
  for (let offset = 0, counter = 1; offset < length; offset += HASH_BYTES, counter += 1) {
    message[message.length - 1] = counter;
    const block = hmacSha256(pseudorandomKey, counter === 1 ? message.subarray(HASH_BYTES) : message);
    output.set(block.subarray(0, length - offset), offset);
    message.set(block);
    block.fill(0);
  }
  // Pooled memory that others will be given next; it held the last block.
  message.fill(0);
  return output;
}

/** A 32-byte key under another one. */
export function deriveKey(parent: KeyObject, info: Uint8Array): KeyObject {
  const bytes = hkdfExpand(parent, info, HASH_BYTES);
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}
