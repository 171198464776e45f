/** How an opening is stored: one byte for its form, then what the form says. Ciphertext under a subject's key will be another form. */
import { type Bytes, concatBytes, fromUtf8, utf8 } from '@strongroom/kernel';
import { type Opening, SALT_LENGTH } from '../entry.ts';

/** Salt, then the value in UTF-8. */
const CLEAR = 0;

export const encodeOpening = ({ salt, value }: Opening): Bytes =>
  concatBytes(new Uint8Array([CLEAR]), salt, utf8(value));

/** What opens no commitment: stored bytes of no known form read as this, and verification says so. */
const UNREADABLE: Opening = { salt: new Uint8Array(0), value: '' };

export function decodeOpening(stored: Uint8Array): Opening {
  if (stored[0] !== CLEAR || stored.length < 1 + SALT_LENGTH) return UNREADABLE;
  try {
    return { salt: stored.subarray(1, 1 + SALT_LENGTH), value: fromUtf8(stored.subarray(1 + SALT_LENGTH)) };
  } catch {
    return UNREADABLE;
  }
}
