import type { Encryption } from '@strongroom/encryption';
import { concatBytes, equalBytes, fromBase64Url, toBase64Url } from '@strongroom/kernel';

/** Bytes; ASVS 5.0 7.2.3 asks for 128 bits of entropy at least. */
const TOKEN_BYTES = 32;
/** Bytes of a session token's tag. Guessing one takes 2^127 requests, and gains no more than a question to the database. */
const TAG_BYTES = 16;

export type TokenPurpose = 'authentication.invitation-token' | 'authentication.recovery-token';

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

const SESSION_PURPOSE = 'authentication.session-token';

const tagOf = (encryption: Encryption, bytes: Uint8Array): Uint8Array =>
  encryption.keyedHash('authentication.session-tag', bytes).subarray(0, TAG_BYTES);

/**
 * Random bytes and, behind them, a tag that only this installation can make. Requests with a session have no limit by address, so a flood of made-up
 * tokens must not become a flood of queries: without the tag, nobody asks the database.
 */
export function newSessionToken(encryption: Encryption): NewToken {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  const text = toBase64Url(concatBytes(bytes, tagOf(encryption, bytes)));
  return { text, hash: encryption.keyedHash(SESSION_PURPOSE, bytes) };
}

/** The hash of a token that this installation made for some session, ended or not; else undefined. Every token has one spelling. */
export function sessionTokenHash(encryption: Encryption, text: string): Uint8Array | undefined {
  // 48 bytes are whole groups of base64: no padding, and no unused bits to differ in.
  if (!/^[A-Za-z0-9_-]{64}$/.test(text)) return undefined;
  const token = fromBase64Url(text);
  const bytes = token.subarray(0, TOKEN_BYTES);
  if (!equalBytes(tagOf(encryption, bytes), token.subarray(TOKEN_BYTES))) return undefined;
  return encryption.keyedHash(SESSION_PURPOSE, bytes);
}
