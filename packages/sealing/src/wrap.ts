/**
 * Wrapping keys and other short secrets under a key, bound to a context and committing to the key.
 *
 * wrap = version 1 | salt 32 | commitment 32 | AES-256-GCM ciphertext | tag 16
 *
 * Each wrap has an encryption key of its own, derived with a fresh 256-bit salt, so the nonce may be fixed.
 */
import {
  concatBytes,
  equalBytes,
  fromBase64Url,
  lengthPrefixed,
  toBase64Url,
  uint32,
  type Bytes,
} from '@strongroom/kernel';
import { SealingError } from './errors.ts';
import { deriveBytes } from './internal/hkdf.ts';
import { labels } from './internal/labels.ts';

const VERSION = 1;
const SALT_BYTES = 32;
const KEY_BYTES = 32;
const COMMITMENT_BYTES = 32;
const HEADER_BYTES = 1 + SALT_BYTES + COMMITMENT_BYTES;
/** SP 800-38D: AES-GCM tag, bytes. */
const TAG_BYTES = 16;
/** SP 800-38D §8.2.1: 96 bits. Fixed, because every key made here encrypts exactly once. */
const NONCE: Bytes = new Uint8Array(12);

/** What a wrap is bound to: a kind, then ids as text and numbers as four bytes. Numbers are from 0 to 2^32-1. */
export type WrapContext = readonly [kind: string, ...parts: (string | number | Uint8Array)[]];

/** Bytes of a wrap around `length` bytes. */
export const wrappedLength = (length: number): number => HEADER_BYTES + length + TAG_BYTES;

/** `keyEncryptionKey` is an HKDF key, as `importSecret` makes it. The result is base64url without padding. */
export async function wrap(keyEncryptionKey: CryptoKey, context: WrapContext, secret: Bytes): Promise<string> {
  return toBase64Url(await wrapBytes(keyEncryptionKey, context, secret));
}

/** Throws `sealing.cannot-open` whatever is wrong: key, context, version, length, encoding or a changed bit. */
export async function unwrap(keyEncryptionKey: CryptoKey, context: WrapContext, wrapping: string): Promise<Bytes> {
  return unwrapBytes(keyEncryptionKey, context, decode(wrapping));
}

/** `wrap` without the encoding, for what is large and stays on the device. */
export async function wrapBytes(keyEncryptionKey: CryptoKey, context: WrapContext, content: Bytes): Promise<Bytes> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const { key, commitment } = await deriveWrapKey(keyEncryptionKey, salt, context, 'encrypt');
  const ciphertext = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: NONCE }, key, content);
  return concatBytes(Uint8Array.of(VERSION), salt, commitment, new Uint8Array(ciphertext));
}

/** Throws `sealing.cannot-open` like `unwrap`. */
export async function unwrapBytes(keyEncryptionKey: CryptoKey, context: WrapContext, bytes: Bytes): Promise<Bytes> {
  if (bytes.length < wrappedLength(0) || bytes[0] !== VERSION) throw new SealingError('sealing.cannot-open');
  const salt = bytes.subarray(1, 1 + SALT_BYTES);
  const { key, commitment } = await deriveWrapKey(keyEncryptionKey, salt, context, 'decrypt');
  if (!equalBytes(commitment, bytes.subarray(1 + SALT_BYTES, HEADER_BYTES))) {
    throw new SealingError('sealing.cannot-open');
  }
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt({ name: 'AES-GCM', iv: NONCE }, key, bytes.subarray(HEADER_BYTES)),
    );
  } catch {
    throw new SealingError('sealing.cannot-open');
  }
}

async function deriveWrapKey(
  keyEncryptionKey: CryptoKey,
  salt: Bytes,
  context: WrapContext,
  usage: 'encrypt' | 'decrypt',
): Promise<{ key: CryptoKey; commitment: Bytes }> {
  const parts = context.map((part) => (typeof part === 'number' ? uint32(part) : part));
  const info = lengthPrefixed(labels.wrap, ...parts);
  const derived = await deriveBytes(keyEncryptionKey, salt, info, KEY_BYTES + COMMITMENT_BYTES);
  const key = await crypto.subtle.importKey('raw', derived.subarray(0, KEY_BYTES), 'AES-GCM', false, [usage]);
  const commitment = derived.slice(KEY_BYTES);
  derived.fill(0);
  return { key, commitment };
}

function decode(wrapping: string): Bytes {
  try {
    return fromBase64Url(wrapping);
  } catch (cause) {
    throw new SealingError('sealing.cannot-open', { cause });
  }
}
