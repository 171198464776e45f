/** What an account goes through after sign-up. Passwords and codes never leave this file's functions. */
import { leafHash, verifyLog, type LogSource } from '@strongroom/audit-log/verify';
import type { PasswordChange, RecoveryCodeRenewal, RecoveryFinish } from '@strongroom/authentication/wire';
import { equalBytes, fromBase64Url } from '@strongroom/kernel';
import {
  changePassword as rewrap,
  checkNewPassword,
  deriveCredentials,
  deriveRecoveryCredentials,
  recoverAccount,
  renewRecovery,
  SealingError,
  type AccountRecord,
  type SecretText,
} from '@strongroom/sealing';
import { signIn, type SignUpOptions, type Started } from './account.ts';
import type { Api } from './api.ts';
import { ClientError } from './errors.ts';
import type { RemoteAccount } from './internal/answers.ts';
import { knowingTheOutcome, untilAnswered } from './internal/lost-answer.ts';
import { readCertificate, type DeletionCertificate } from './internal/people-calls.ts';

/** The session, whose token changes with every proof of the password. */
export interface Session {
  api(): Api;
  /** Null: it went into the cookie. */
  renew(token: string | null): Promise<void>;
}

/**
 * Wraps the account key under a new password; nothing else is encrypted again. Every other session ends. Throws `client.wrong-password` for
 * another current password, `sealing.invalid-password` and `sealing.predictable-password` for the new one; nothing was changed then. When the server goes away in the
 * middle, what counts is found out; `client.outcome-unknown` when it stays away.
 */
export async function changePassword(
  session: Session,
  account: RemoteAccount,
  current: string,
  next: string,
): Promise<RemoteAccount> {
  checkNewPassword(next);
  const { record } = account;
  const credentials = await deriveCredentials(current, fromBase64Url(record.salt), record.parameters);
  const secret = credentials.authenticationSecret.revealBase64Url();
  credentials.authenticationSecret.wipe();
  const changed = await rewrap(record, credentials.unlockKey, next)
    .catch(asWrongPassword)
    .finally(() => credentials.unlockKey.wipe());
  const body: PasswordChange = {
    authenticationSecret: secret,
    newAuthenticationSecret: changed.authenticationSecret.revealBase64Url(),
    record: changed.record,
  };
  changed.authenticationSecret.wipe();
  const proof = (await session.api().reauthenticate({ authenticationSecret: secret })).token;
  await session.renew(proof);
  const { email } = account;
  const transport = proof === null ? ('cookie' as const) : ('bearer' as const);
  const answer = await knowingTheOutcome(
    () => session.api().changePassword(body),
    // The session's new token was lost with the answer.
    async () => (await signIn(session.api(), { email, password: next, transport })).started,
    { api: session.api(), email, record: changed.record },
  );
  await session.renew(answer.token);
  requireRecord(answer.account, changed.record);
  return answer.account;
}

export interface RenewedRecoveryCode {
  readonly account: RemoteAccount;
  /** To be shown once. */
  readonly recoveryCode: SecretText;
}

/**
 * Makes a new recovery code; the former one is worthless from then on. Nothing else changes: no session ends, the password stays. Throws
 * `client.wrong-password`, before anything reaches the server, and `authentication.recovery-code-replaced` when another device makes one at the
 * same moment. When the server goes away in the middle, waits for it for two minutes; then `client.recovery-code-unknown`.
 */
export async function renewRecoveryCode(
  session: Session,
  account: RemoteAccount,
  password: string,
): Promise<RenewedRecoveryCode> {
  const { record } = account;
  const credentials = await deriveCredentials(password, fromBase64Url(record.salt), record.parameters);
  const secret = credentials.authenticationSecret.revealBase64Url();
  credentials.authenticationSecret.wipe();
  const made = await renewRecovery(record, credentials.unlockKey)
    .catch(asWrongPassword)
    .finally(() => credentials.unlockKey.wipe());
  await session.renew((await session.api().reauthenticate({ authenticationSecret: secret })).token);
  // Another device may have made a code since this one read the account: that one is replaced.
  const present = await session.api().account();
  requireRecord(present, { ...record, accountKeyByRecovery: present.record.accountKeyByRecovery });
  const { accountKeyByRecovery } = made.record;
  const body: RecoveryCodeRenewal = {
    authenticationSecret: secret,
    recoveryAuthenticationSecret: made.recoveryAuthenticationSecret.revealBase64Url(),
    accountKeyByRecovery,
    replaces: present.record.accountKeyByRecovery,
  };
  made.recoveryAuthenticationSecret.wipe();
  const renewed = await untilAnswered(() => session.api().renewRecoveryCode(body));
  requireRecord(renewed, { ...record, accountKeyByRecovery });
  return { account: renewed, recoveryCode: made.recoveryCode };
}

function asWrongPassword(error: unknown): never {
  if (error instanceof SealingError && error.code === 'sealing.cannot-open') {
    throw new ClientError('client.wrong-password', { cause: error });
  }
  throw error;
}

export interface RecoverOptions extends Pick<SignUpOptions, 'email' | 'transport' | 'deviceName'> {
  /** As it was printed; case, hyphens and spaces do not matter. */
  readonly recoveryCode: string;
  readonly newPassword: string;
}

/**
 * Opens the account with its recovery code and gives it a new password and a new code; the old code is worthless from then on, and every session
 * ends. Throws `sealing.invalid-recovery-code` for a typing error, `authentication.recovery-failed` for a wrong address or code. When the server goes
 * away in the middle, waits for it for two minutes: the new code exists here only; then `client.outcome-unknown`.
 */
export async function recover(
  api: Api,
  options: RecoverOptions,
): Promise<Started & { readonly recoveryCode: SecretText }> {
  const { email, recoveryCode: code, newPassword, transport, deviceName } = options;
  checkNewPassword(newPassword);
  const { recoveryAuthenticationSecret, recoveryKey } = await deriveRecoveryCredentials(code);
  recoveryKey.wipe();
  const proof = recoveryAuthenticationSecret.revealBase64Url();
  recoveryAuthenticationSecret.wipe();
  const begun = await api.startRecovery({ email, recoveryAuthenticationSecret: proof });
  const recovered = await recoverAccount(begun.record, code, newPassword);
  const body: RecoveryFinish = {
    token: begun.token,
    authenticationSecret: recovered.authenticationSecret.revealBase64Url(),
    recoveryAuthenticationSecret: recovered.recoveryAuthenticationSecret.revealBase64Url(),
    record: recovered.record,
    transport,
    ...(deviceName === undefined ? {} : { deviceName }),
  };
  recovered.authenticationSecret.wipe();
  recovered.recoveryAuthenticationSecret.wipe();
  const started = await knowingTheOutcome(
    () => api.finishRecovery(body),
    async () => (await signIn(api, { email, password: newPassword, transport })).started,
    { api, email, record: recovered.record },
  );
  requireRecord(started.account, recovered.record);
  return { started, keys: recovered.keys, recoveryCode: recovered.recoveryCode };
}

/** The record came from here; a server that answers with another one would lock the person out at the next sign-in. */
function requireRecord(account: RemoteAccount, record: AccountRecord): void {
  if (account.id !== record.account || JSON.stringify(account.record) !== JSON.stringify(record)) {
    throw new ClientError('client.bad-answer', { detail: 'Check "record".' });
  }
}

/** Whether entry and hash of a certificate belong together. Throws `client.invalid-certificate`. */
export function checkDeletionCertificate(value: unknown): DeletionCertificate {
  let certificate: DeletionCertificate;
  try {
    certificate = readCertificate(value);
    if (equalBytes(leafHash(fromBase64Url(certificate.entry)), fromBase64Url(certificate.leafHash))) return certificate;
  } catch (cause) {
    throw new ClientError('client.invalid-certificate', { cause });
  }
  throw new ClientError('client.invalid-certificate');
}

export interface ProvedDeletion {
  /** Place of the event in the log. */
  readonly index: number;
  /** Of the checkpoint that covers it. */
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Finds what a certificate says in a log, after verifying the whole log: for an owner or admin of the tenant with `remoteLogSource`, or
 * with whatever else the log can be read from. Null when the log is intact but does not hold it (yet); throws
 * `client.invalid-certificate` when it is no certificate, or the log is not intact.
 */
export async function proveDeletion(
  value: unknown,
  source: LogSource,
  keys: readonly string[],
): Promise<ProvedDeletion | null> {
  const certificate = checkDeletionCertificate(value);
  const verdict = await verifyLog(source, { keys });
  if (!verdict.ok) throw new ClientError('client.invalid-certificate', { detail: 'The audit log is not intact.' });
  const wanted = fromBase64Url(certificate.leafHash);
  for (let from = 0; from < verdict.size; from += PAGE_ENTRIES) {
    const page = await source.entries(from, Math.min(from + PAGE_ENTRIES, verdict.size));
    const found = page.find((entry) => equalBytes(entry.leafHash, wanted));
    if (found !== undefined) return { index: found.index, size: verdict.size, root: verdict.root };
  }
  return null;
}

/** Entries of one page. */
const PAGE_ENTRIES = 512;
