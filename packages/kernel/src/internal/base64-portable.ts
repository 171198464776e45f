/**
 * Base64 and byte buffers with what every browser has. Same contract as the Node file beside it. Table driven, because `atob` and what it takes
 * around it to be strict cost more than all the cryptography of opening an item.
 */

type Bytes = Uint8Array<ArrayBuffer>;
type Base64Alphabet = 'base64' | 'base64url';

const PADDING = 0x3d;
/** Above every six-bit value, so that one comparison finds a bad character anywhere in a group. */
const INVALID = 64;

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const TABLES = { base64: tableOf('+/'), base64url: tableOf('-_') };

function tableOf(last: string): { readonly characters: Uint8Array; readonly values: Uint8Array } {
  const characters = Uint8Array.from(LETTERS_AND_DIGITS + last, (character) => character.charCodeAt(0));
  const values = new Uint8Array(128).fill(INVALID);
  for (const [value, character] of characters.entries()) values[character] = value;
  return { characters, values };
}

const ascii = new TextDecoder();

/** Room for `length` bytes, of which the caller writes every one. */
export const allocate = (length: number): Bytes => new Uint8Array(length);

/** RFC 4648 §4 or §5, with padding or without. */
export function encodeBase64(bytes: Uint8Array, alphabet: Base64Alphabet, padded: boolean): string {
  const { characters } = TABLES[alphabet];
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  let at = 0;
  for (let index = 0; index < bytes.length; index += 3) {
    const group = (bytes[index]! << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    text[at] = characters[group >>> 18]!;
    text[at + 1] = characters[(group >>> 12) & 63]!;
    text[at + 2] = characters[(group >>> 6) & 63]!;
    text[at + 3] = characters[group & 63]!;
    at += 4;
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  if (!padded) return ascii.decode(text.subarray(0, at - missing));
  text.fill(PADDING, at - missing);
  return ascii.decode(text);
}

/** Canonical: padding as said, nothing outside the alphabet, unused bits zero. `null` otherwise. */
export function decodeBase64(text: string, alphabet: Base64Alphabet, padded: boolean): Bytes | null {
  const { values } = TABLES[alphabet];
  const padding = !padded ? 0 : text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const end = text.length - padding;
  const missing = (4 - (end % 4)) % 4;
  if (missing === 3 || (padded && missing !== padding)) return null;
  const bytes = new Uint8Array(((end + missing) / 4) * 3 - missing);
  let at = 0;
  for (let index = 0; index < end; index += 4) {
    // What is missing counts as zero bits, and only in the last group.
    const last = index + 4 > end;
    const one = valueAt(values, text, index);
    const two = valueAt(values, text, index + 1);
    const three = last && missing === 2 ? 0 : valueAt(values, text, index + 2);
    const four = last ? 0 : valueAt(values, text, index + 3);
    if ((one | two | three | four) >= INVALID) return null;
    const group = (one << 18) | (two << 12) | (three << 6) | four;
    // Bits that no byte takes must be zero, or one byte string would have several spellings.
    if (last && (group & (2 ** (8 * missing) - 1)) !== 0) return null;
    // Writing past the end, in the last group, has no effect.
    bytes[at] = group >>> 16;
    bytes[at + 1] = group >>> 8;
    bytes[at + 2] = group;
    at += 3;
  }
  return bytes;
}

const valueAt = (values: Uint8Array, text: string, index: number): number => values[text.charCodeAt(index)] ?? INVALID;

/** Keeps `String.fromCharCode` below the engines' limits on arguments. */
const CHUNK = 0x2000;

/** One character for each byte: bytes above 0x7F become characters that no base64 alphabet contains. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let offset = 0; offset < bytes.length; offset += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(offset, offset + CHUNK));
  }
  return text;
}
