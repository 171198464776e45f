/** From e-mail address and password to an unlocked account. The password never leaves this file's functions. */
import type { SignUp } from '@strongroom/authentication/wire';
import { fromBase64Url, newUuid } from '@strongroom/kernel';
import {
  createAccount,
  deriveCredentials,
  SealingError,
  unlockAccount,
  type AccountKeys,
  type SecretBytes,
  type SecretText,
} from '@strongroom/sealing';
import type { Api } from './api.ts';
import { ClientError } from './errors.ts';
import type { RemoteAccount, RemoteStarted } from './internal/answers.ts';

export interface SignUpOptions {
  /** From the set-up link or an invitation, as printed there behind the #. */
  readonly invitation: string;
  readonly email: string;
  readonly displayName: string;
  readonly password: string;
  /** `cookie` in a browser, `bearer` elsewhere. */
  readonly transport: 'cookie' | 'bearer';
  readonly deviceName?: string;
}

export interface SignInOptions extends Pick<SignUpOptions, 'email' | 'password' | 'transport' | 'deviceName'> {}

export interface Started {
  readonly started: RemoteStarted;
  readonly keys: AccountKeys;
}

/** Throws `sealing.invalid-password` for a password that is too short, `sealing.predictable-password`, and what the server refuses. */
export async function signUp(
  api: Api,
  options: SignUpOptions,
): Promise<Started & { readonly recoveryCode: SecretText }> {
  const { invitation, email, displayName, password, transport, deviceName } = options;
  const { record, authenticationSecret, recoveryAuthenticationSecret, recoveryCode, keys } = await createAccount({
    account: newUuid(),
    password,
  });
  const body: SignUp = {
    invitation,
    email,
    displayName,
    authenticationSecret: authenticationSecret.revealBase64Url(),
    recoveryAuthenticationSecret: recoveryAuthenticationSecret.revealBase64Url(),
    record,
    transport,
    ...(deviceName === undefined ? {} : { deviceName }),
  };
  authenticationSecret.wipe();
  recoveryAuthenticationSecret.wipe();
  const started = await api.signUp(body);
  // The record came from here; a server that answers with another one would lock the person out at the next sign-in.
  if (started.account.id !== record.account || JSON.stringify(started.account.record) !== JSON.stringify(record)) {
    throw new ClientError('client.bad-answer', { detail: 'Check "record".' });
  }
  return { started, keys, recoveryCode };
}

/** Signs in and unlocks with one derivation. Throws `authentication.sign-in-failed` for a wrong address or password. */
export async function signIn(api: Api, options: SignInOptions): Promise<Started> {
  const { email, password, transport, deviceName } = options;
  const { salt, parameters } = await api.signInParameters(email);
  const { authenticationSecret, unlockKey } = await deriveCredentials(password, salt, parameters);
  const secret = authenticationSecret.revealBase64Url();
  authenticationSecret.wipe();
  try {
    const started = await api.signIn({
      email,
      authenticationSecret: secret,
      transport,
      ...(deviceName === undefined ? {} : { deviceName }),
    });
    return { started, keys: await unlockAccount(started.account.record, unlockKey) };
  } finally {
    unlockKey.wipe();
  }
}

/** The unlock key of this password; it opens the account until the password is changed. To be wiped after use. */
export async function deriveUnlockKey(account: Pick<RemoteAccount, 'record'>, password: string): Promise<SecretBytes> {
  const { salt, parameters } = account.record;
  const { authenticationSecret, unlockKey } = await deriveCredentials(password, fromBase64Url(salt), parameters);
  authenticationSecret.wipe();
  return unlockKey;
}

/** Opens the keys of a session that exists already. Throws `client.wrong-password`. */
export async function unlockWith(account: Pick<RemoteAccount, 'record'>, unlockKey: SecretBytes): Promise<AccountKeys> {
  try {
    return await unlockAccount(account.record, unlockKey);
  } catch (error) {
    if (error instanceof SealingError && error.code === 'sealing.cannot-open') {
      throw new ClientError('client.wrong-password', { cause: error });
    }
    throw error;
  }
}

/** Raises the session for a short time. Answers with its new bearer token, or null when that went into the cookie. */
export async function reauthenticate(api: Api, account: RemoteAccount, password: string): Promise<string | null> {
  const { salt, parameters } = account.record;
  const { authenticationSecret, unlockKey } = await deriveCredentials(password, fromBase64Url(salt), parameters);
  unlockKey.wipe();
  const secret = authenticationSecret.revealBase64Url();
  authenticationSecret.wipe();
  return (await api.reauthenticate({ authenticationSecret: secret })).token;
}
