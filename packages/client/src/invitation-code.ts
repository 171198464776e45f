/**
 * What an inviter hands over: the server's token and, beside it, the inviter's own public key. It goes from person to person, never
 * through the server, so whoever accepts knows the inviter's key without having to compare anything.
 */
import { fromBase64Url, isUuid, toBase64Url, type Uuid } from '@strongroom/kernel';
import type { PublicIdentity } from '@strongroom/sealing';
import { ClientError } from './errors.ts';
import type { KnownKey } from './trust-store.ts';

export interface InvitationCode {
  readonly token: string;
  /** Null for set-up links and codes of older versions. */
  readonly inviter: { readonly account: Uuid; readonly publicKey: KnownKey['publicKey'] } | null;
}

/** `token.account.publicKey`: only characters that need no escaping in a link's fragment. */
export const invitationCode = (token: string, { account, publicKey }: PublicIdentity): string =>
  `${token}.${account}.${toBase64Url(publicKey)}`;

/**
 * Reads a code, or a bare token. What follows the token and is damaged is left out: it only adds knowledge. Throws
 * `client.invalid-invitation` when the token itself was cut off on the way.
 */
export function parseInvitationCode(text: string): InvitationCode {
  const [token = '', account, publicKey] = text.trim().split('.');
  if (!TOKEN.test(token)) throw new ClientError('client.invalid-invitation');
  if (!isUuid(account) || publicKey === undefined) return { token, inviter: null };
  try {
    if (fromBase64Url(publicKey).length !== PUBLIC_KEY_BYTES) return { token, inviter: null };
  } catch {
    return { token, inviter: null };
  }
  return { token, inviter: { account, publicKey } };
}

/** 32 bytes in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
/** Algorithm byte and X25519 public key. */
const PUBLIC_KEY_BYTES = 33;
