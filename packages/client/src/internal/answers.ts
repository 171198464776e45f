/** The server's answers as the client's types: ids checked, numbers whole, byte strings in their encoding. */
import type { Bytes, Uuid } from '@strongroom/kernel';
import { parseAccountRecord, type AccountRecord, type KeyDerivationParameters } from '@strongroom/sealing';
import type { Account, SessionStarted, Session as WireSession } from '@strongroom/authentication/wire';
import type { Change, MemoryVersion, Removed, Space, Written } from '@strongroom/memories/wire';
import { ClientError } from '../errors.ts';
import { count, decoded, encoded, fields, flag, id, list, text, textOrNull, type Fields } from './expect.ts';

type WithId<Wire> = Omit<Wire, 'id'> & { readonly id: Uuid };

interface RemoteSpaceKey {
  readonly epoch: number;
  readonly wrappedKey: string;
  /** Null when it is wrapped under the own account key. */
  readonly sharedBy: RemoteSender | null;
}
/** Who shared a key, as the server says. */
export interface RemoteSender {
  readonly account: Uuid;
  readonly displayName: string | null;
  /** Base64url; null for an account that is gone. */
  readonly publicKey: string | null;
}
export type RemoteSpace = WithId<Omit<Space, 'keys'>> & { readonly keys: readonly RemoteSpaceKey[] };
export type RemoteWritten = WithId<Written>;
export type RemoteRemoved = WithId<Removed>;
export type RemoteVersion = WithId<Omit<MemoryVersion, 'author'>> & { readonly author: Uuid };
export type RemoteChange = WithId<Omit<Change, 'author'>> & { readonly author: Uuid | null };
export type RemoteAccount = Omit<Account, 'id' | 'tenant' | 'record'> & {
  readonly id: Uuid;
  readonly tenant: Uuid;
  readonly record: AccountRecord;
};
export type RemoteSession = WithId<WireSession>;
export type RemoteStarted = Pick<SessionStarted, 'token'> & { readonly session: Uuid; readonly account: RemoteAccount };

export const readSpace = (from: Fields): RemoteSpace => ({
  id: id(from, 'id'),
  sealedName: encoded(from, 'sealedName'),
  epoch: count(from, 'epoch', 1),
  role: text(from, 'role'),
  keys: list(from, 'keys', (key) => ({
    epoch: count(key, 'epoch', 1),
    wrappedKey: encoded(key, 'wrappedKey'),
    sharedBy: key['sharedBy'] === null ? null : readSender(fields(key['sharedBy'], 'sharedBy')),
  })),
  rotationDue: flag(from, 'rotationDue'),
  createdAt: text(from, 'createdAt'),
});

const readSender = (from: Fields): RemoteSender => ({
  account: id(from, 'account'),
  displayName: textOrNull(from, 'displayName'),
  publicKey: textOrNull(from, 'publicKey'),
});

export const readWritten = (from: Fields): RemoteWritten => ({
  id: id(from, 'id'),
  version: count(from, 'version', 1),
  epoch: count(from, 'epoch', 1),
  sequence: count(from, 'sequence', 1),
  writtenAt: text(from, 'writtenAt'),
});

export const readRemoved = (from: Fields): RemoteRemoved => ({
  id: id(from, 'id'),
  version: count(from, 'version', 1),
  sequence: count(from, 'sequence', 1),
  deletedAt: text(from, 'deletedAt'),
});

export const readVersion = (from: Fields): RemoteVersion => ({
  id: id(from, 'id'),
  version: count(from, 'version', 1),
  epoch: count(from, 'epoch', 1),
  token: encoded(from, 'token'),
  author: id(from, 'author'),
  sequence: count(from, 'sequence', 1),
  writtenAt: text(from, 'writtenAt'),
});

export function readChange(from: Fields): RemoteChange {
  const deleted = flag(from, 'deleted');
  return {
    id: id(from, 'id'),
    version: count(from, 'version', 1),
    epoch: count(from, 'epoch', 1),
    token: deleted ? null : encoded(from, 'token'),
    author: deleted ? null : id(from, 'author'),
    deleted,
    sequence: count(from, 'sequence', 1),
    changedAt: text(from, 'changedAt'),
  };
}

export function readAccount(value: unknown): RemoteAccount {
  const from = fields(value, 'account');
  const account = {
    id: id(from, 'id'),
    email: text(from, 'email'),
    displayName: text(from, 'displayName'),
    tenant: id(from, 'tenant'),
    role: text(from, 'role'),
    createdAt: text(from, 'createdAt'),
    record: parseAccountRecord(from['record']),
  };
  // Somebody else's keys would open nothing, but the mistake would look like a wrong password.
  if (account.record.account !== account.id) throw new ClientError('client.bad-answer', { detail: 'Check "record".' });
  return account;
}

export function readStarted(value: unknown): RemoteStarted {
  const from = fields(value);
  return {
    session: id(fields(from['session'], 'session'), 'id'),
    token: textOrNull(from, 'token'),
    account: readAccount(from['account']),
  };
}

export const readSession = (from: Fields): RemoteSession => ({
  id: id(from, 'id'),
  transport: text(from, 'transport') === 'cookie' ? 'cookie' : 'bearer',
  createdAt: text(from, 'createdAt'),
  idleExpiresAt: text(from, 'idleExpiresAt'),
  expiresAt: text(from, 'expiresAt'),
  lastSeenAt: text(from, 'lastSeenAt'),
  deviceName: textOrNull(from, 'deviceName'),
  current: flag(from, 'current'),
});

/** The values themselves are judged by `sealing` before a password is touched. */
export function readSignInParameters(value: unknown): {
  readonly salt: Bytes;
  readonly parameters: KeyDerivationParameters;
} {
  const from = fields(fields(value)['keyDerivation'], 'keyDerivation');
  return { salt: decoded(from, 'salt'), parameters: from['parameters'] as KeyDerivationParameters };
}
