/** Byte helpers that behave the same in Node and in browsers. Binary data is `Uint8Array` everywhere. */
import { decodeBase64, encodeBase64 } from '#base64';
import { KernelError } from './errors.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const utf8 = (text: string): Bytes => encoder.encode(text);

/** Throws `kernel.invalid-encoding` on malformed UTF-8 instead of inserting replacement characters. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch (cause) {
    throw new KernelError('kernel.invalid-encoding', { detail: 'Expected UTF-8.', cause });
  }
}

export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Four bytes, big endian. */
export function uint32(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new RangeError('uint32: value must be an integer from 0 to 4294967295');
  }
  return new Uint8Array([value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
}

/**
 * The canonical encoding of a list of strings or byte strings: each part preceded by its length as four
 * bytes, big endian. No two different lists give the same bytes, which is why contexts are built with it.
 */
export function lengthPrefixed(...parts: readonly (string | Uint8Array)[]): Bytes {
  const pieces = parts.map((part) => (typeof part === 'string' ? utf8(part) : part));
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + 4 + piece.length, 0));
  const view = new DataView(joined.buffer);
  let offset = 0;
  for (const piece of pieces) {
    view.setUint32(offset, piece.length);
    joined.set(piece, offset + 4);
    offset += 4 + piece.length;
  }
  return joined;
}

/** Compares without an early exit. Lengths are not secret. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index += 1) difference |= left[index]! ^ right[index]!;
  return difference === 0;
}

const HEX = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte]!;
  return text;
}

/** Lower-case hexadecimal only, so that every byte string has one spelling. */
export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw new KernelError('kernel.invalid-encoding', { detail: 'Expected lower-case hexadecimal.' });
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  }
  return bytes;
}

export { allocate, latin1 } from '#base64';

/** RFC 4648 §4. */
export const toBase64 = (bytes: Uint8Array): string => encodeBase64(bytes, 'base64', true);

/** RFC 4648 §4, canonical: padding required, no white space, unused bits zero. */
export function fromBase64(text: string): Bytes {
  return ownMemory(decodeBase64(text, 'base64', true), 'Expected canonical base64.');
}

/** RFC 4648 §5 without padding: what the JSON interface uses for every byte string. */
export const toBase64Url = (bytes: Uint8Array): string => encodeBase64(bytes, 'base64url', false);

/** RFC 4648 §5 without padding, canonical. */
export function fromBase64Url(text: string): Bytes {
  return ownMemory(decodeBase64(text, 'base64url', false), 'Expected canonical base64url without padding.');
}

/** RFC 4648 §5 with padding, as Fernet has it. */
export const toPaddedBase64Url = (bytes: Uint8Array): string => encodeBase64(bytes, 'base64url', true);

/** RFC 4648 §5 with padding, canonical; `null` for anything else. The bytes may be a view of a larger buffer. */
export const fromPaddedBase64Url = (text: string): Bytes | null => decodeBase64(text, 'base64url', true);

/** Who gets bytes may wipe them, or hand over their buffer, without touching what lies beside them in a pool. */
function ownMemory(bytes: Bytes | null, detail: string): Bytes {
  if (bytes === null) throw new KernelError('kernel.invalid-encoding', { detail });
  return new Uint8Array(bytes);
}
