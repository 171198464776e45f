/** HKDF with SHA-256 (RFC 5869) on WebCrypto, with the input key held as a non-extractable CryptoKey. */
import type { Bytes } from '@strongroom/kernel';

/** No salt: RFC 5869 §2.2 then uses 32 zero bytes, which as an HMAC key is the same as none. */
export const NO_SALT: Bytes = new Uint8Array(0);

/** The platform holds the key from here on; the caller may wipe `secret` once the promise resolves. */
export const importSecret = (secret: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);

/** `length` in bytes, at most 8,160 (RFC 5869 §2.3). */
export async function deriveBytes(secret: CryptoKey, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, secret, length * 8),
  );
}
