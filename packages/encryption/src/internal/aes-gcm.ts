/** AES-256-GCM as this package uses it: 32-byte key, 12-byte vector, 16-byte tag (NIST SP 800-38D). */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';

const CIPHER = 'aes-256-gcm';

/** Key, bytes. */
export const GCM_KEY_BYTES = 32;
/** SP 800-38D §5.2.1.1: the one length whose vectors are used as they are, not hashed. Bytes. */
export const GCM_VECTOR_BYTES = 12;
/** SP 800-38D §5.2.1.2: the longest tag, bytes. Shorter ones are refused. */
export const GCM_TAG_BYTES = 16;

export interface GcmOutput {
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** Text is encrypted as UTF-8; the caller made sure that it is well formed. */
export function encryptGcm(
  key: KeyObject,
  vector: Uint8Array,
  associatedData: Uint8Array,
  plaintext: string | Uint8Array,
): GcmOutput {
  const cipher = createCipheriv(CIPHER, key, vector);
  cipher.setAAD(associatedData);
  const ciphertext = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext);
  cipher.final();
  return { ciphertext, tag: cipher.getAuthTag() };
}

/** Returns `undefined` when the tag does not fit; nothing of the plaintext leaves in that case. */
export function decryptGcm(
  key: KeyObject,
  vector: Uint8Array,
  associatedData: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
): Buffer<ArrayBuffer> | undefined {
  // Node would accept tags of 4, 8 and 12 to 15 bytes as well, with a chance of forgery to match.
  if (tag.length !== GCM_TAG_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, key, vector);
  decipher.setAAD(associatedData);
  decipher.setAuthTag(tag);
  const plaintext = decipher.update(ciphertext);
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    return undefined;
  }
  return plaintext;
}
