import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from '@strongroom/kernel';

/** SHA-256 (FIPS 180-4) of one input. WebCrypto's digest is asynchronous, which a tree of a million nodes cannot afford. */
export const sha256 = (data: Uint8Array): Bytes => new Uint8Array(nobleSha256(data));

/** The same, written to `target` from `start` on. */
export const sha256Into = (data: Uint8Array, target: Uint8Array, start: number): void =>
  target.set(nobleSha256(data), start);
