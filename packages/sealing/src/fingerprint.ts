/** What two people compare to know that a server gave each of them the other's own public key. */
import { lengthPrefixed, type Bytes, type Uuid } from '@strongroom/kernel';
import { SealingError } from './errors.ts';
import { labels } from './internal/labels.ts';
import { isPublicKey } from './internal/x25519.ts';

/** Somebody as others see them. Whether the key is really theirs is what fingerprints are for. */
export interface PublicIdentity {
  readonly account: Uuid;
  /** Algorithm byte | public key: 33 bytes. */
  readonly publicKey: Bytes;
}

const GROUPS = 6;
const DIGITS_OF_GROUP = 5;
/** Bytes of digest for each group: 40 bits over 100,000 values, a bias below 2^-23. */
const BYTES_OF_GROUP = 5;

/**
 * Six groups of five digits, such as `04231 99120 …`: 99 bits of SHA-512 over account and public key, so that no other key and no other
 * person has the same. Throws `sealing.cannot-open` for what is no public key.
 */
export async function fingerprintOf({ account, publicKey }: PublicIdentity): Promise<string> {
  if (!isPublicKey(publicKey)) throw new SealingError('sealing.cannot-open');
  const input = lengthPrefixed(labels.fingerprint, account, publicKey);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-512', input));
  return Array.from({ length: GROUPS }, (_, group) => {
    const bytes = digest.subarray(group * BYTES_OF_GROUP, (group + 1) * BYTES_OF_GROUP);
    // 40 bits fit a number exactly.
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    return String(value % 10 ** DIGITS_OF_GROUP).padStart(DIGITS_OF_GROUP, '0');
  }).join(' ');
}

const digits = (text: string): string => text.replaceAll(/[\s-]/g, '');

/** Compares as people type: with or without spaces and hyphens. */
export function sameFingerprint(left: string, right: string): boolean {
  return /^\d{30}$/.test(digits(left)) && digits(left) === digits(right);
}
