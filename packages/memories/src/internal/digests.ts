/** What an event commits to: whoever has the sealed tokens can show that they are the ones that were stored, replaced or removed. */
import { createHash, hash } from 'node:crypto';
import type { Uuid } from '@strongroom/kernel';

/** SHA-256 of a sealed token, as the client made it. */
export const tokenDigest = (token: Uint8Array): Uint8Array => new Uint8Array(hash('sha256', token, 'buffer'));

export interface DigestedVersion {
  readonly id: Uuid;
  readonly version: number;
  readonly digest: Uint8Array;
}

/** Of a version in the digest of several: its number. */
const VERSION_LENGTH = 4;

/** One digest for versions of several memories, in the order of the request. docs/format/audit.md */
export function versionsDigest(versions: readonly DigestedVersion[]): Uint8Array {
  const all = createHash('sha256');
  for (const { id, version, digest } of versions) {
    const number = Buffer.alloc(VERSION_LENGTH);
    number.writeUInt32BE(version);
    all
      .update(Buffer.from(id.replaceAll('-', ''), 'hex'))
      .update(number)
      .update(digest);
  }
  return new Uint8Array(all.digest());
}
