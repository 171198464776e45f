import type { Encryption } from '@strongroom/encryption';
import { fromBase64Url, toBase64Url } from '@strongroom/kernel';

/** Bytes; ASVS 5.0 7.2.3 asks for 128 bits of entropy at least. */
const TOKEN_BYTES = 32;

export type TokenPurpose =
  | 'authentication.session-token'
  | 'authentication.invitation-token'
  | 'authentication.recovery-token';

export interface NewToken {
  /** Base64url; goes to its holder and nowhere else. */
  readonly text: string;
  /** What the database keeps. */
  readonly hash: Uint8Array;
}

export function newToken(encryption: Encryption, purpose: TokenPurpose): NewToken {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return { text: toBase64Url(bytes), hash: hashToken(encryption, purpose, bytes) };
}

/**
 * A keyed hash: tokens are random, so any hash would hide them; the key also keeps whoever can write to the database, but
 * does not have the root, from planting a token of their own.
 */
export const hashToken = (encryption: Encryption, purpose: TokenPurpose, bytes: Uint8Array): Uint8Array =>
  encryption.keyedHash(purpose, bytes);

/** The bytes of a well-formed token, else undefined. Every token has one spelling. */
export function parseToken(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return undefined;
  try {
    return fromBase64Url(text);
  } catch {
    return undefined;
  }
}
