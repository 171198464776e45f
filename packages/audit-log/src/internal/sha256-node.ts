import { hash } from 'node:crypto';
import type { Bytes } from '@strongroom/kernel';

/** SHA-256 (FIPS 180-4) of one input. */
export function sha256(data: Uint8Array): Bytes {
  const digest = new Uint8Array(32);
  sha256Into(data, digest, 0);
  return digest;
}

/**
 * The same, written to `target` from `start` on. The digest crosses from native code as a Latin-1 string (`binary` is Node's other name for it): that was measured at
 * 2.5 times the speed of a Buffer on Node 24.21, whose allocation costs more than hashing the 65 bytes of a tree node.
 */
export function sha256Into(data: Uint8Array, target: Uint8Array, start: number): void {
  const text = hash('sha256', data, 'binary');
  for (let index = 0; index < 32; index += 1) target[start + index] = text.charCodeAt(index);
}
