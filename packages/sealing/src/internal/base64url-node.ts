/** Token buffers and padded base64url through Node's Buffer: pooled memory and native code. */
import type { Bytes } from '@strongroom/kernel';

/**
 * Room for `length` bytes, of which the caller writes every one: the content is whatever was there before. Twenty
 * times faster than a new Uint8Array at the size of a token.
 */
export const allocate = (length: number): Bytes => Buffer.allocUnsafe(length);

/** RFC 4648 §5 with padding. */
export function encodePaddedBase64Url(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
  const rest = text.length & 3;
  return rest === 0 ? text : rest === 3 ? `${text}=` : `${text}==`;
}

/**
 * RFC 4648 §5, canonical: padding required, nothing outside the alphabet, unused bits zero. `null` otherwise.
 * Buffer decodes leniently, so strictness comes from encoding the result again: only the canonical
 * spelling of a byte string survives that.
 */
export function decodePaddedBase64Url(text: string): Bytes | null {
  if ((text.length & 3) !== 0) return null;
  const bytes = Buffer.from(text, 'base64url');
  return encodePaddedBase64Url(bytes) === text ? bytes : null;
}

/** Bytes above 0x7F become characters that no base64 alphabet contains. */
export function textOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
