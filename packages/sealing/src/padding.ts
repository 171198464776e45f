/**
 * Padding to length classes, so that the size of a ciphertext tells little about its content. Classes are
 * those of Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
 * PURBs", PoPETs 2019, §4) with a floor of 256 bytes. Format: content | 0x80 | zeros, up to the class.
 */
import type { Bytes } from '@strongroom/kernel';
import { SealingError } from './errors.ts';

/** Bytes of the smallest class. Most notes a person writes fall into it and look the same. */
export const SMALLEST_LENGTH_CLASS = 256;

const MARKER = 0x80;

/**
 * The smallest class that holds `length` bytes. From 256 on, a length keeps only as many leading bits as the
 * logarithm of its logarithm has, which wastes less than 6.3 % there and less the longer it gets.
 */
export function lengthClass(length: number): number {
  if (!Number.isSafeInteger(length) || length < 0 || length > 2 ** 31) {
    throw new RangeError('lengthClass: length must be a whole number from 0 to 2^31');
  }
  if (length <= SMALLEST_LENGTH_CLASS) return SMALLEST_LENGTH_CLASS;
  const exponent = floorLog2(length);
  const step = 2 ** (exponent - (floorLog2(exponent) + 1));
  return Math.ceil(length / step) * step;
}

export function pad(content: Uint8Array): Bytes {
  const padded = new Uint8Array(lengthClass(content.length + 1));
  padded.set(content);
  padded[content.length] = MARKER;
  return padded;
}

/** A view of the content. Throws `sealing.cannot-open` unless `pad` would give exactly these bytes. */
export function unpad(padded: Bytes): Bytes {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end -= 1;
  if (end < 0 || padded[end] !== MARKER || lengthClass(end + 1) !== padded.length) {
    throw new SealingError('sealing.cannot-open');
  }
  return padded.subarray(0, end);
}

/** For 1 ≤ value < 2^32. */
const floorLog2 = (value: number): number => 31 - Math.clz32(value);
