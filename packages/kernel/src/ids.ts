/** UUIDv7 (RFC 9562 §5.7): sortable by creation time, made by whoever creates the thing, clients included. */
import { toHex } from './bytes.ts';
import { KernelError } from './errors.ts';

declare const uuidBrand: unique symbol;
/** A lower-case UUID of version 7. Obtain one from `newUuid` or `parseUuid`. */
export type Uuid = string & { readonly [uuidBrand]: true };

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let lastMilliseconds = 0;
let counter = 0;

/** Bytes of randomness for one id, two of them for the start of the counter. */
const RANDOM_BYTES = 10;
/** Asking the platform costs the same for one id as for a hundred. Ids are no secrets: they may lie here before they are used. */
const pool = new Uint8Array(128 * RANDOM_BYTES);
let used = pool.length;

function nextRandom(): Uint8Array {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  return pool.subarray(used, (used += RANDOM_BYTES));
}

/**
 * A new id. Within one process ids are strictly increasing: 12 bits after the time count up
 * (RFC 9562 §6.2, method 1), the remaining 62 bits are random.
 */
export function newUuid(now: number = Date.now()): Uuid {
  const random = nextRandom();
  if (now > lastMilliseconds) {
    lastMilliseconds = now;
    // Starting in the lower half leaves at least 2048 ids in the same millisecond.
    counter = ((random[0]! << 8) | random[1]!) & 0x7ff;
  } else {
    counter += 1;
    if (counter > 0xfff) {
      lastMilliseconds += 1;
      counter = 0;
    }
  }
  const bytes = new Uint8Array(16);
  const milliseconds = lastMilliseconds;
  bytes[0] = Math.floor(milliseconds / 2 ** 40) & 0xff;
  bytes[1] = Math.floor(milliseconds / 2 ** 32) & 0xff;
  bytes[2] = (milliseconds >>> 24) & 0xff;
  bytes[3] = (milliseconds >>> 16) & 0xff;
  bytes[4] = (milliseconds >>> 8) & 0xff;
  bytes[5] = milliseconds & 0xff;
  bytes[6] = 0x70 | (counter >>> 8);
  bytes[7] = counter & 0xff;
  bytes.set(random.subarray(2), 8);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Uuid;
}

export const isUuid = (value: unknown): value is Uuid => typeof value === 'string' && UUID_V7.test(value);

/** Throws `kernel.invalid-id`. `name` tells which argument was wrong; the value itself is not repeated. */
export function parseUuid(value: unknown, name = 'id'): Uuid {
  if (isUuid(value)) return value;
  throw new KernelError('kernel.invalid-id', { detail: `Check "${name}".` });
}
