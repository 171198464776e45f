/**
 * X25519 key pairs (RFC 7748) on WebCrypto. Stored keys begin with an algorithm byte, so that a hybrid with
 * a post-quantum mechanism can come later beside this one.
 */
import { concatBytes, equalBytes, type Bytes } from '@strongroom/kernel';
import { SealingError } from '../errors.ts';

/** Algorithm byte: X25519. */
const X25519 = 0x01;
/** RFC 7748 §5: public and private keys, bytes. */
const KEY_BYTES = 32;
/** RFC 8410 §7: everything before the 32 private bytes of a PKCS #8 structure for X25519. */
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);

/** Algorithm byte | 32 bytes, for either half. */
export interface EncodedKeyPair {
  readonly publicKey: Bytes;
  readonly privateKey: Bytes;
}

export async function generateKeyPair(): Promise<EncodedKeyPair> {
  const pair = await crypto.subtle.generateKey('X25519', true, ['deriveBits']);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const structure = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey));
  if (
    structure.length !== PKCS8_PREFIX.length + KEY_BYTES ||
    !equalBytes(structure.subarray(0, PKCS8_PREFIX.length), PKCS8_PREFIX)
  ) {
    throw new TypeError('x25519: this platform writes private keys in an unknown form');
  }
  const privateKey = concatBytes(Uint8Array.of(X25519), structure.subarray(PKCS8_PREFIX.length));
  structure.fill(0);
  return { publicKey: concatBytes(Uint8Array.of(X25519), publicKey), privateKey };
}

export const isPublicKey = (encoded: Bytes): boolean => encoded.length === 1 + KEY_BYTES && encoded[0] === X25519;

/** Throws `sealing.cannot-open` for an unknown algorithm byte or length. */
export async function importPublicKey(encoded: Bytes): Promise<CryptoKey> {
  if (!isPublicKey(encoded)) throw new SealingError('sealing.cannot-open');
  return crypto.subtle.importKey('raw', encoded.subarray(1), 'X25519', true, []);
}

/** A non-extractable key for `deriveBits`. Throws `sealing.cannot-open` for an unknown algorithm byte. */
export async function importPrivateKey(encoded: Bytes): Promise<CryptoKey> {
  if (encoded.length !== 1 + KEY_BYTES || encoded[0] !== X25519) throw new SealingError('sealing.cannot-open');
  const structure = concatBytes(PKCS8_PREFIX, encoded.subarray(1));
  const key = await crypto.subtle.importKey('pkcs8', structure, 'X25519', false, ['deriveBits']);
  structure.fill(0);
  return key;
}
