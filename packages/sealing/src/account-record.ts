/** What the server keeps of an account's keys. Nothing in it opens anything without the password or the recovery code. */
import { fromBase64Url, isUuid, type Bytes, type Uuid } from '@strongroom/kernel';
import { SealingError } from './errors.ts';
import { isPublicKey } from './internal/x25519.ts';
import { checkSalt, parseKeyDerivationParameters, type KeyDerivationParameters } from './key-derivation-parameters.ts';
import { wrappedLength } from './wrap.ts';

/** JSON; every byte string is base64url without padding. */
export interface AccountRecord {
  readonly version: 1;
  readonly account: Uuid;
  /** For Argon2id and the HKDF after it; sent to anyone who asks before sign-in. */
  readonly salt: string;
  readonly parameters: KeyDerivationParameters;
  /** Algorithm byte 0x01 | X25519 public key: 33 bytes. */
  readonly publicKey: string;
  /** Algorithm byte 0x01 | X25519 private key, wrapped under the account key. */
  readonly privateKey: string;
  /** The 32-byte account key wrapped under the unlock key. */
  readonly accountKeyByPassword: string;
  /** The same account key wrapped under the recovery key. */
  readonly accountKeyByRecovery: string;
}

const NAMES: ReadonlySet<string> = new Set([
  'version',
  'account',
  'salt',
  'parameters',
  'publicKey',
  'privateKey',
  'accountKeyByPassword',
  'accountKeyByRecovery',
]);

/**
 * Reads a record that came over the wire, for client and server alike: closed shape, exact lengths. Throws
 * `sealing.invalid-account-record`, or the errors of `parseKeyDerivationParameters`.
 */
export function parseAccountRecord(value: unknown): AccountRecord {
  if (typeof value !== 'object' || value === null) throw invalid('It is no object.');
  const given = value as Record<string, unknown>;
  if (given['version'] !== 1) throw invalid('Its version is unknown.');
  if (Object.keys(given).some((name) => !NAMES.has(name))) throw invalid('It has an unknown field.');
  const account = given['account'];
  if (!isUuid(account)) throw invalid('Check "account".');
  const salt = bytesOf(given, 'salt');
  checkSalt(salt.bytes);
  const publicKey = bytesOf(given, 'publicKey');
  if (!isPublicKey(publicKey.bytes)) throw invalid('Check "publicKey".');
  return Object.freeze({
    version: 1,
    account,
    salt: salt.text,
    parameters: parseKeyDerivationParameters(given['parameters']),
    publicKey: publicKey.text,
    privateKey: bytesOf(given, 'privateKey', wrappedLength(33)).text,
    accountKeyByPassword: bytesOf(given, 'accountKeyByPassword', wrappedLength(32)).text,
    accountKeyByRecovery: bytesOf(given, 'accountKeyByRecovery', wrappedLength(32)).text,
  });
}

const invalid = (detail: string): SealingError => new SealingError('sealing.invalid-account-record', { detail });

function bytesOf(record: Record<string, unknown>, name: string, length?: number): { text: string; bytes: Bytes } {
  const text = record[name];
  if (typeof text !== 'string') throw invalid(`Check "${name}".`);
  let bytes: Bytes;
  try {
    bytes = fromBase64Url(text);
  } catch {
    throw invalid(`Check "${name}".`);
  }
  if (length !== undefined && bytes.length !== length) throw invalid(`Check "${name}".`);
  return { text, bytes };
}
