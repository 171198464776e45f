/** The account key under another recovery code; what is wrapped under the password stays (docs/format/sealing.md). */
import type { Bytes } from '@strongroom/kernel';
import {
  deriveRecoveryCredentials,
  generateRecoveryCode,
  unwrap,
  wrap,
  type AccountRecord,
  type SecretBytes,
  type SecretText,
} from '@strongroom/sealing';

export interface NewRecoveryCode {
  /** To be shown once. */
  readonly recoveryCode: SecretText;
  /** For the server to check later; it keeps only a hash. */
  readonly recoveryAuthenticationSecret: SecretBytes;
  readonly accountKeyByRecovery: string;
}

const importSecret = (secret: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);

/** `unlockKey` is that of the present password, and not wiped. Throws `sealing.cannot-open` when it is another one's. */
export async function newRecoveryCode(
  record: Pick<AccountRecord, 'account' | 'accountKeyByPassword'>,
  unlockKey: SecretBytes,
): Promise<NewRecoveryCode> {
  const { account, accountKeyByPassword } = record;
  const byPassword = await importSecret(unlockKey.reveal());
  const accountKey = await unwrap(byPassword, ['account-key/password', account], accountKeyByPassword);
  const recoveryCode = await generateRecoveryCode();
  const { recoveryKey, recoveryAuthenticationSecret } = await deriveRecoveryCredentials(recoveryCode);
  const byRecovery = await importSecret(recoveryKey.reveal());
  recoveryKey.wipe();
  const accountKeyByRecovery = await wrap(byRecovery, ['account-key/recovery', account], accountKey);
  accountKey.fill(0);
  return { recoveryCode, recoveryAuthenticationSecret, accountKeyByRecovery };
}
