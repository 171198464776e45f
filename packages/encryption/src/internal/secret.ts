import { createSecretKey, randomFillSync, type KeyObject } from 'node:crypto';

/** Bytes of every secret that keys are derived from. */
export const SECRET_BYTES = 32;

export const randomSecret = (): Uint8Array => randomFillSync(new Uint8Array(SECRET_BYTES));

/** Takes the bytes over: they are wiped. */
export function secretKey(bytes: Uint8Array): KeyObject {
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}
