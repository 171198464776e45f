/** Base64 and byte buffers through Node's Buffer: native code and pooled memory. */
import { Buffer } from 'node:buffer';

type Bytes = Uint8Array<ArrayBuffer>;
type Base64Alphabet = 'base64' | 'base64url';

/**
 * Room for `length` bytes, of which the caller writes every one: the content is whatever was there before, and the memory may be part of a
 * larger buffer. Twenty times faster than a new Uint8Array at the size of a token.
 */
export const allocate = (length: number): Bytes => Buffer.allocUnsafe(length);

/** RFC 4648 §4 or §5, with padding or without. */
export function encodeBase64(bytes: Uint8Array, alphabet: Base64Alphabet, padded: boolean): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(alphabet);
  // Buffer pads the one alphabet and not the other.
  if (padded === (alphabet === 'base64')) return text;
  if (!padded) return text.replace(/=+$/, '');
  const rest = text.length & 3;
  return rest === 0 ? text : rest === 3 ? `${text}=` : `${text}==`;
}

/**
 * Canonical: padding as said, nothing outside the alphabet, unused bits zero. `null` otherwise. Buffer decodes leniently, so strictness comes
 * from encoding the result again: only the canonical spelling of a byte string survives that.
 */
export function decodeBase64(text: string, alphabet: Base64Alphabet, padded: boolean): Bytes | null {
  if (padded && (text.length & 3) !== 0) return null;
  const bytes = Buffer.from(text, alphabet);
  return encodeBase64(bytes, alphabet, padded) === text ? bytes : null;
}

/** One character for each byte: bytes above 0x7F become characters that no base64 alphabet contains. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
