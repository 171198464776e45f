/**
 * The framing of Fernet (github.com/fernet/spec, version 0x80), without any cryptography: what the
 * asynchronous Fernet of this package and the synchronous one of `encryption` have in common.
 *
 * token = base64url( version 1 | timestamp 8 | initialization vector 16 | ciphertext 16·n, n ≥ 1 | HMAC-SHA-256 32 )
 *
 * Whoever opens a token parses it, verifies the signature over `signed`, checks the age, then decrypts, in
 * this order, and throws `sealing.invalid-token` from every step but the age.
 */
import { allocate, fromPaddedBase64Url, latin1, toPaddedBase64Url, type Bytes } from '@strongroom/kernel';
import { SealingError } from './errors.ts';

/** Fernet spec: the only version there is. */
export const FERNET_VERSION = 0x80;
/** Fernet spec: signing key and encryption key, bytes each. */
export const FERNET_HALF_KEY_BYTES = 16;
/** Bytes of a whole Fernet key. */
export const FERNET_KEY_BYTES = 32;
/** AES block and initialization vector, bytes. */
export const FERNET_BLOCK_BYTES = 16;
/** HMAC-SHA-256, bytes. */
export const FERNET_SIGNATURE_BYTES = 32;
/** A token from a clock that runs ahead is accepted up to this many seconds; the figure all implementations share. */
export const FERNET_CLOCK_SKEW_SECONDS = 60;

const TIMESTAMP_OFFSET = 1;
const VECTOR_OFFSET = 9;
const CIPHERTEXT_OFFSET = VECTOR_OFFSET + FERNET_BLOCK_BYTES;
const SHORTEST_TOKEN = CIPHERTEXT_OFFSET + FERNET_BLOCK_BYTES + FERNET_SIGNATURE_BYTES;

export interface FernetKeyParts {
  readonly signingKey: Bytes;
  readonly encryptionKey: Bytes;
}

/** The fields of a token, all of them views of one decoded buffer. Nothing here is authenticated yet. */
export interface FernetFrame {
  /** Seconds since the epoch; inexact above 2^53, where every age check refuses anyway. */
  readonly timestamp: number;
  /** Everything before the signature: what the HMAC covers. */
  readonly signed: Bytes;
  readonly initializationVector: Bytes;
  readonly ciphertext: Bytes;
  readonly signature: Bytes;
}

/** A token under construction: sign `signed`, then call `finishFernetToken`. Until then its last 32 bytes are undefined. */
export interface FernetLayout {
  readonly token: Bytes;
  /** A view of `token` without the signature. */
  readonly signed: Bytes;
}

/** When a token is still good. All values in seconds. */
export interface FernetAge {
  /** Greatest age; without it tokens of any age and from any clock are accepted, as the spec says. */
  readonly ttl?: number | undefined;
  /** The time to compare with, seconds since the epoch. */
  readonly now: number;
}

/** Splits 32 raw bytes into views. Throws `sealing.invalid-fernet-key`. */
export function splitFernetKey(key: Bytes): FernetKeyParts {
  if (key.length !== FERNET_KEY_BYTES) throw new SealingError('sealing.invalid-fernet-key');
  return { signingKey: key.subarray(0, FERNET_HALF_KEY_BYTES), encryptionKey: key.subarray(FERNET_HALF_KEY_BYTES) };
}

/** Reads a key as text: canonical base64url with padding. Throws `sealing.invalid-fernet-key`. */
export function parseFernetKey(key: string): FernetKeyParts {
  const bytes = fromPaddedBase64Url(key);
  if (bytes === null) throw new SealingError('sealing.invalid-fernet-key');
  return splitFernetKey(bytes);
}

/** A new key as text, for `parseFernetKey` here and in any other implementation. */
export const generateFernetKey = (): string =>
  toPaddedBase64Url(crypto.getRandomValues(new Uint8Array(FERNET_KEY_BYTES)));

/** Reads a token, as text or as its ASCII bytes. Throws `sealing.invalid-token` for every malformed one. */
export function parseFernetToken(token: string | Uint8Array): FernetFrame {
  const bytes = fromPaddedBase64Url(typeof token === 'string' ? token : latin1(token));
  if (
    bytes === null ||
    bytes.length < SHORTEST_TOKEN ||
    (bytes.length - SHORTEST_TOKEN) % FERNET_BLOCK_BYTES !== 0 ||
    bytes[0] !== FERNET_VERSION
  ) {
    throw new SealingError('sealing.invalid-token');
  }
  const end = bytes.length - FERNET_SIGNATURE_BYTES;
  return {
    timestamp: readUint32(bytes, TIMESTAMP_OFFSET) * 2 ** 32 + readUint32(bytes, TIMESTAMP_OFFSET + 4),
    signed: bytes.subarray(0, end),
    initializationVector: bytes.subarray(VECTOR_OFFSET, CIPHERTEXT_OFFSET),
    ciphertext: bytes.subarray(CIPHERTEXT_OFFSET, end),
    signature: bytes.subarray(end),
  };
}

/**
 * Throws `sealing.expired-token` for a token older than `ttl` or more than 60 s from the future. Call it
 * only after the signature was verified: before that it would tell a forger what the clock says.
 */
export function checkFernetAge(frame: FernetFrame, age: FernetAge): void {
  if (age.ttl === undefined) return;
  if (!(age.ttl >= 0)) throw new RangeError('checkFernetAge: ttl must be a number of seconds, 0 or more');
  if (!Number.isFinite(age.now)) throw new RangeError('checkFernetAge: now must be a number of seconds');
  if (frame.timestamp + age.ttl < age.now || frame.timestamp > age.now + FERNET_CLOCK_SKEW_SECONDS) {
    throw new SealingError('sealing.expired-token');
  }
}

/** `timestamp` in whole seconds; the ciphertext may come in pieces, together a multiple of 16 bytes. */
export function layOutFernetToken(
  timestamp: number,
  initializationVector: Uint8Array,
  ...ciphertext: readonly Uint8Array[]
): FernetLayout {
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new RangeError('layOutFernetToken: timestamp must be a whole number of seconds, 0 or more');
  }
  if (initializationVector.length !== FERNET_BLOCK_BYTES) {
    throw new RangeError('layOutFernetToken: initializationVector must have 16 bytes');
  }
  let length = 0;
  for (const piece of ciphertext) length += piece.length;
  if (length === 0 || length % FERNET_BLOCK_BYTES !== 0) {
    throw new RangeError('layOutFernetToken: ciphertext must be a positive multiple of 16 bytes');
  }
  const token = allocate(CIPHERTEXT_OFFSET + length + FERNET_SIGNATURE_BYTES);
  token[0] = FERNET_VERSION;
  writeUint32(token, TIMESTAMP_OFFSET, Math.floor(timestamp / 2 ** 32));
  writeUint32(token, TIMESTAMP_OFFSET + 4, timestamp);
  token.set(initializationVector, VECTOR_OFFSET);
  let offset = CIPHERTEXT_OFFSET;
  for (const piece of ciphertext) {
    token.set(piece, offset);
    offset += piece.length;
  }
  return { token, signed: token.subarray(0, offset) };
}

/** Puts the signature in its place and returns the token as text. */
export function finishFernetToken(layout: FernetLayout, signature: Uint8Array): string {
  if (signature.length !== FERNET_SIGNATURE_BYTES) {
    throw new RangeError('finishFernetToken: signature must have 32 bytes');
  }
  layout.token.set(signature, layout.signed.length);
  return toPaddedBase64Url(layout.token);
}

const readUint32 = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0;

function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}
