/**
 * Token buffers and padded base64url with what every browser has. Same contract as the Node file beside it. Table driven, because
 * `atob` and what it takes around it to be strict cost more than all the cryptography of opening an item.
 */
import type { Bytes } from '@strongroom/kernel';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const PADDING = 0x3d;
/** Above every six-bit value, so that one comparison finds a bad character anywhere in a group. */
const INVALID = 64;

const CHARACTERS = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const VALUES = new Uint8Array(128).fill(INVALID);
for (const [value, character] of CHARACTERS.entries()) VALUES[character] = value;

const ascii = new TextDecoder();

/** Room for `length` bytes, of which the caller writes every one. */
export const allocate = (length: number): Bytes => new Uint8Array(length);

/** RFC 4648 §5 with padding. */
export function encodePaddedBase64Url(bytes: Uint8Array): string {
  const characters = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  let at = 0;
  for (let index = 0; index < bytes.length; index += 3) {
    const group = (bytes[index]! << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    characters[at] = CHARACTERS[group >>> 18]!;
    characters[at + 1] = CHARACTERS[(group >>> 12) & 63]!;
    characters[at + 2] = CHARACTERS[(group >>> 6) & 63]!;
    characters[at + 3] = CHARACTERS[group & 63]!;
    at += 4;
  }
  const rest = bytes.length % 3;
  if (rest !== 0) characters.fill(PADDING, at - (3 - rest));
  return ascii.decode(characters);
}

/** RFC 4648 §5, canonical: padding required, nothing outside the alphabet, unused bits zero. `null` otherwise. */
export function decodePaddedBase64Url(text: string): Bytes | null {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let at = 0;
  for (let index = 0; index < text.length; index += 4) {
    // Padding counts as zero bits, and only in the last group.
    const missing = index + 4 === text.length ? padding : 0;
    const one = valueAt(text, index);
    const two = valueAt(text, index + 1);
    const three = missing === 2 ? 0 : valueAt(text, index + 2);
    const four = missing === 0 ? valueAt(text, index + 3) : 0;
    if ((one | two | three | four) >= INVALID) return null;
    const group = (one << 18) | (two << 12) | (three << 6) | four;
    // Bits that no byte takes must be zero, or one byte string would have several spellings.
    if ((group & (2 ** (8 * missing) - 1)) !== 0) return null;
    // Writing past the end, in the last group, has no effect.
    bytes[at] = group >>> 16;
    bytes[at + 1] = group >>> 8;
    bytes[at + 2] = group;
    at += 3;
  }
  return bytes;
}

const valueAt = (text: string, index: number): number => VALUES[text.charCodeAt(index)] ?? INVALID;

/** Keeps `String.fromCharCode` below the engines' limits on arguments. */
const CHUNK = 0x2000;

/** Bytes above 0x7F become characters that no base64 alphabet contains. */
export function textOfBytes(bytes: Uint8Array): string {
  let text = '';
  for (let offset = 0; offset < bytes.length; offset += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(offset, offset + CHUNK));
  }
  return text;
}
