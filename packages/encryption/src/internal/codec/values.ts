/** Between the open values of a row and the bytes that are encrypted. */
import { isUtf8 } from 'node:buffer';
import { EncryptionError } from '../../errors.ts';
import type { SealedColumn } from './sealed-column.ts';

/** Throws a TypeError that names the column, never the value. */
export function plaintextOf(name: string, { as }: SealedColumn, value: unknown): string | Uint8Array {
  switch (as) {
    case 'text':
      if (typeof value === 'string') return value;
      break;
    case 'bytes':
      if (value instanceof Uint8Array) return value;
      break;
    case 'json': {
      const text: string | undefined = JSON.stringify(value);
      if (text !== undefined) return text;
      break;
    }
  }
  throw new TypeError(`row: "${name}" must be ${as === 'json' ? 'a JSON value' : as}`);
}

/** `bytes`: authenticated, so what does not fit was sealed as another kind. Takes them over, and wipes them unless they are the value. */
export function openValueOf({ as }: SealedColumn, bytes: Uint8Array): unknown {
  if (as === 'bytes') return bytes;
  try {
    if (!isUtf8(bytes)) throw new EncryptionError('encryption.cannot-open', { detail: 'It holds no text.' });
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
    return as === 'text' ? text : parse(text);
  } finally {
    bytes.fill(0);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its message would quote the text.
    throw new EncryptionError('encryption.cannot-open', { detail: 'It holds no JSON.' });
  }
}
