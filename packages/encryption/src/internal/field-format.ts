/**
 * The bytes before and around an encrypted field. docs/format/fields.md is the contract; this file and that page change together.
 *
 * value = format 1 | algorithm 1 | key version 4 | key commitment 32 | what the algorithm makes, see field-cipher.ts
 */
import { concatBytes, uint32, type Bytes } from '@strongroom/kernel';
import { algorithms, type Algorithm } from '../algorithms.ts';
import { EncryptionError } from '../errors.ts';
import type { Place } from '../place.ts';
import { canonical } from './canonical.ts';

/** The only format there is. Another first byte means a value of the future, or no value at all. */
const FORMAT_VERSION = 1;

/** HMAC-SHA-256 output: 128 bits against collisions, which is what a commitment is about. Bytes. */
export const COMMITMENT_BYTES = 32;
/** Where the commitment starts; before it format, algorithm and key version. */
export const COMMITMENT_OFFSET = 6;
/** Where the header ends and the algorithm's own part starts. */
export const BODY_OFFSET = COMMITMENT_OFFSET + COMMITMENT_BYTES;

export interface FieldHeader {
  readonly algorithm: Algorithm;
  readonly keyVersion: number;
}

/** By the number that stands in values. */
export const algorithmNames: ReadonlyMap<number, Algorithm> = new Map<number, Algorithm>(
  Object.entries(algorithms).map(([name, identifier]) => [identifier, name as Algorithm]),
);

/** The header: the same in every value under one column key. */
export const encodeHeader = (header: FieldHeader, commitment: Uint8Array): Bytes =>
  concatBytes(
    Uint8Array.of(FORMAT_VERSION, algorithms[header.algorithm]),
    uint32(header.keyVersion),
    commitment.subarray(0, COMMITMENT_BYTES),
  );

/** Throws `encryption.cannot-open` for too few bytes, `encryption.unknown-version` for a format or algorithm not known here. */
export function readHeader(value: Uint8Array): FieldHeader {
  if (value.length < BODY_OFFSET) throw new EncryptionError('encryption.cannot-open');
  const algorithm = value[0] === FORMAT_VERSION ? algorithmNames.get(value[1]!) : undefined;
  if (algorithm === undefined) throw new EncryptionError('encryption.unknown-version');
  return {
    algorithm,
    keyVersion: ((value[2]! << 24) | (value[3]! << 16) | (value[4]! << 8) | value[5]!) >>> 0,
  };
}

/** The part of the authenticated context that all rows under one column key share; the row follows, length-prefixed. */
export const contextPrefix = (header: FieldHeader, place: Omit<Place, 'row'>): Uint8Array =>
  canonical(
    'strongroom/field/v1',
    Uint8Array.of(algorithms[header.algorithm]),
    uint32(header.keyVersion),
    place.tenant ?? '',
    place.table,
    place.column,
    place.subject ?? '',
  );
