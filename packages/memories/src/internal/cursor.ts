/**
 * Cursors hold a position and nothing else: which rows a page may show is decided by the query's own tenant and space, so
 * a cursor needs no authentication, only a strict shape.
 */
import {
  concatBytes,
  fromBase64Url,
  fromHex,
  parseUuid,
  toBase64Url,
  toHex,
  uint32,
  type Uuid,
} from '@strongroom/kernel';
import { MemoriesError } from '../errors.ts';

/** First byte, so that a cursor of one list is refused by another. */
const AFTER_ID = 1;
const AFTER_VERSION = 2;
/** PostgreSQL `integer`: comparing the column with more would fail in the database. */
const MAXIMUM_VERSION = 2 ** 31 - 1;

export const cursorAfterId = (id: Uuid): string =>
  toBase64Url(concatBytes(new Uint8Array([AFTER_ID]), fromHex(id.replaceAll('-', ''))));

export const cursorAfterVersion = (version: number): string =>
  toBase64Url(concatBytes(new Uint8Array([AFTER_VERSION]), uint32(version)));

export function parseCursorAfterId(cursor: string): Uuid {
  const hex = toHex(decode(cursor, AFTER_ID, 16));
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  try {
    return parseUuid(parts.join('-'));
  } catch (cause) {
    throw new MemoriesError('memories.bad-cursor', { cause });
  }
}

export function parseCursorAfterVersion(cursor: string): number {
  const bytes = decode(cursor, AFTER_VERSION, 4);
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (version > MAXIMUM_VERSION) throw new MemoriesError('memories.bad-cursor');
  return version;
}

function decode(cursor: string, kind: number, length: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64Url(cursor);
  } catch (cause) {
    throw new MemoriesError('memories.bad-cursor', { cause });
  }
  if (bytes.length !== 1 + length || bytes[0] !== kind) throw new MemoriesError('memories.bad-cursor');
  return bytes.subarray(1);
}
