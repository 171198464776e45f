/**
 * An account's keys: a random account key, wrapped under the password's unlock key and under the recovery
 * key, and a key pair, whose private half is wrapped under the account key.
 */
import { fromBase64Url, toBase64Url, type Bytes, type Uuid } from '@strongroom/kernel';
import { parseAccountRecord, type AccountRecord } from './account-record.ts';
import { importSecret } from './internal/hkdf.ts';
import { wrapped } from './internal/labels.ts';
import { generateKeyPair, importPrivateKey } from './internal/x25519.ts';
import { SALT_BYTES, defaultKeyDerivation, type KeyDerivationParameters } from './key-derivation-parameters.ts';
import { checkNewPassword, deriveCredentials } from './password.ts';
import { deriveRecoveryCredentials, generateRecoveryCode } from './recovery-code.ts';
import { Redacted, type SecretBytes, type SecretText } from './secret.ts';
import { unwrap, wrap } from './wrap.ts';

/** Bytes of the account key. */
const ACCOUNT_KEY_BYTES = 32;

/** An unlocked account. Its keys are held by the platform and not extractable. */
export class AccountKeys extends Redacted {
  readonly purpose = 'account keys';
  readonly account: Uuid;
  /** Algorithm byte | public key: 33 bytes. */
  readonly publicKey: Bytes;
  /** X25519, for `deriveBits`. */
  readonly privateKey: CryptoKey;
  /** The account key, as a key encryption key for `wrap` and `unwrap`. */
  readonly wrappingKey: CryptoKey;

  constructor(account: Uuid, publicKey: Bytes, privateKey: CryptoKey, wrappingKey: CryptoKey) {
    super();
    this.account = account;
    this.publicKey = publicKey;
    this.privateKey = privateKey;
    this.wrappingKey = wrappingKey;
  }
}

export interface NewAccount {
  readonly account: Uuid;
  readonly password: string;
  readonly parameters?: KeyDerivationParameters;
}

/** What signing up and recovering give. */
export interface CreatedAccount {
  /** For the server to keep. */
  readonly record: AccountRecord;
  /** For the server to check later; it keeps only a hash. */
  readonly authenticationSecret: SecretBytes;
  /** Likewise, for recovery. */
  readonly recoveryAuthenticationSecret: SecretBytes;
  /** To be shown once. */
  readonly recoveryCode: SecretText;
  readonly keys: AccountKeys;
}

/** What a new password gives. The recovery code stays valid. */
export interface ChangedPassword {
  readonly record: AccountRecord;
  readonly authenticationSecret: SecretBytes;
}

/** Throws what `checkNewPassword` throws, or the errors of `parseKeyDerivationParameters`. */
export async function createAccount(options: NewAccount): Promise<CreatedAccount> {
  const { account, password, parameters = defaultKeyDerivation } = options;
  checkNewPassword(password);
  const accountKey = crypto.getRandomValues(new Uint8Array(ACCOUNT_KEY_BYTES));
  const wrappingKey = await importSecret(accountKey);
  const pair = await generateKeyPair();
  const privateKey = await wrap(wrappingKey, privateKeyContext(account, pair.publicKey), pair.privateKey);
  const keys = new AccountKeys(account, pair.publicKey, await importPrivateKey(pair.privateKey), wrappingKey);
  pair.privateKey.fill(0);
  const byPassword = await lockWithPassword(account, accountKey, password, parameters);
  const byRecovery = await lockWithNewRecoveryCode(account, accountKey);
  accountKey.fill(0);
  const { authenticationSecret, salt, accountKeyByPassword } = byPassword;
  const { recoveryAuthenticationSecret, recoveryCode, accountKeyByRecovery } = byRecovery;
  const publicKey = toBase64Url(pair.publicKey);
  const record = parseAccountRecord({
    version: 1,
    account,
    salt,
    parameters,
    publicKey,
    privateKey,
    accountKeyByPassword,
    accountKeyByRecovery,
  });
  return { record, authenticationSecret, recoveryAuthenticationSecret, recoveryCode, keys };
}

/** Throws `sealing.cannot-open` when the unlock key is not this record's or the record was changed. */
export async function unlockAccount(record: AccountRecord, unlockKey: SecretBytes): Promise<AccountKeys> {
  return unlockWith(record, await openAccountKey(record, unlockKey, 'accountKeyByPassword'));
}

/** Throws `sealing.invalid-recovery-code` for a typing error, `sealing.cannot-open` for another account's code. */
export async function unlockWithRecoveryCode(record: AccountRecord, code: string | SecretText): Promise<AccountKeys> {
  const { recoveryKey, recoveryAuthenticationSecret } = await deriveRecoveryCredentials(code);
  recoveryAuthenticationSecret.wipe();
  const accountKey = await openAccountKey(record, recoveryKey, 'accountKeyByRecovery');
  recoveryKey.wipe();
  return unlockWith(record, accountKey);
}

/**
 * Wraps the same account key under a new password with a new salt; nothing else is encrypted again. `unlockKey` is
 * that of the current password. Throws like `unlockAccount` and `createAccount`.
 */
export async function changePassword(
  record: AccountRecord,
  unlockKey: SecretBytes,
  newPassword: string,
  parameters: KeyDerivationParameters = defaultKeyDerivation,
): Promise<ChangedPassword> {
  checkNewPassword(newPassword);
  const accountKey = await openAccountKey(record, unlockKey, 'accountKeyByPassword');
  const { authenticationSecret, salt, accountKeyByPassword } = await lockWithPassword(
    record.account,
    accountKey,
    newPassword,
    parameters,
  );
  accountKey.fill(0);
  return { record: parseAccountRecord({ ...record, salt, parameters, accountKeyByPassword }), authenticationSecret };
}

/** What a new recovery code gives. The password stays valid. */
export type RenewedRecovery = Omit<CreatedAccount, 'authenticationSecret' | 'keys'>;

/**
 * Wraps the same account key under a new recovery code; the former one opens the new record no more. `unlockKey` is that of the current password, and not
 * wiped. Throws like `unlockAccount`.
 */
export async function renewRecovery(record: AccountRecord, unlockKey: SecretBytes): Promise<RenewedRecovery> {
  const accountKey = await openAccountKey(record, unlockKey, 'accountKeyByPassword');
  const { accountKeyByRecovery, ...recovery } = await lockWithNewRecoveryCode(record.account, accountKey);
  accountKey.fill(0);
  return { record: parseAccountRecord({ ...record, accountKeyByRecovery }), ...recovery };
}

/**
 * Sets a new password with the recovery code and makes a new code; the old one opens the new record no more.
 * Throws like `unlockWithRecoveryCode` and `createAccount`.
 */
export async function recoverAccount(
  record: AccountRecord,
  code: string | SecretText,
  newPassword: string,
  parameters: KeyDerivationParameters = defaultKeyDerivation,
): Promise<CreatedAccount> {
  checkNewPassword(newPassword);
  const { recoveryKey } = await deriveRecoveryCredentials(code);
  const accountKey = await openAccountKey(record, recoveryKey, 'accountKeyByRecovery');
  recoveryKey.wipe();
  const { account } = record;
  const { authenticationSecret, salt, accountKeyByPassword } = await lockWithPassword(
    account,
    accountKey,
    newPassword,
    parameters,
  );
  const { accountKeyByRecovery, ...recovery } = await lockWithNewRecoveryCode(account, accountKey);
  const keys = await unlockWith(record, accountKey);
  const changed = { ...record, salt, parameters, accountKeyByPassword, accountKeyByRecovery };
  return { record: parseAccountRecord(changed), authenticationSecret, ...recovery, keys };
}

type Lock = 'accountKeyByPassword' | 'accountKeyByRecovery';

const accountKeyContext = (account: Uuid, lock: Lock) => [wrapped[lock], account] as const;

const privateKeyContext = (account: Uuid, publicKey: Bytes) => [wrapped.privateKey, account, publicKey] as const;

async function openAccountKey(record: AccountRecord, secret: SecretBytes, lock: Lock): Promise<Bytes> {
  return unwrap(await importSecret(secret.reveal()), accountKeyContext(record.account, lock), record[lock]);
}

/** Wipes `accountKey`. */
async function unlockWith(record: AccountRecord, accountKey: Bytes): Promise<AccountKeys> {
  const wrappingKey = await importSecret(accountKey);
  accountKey.fill(0);
  const publicKey = fromBase64Url(record.publicKey);
  const encoded = await unwrap(wrappingKey, privateKeyContext(record.account, publicKey), record.privateKey);
  const privateKey = await importPrivateKey(encoded);
  encoded.fill(0);
  return new AccountKeys(record.account, publicKey, privateKey, wrappingKey);
}

async function lockWithPassword(
  account: Uuid,
  accountKey: Bytes,
  password: string,
  parameters: KeyDerivationParameters,
): Promise<{ authenticationSecret: SecretBytes; salt: string; accountKeyByPassword: string }> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const { authenticationSecret, unlockKey } = await deriveCredentials(password, salt, parameters);
  const keyEncryptionKey = await importSecret(unlockKey.reveal());
  unlockKey.wipe();
  const context = accountKeyContext(account, 'accountKeyByPassword');
  const accountKeyByPassword = await wrap(keyEncryptionKey, context, accountKey);
  return { authenticationSecret, salt: toBase64Url(salt), accountKeyByPassword };
}

async function lockWithNewRecoveryCode(
  account: Uuid,
  accountKey: Bytes,
): Promise<Pick<CreatedAccount, 'recoveryCode' | 'recoveryAuthenticationSecret'> & { accountKeyByRecovery: string }> {
  const recoveryCode = await generateRecoveryCode();
  const { recoveryKey, recoveryAuthenticationSecret } = await deriveRecoveryCredentials(recoveryCode);
  const keyEncryptionKey = await importSecret(recoveryKey.reveal());
  recoveryKey.wipe();
  const context = accountKeyContext(account, 'accountKeyByRecovery');
  const accountKeyByRecovery = await wrap(keyEncryptionKey, context, accountKey);
  return { recoveryCode, recoveryAuthenticationSecret, accountKeyByRecovery };
}
