/** Between the proof of the recovery code and the new password: a secret of its own, good for a quarter of an hour and for one use. */
import type { Encryption } from '@strongroom/encryption';
import { equalBytes, fromBase64Url, isUuid, toBase64Url, type Uuid } from '@strongroom/kernel';
import { consumeOnce, issueSingleUse, type Transaction } from '@strongroom/storage';
import { z } from 'zod';
import { AuthenticationError } from '../errors.ts';
import { RECOVERY_SECONDS } from '../lifetimes.ts';
import type { AuthenticationServices } from '../services.ts';
import type { Credential } from './accounts.ts';
import { tables } from './tables.ts';
import { hashToken, newToken } from './token.ts';

const PURPOSE = 'authentication.recovery';

/** `code` says which recovery code was proved, as a hash of its verifier: once that was replaced, the secret is void. */
const payload = z.strictObject({ account: z.custom<Uuid>(isUuid), code: z.string() });

const codeOf = (encryption: Encryption, verifier: Uint8Array): Uint8Array =>
  encryption.keyedHash('authentication.recovery-code', verifier);

export async function issueRecovery(
  services: AuthenticationServices,
  transaction: Transaction,
  credential: Credential,
): Promise<{ readonly token: string; readonly expiresAt: Date }> {
  const { text, hash } = newToken(services.encryption, 'authentication.recovery-token');
  const expiresAt = services.clock.now() + RECOVERY_SECONDS * 1000;
  const content: z.input<typeof payload> = {
    account: credential.id,
    code: toBase64Url(codeOf(services.encryption, credential.verifier)),
  };
  await issueSingleUse(transaction, { purpose: PURPOSE, hash, payload: content, expiresAt });
  return { token: text, expiresAt: new Date(expiresAt) };
}

/**
 * Uses the secret up and answers with the account and the recovery verifier that must still be in place when it is replaced. Throws
 * `authentication.invalid-recovery` whatever is wrong with it.
 */
export async function acceptRecovery(
  services: AuthenticationServices,
  transaction: Transaction,
  token: Uint8Array,
): Promise<{ readonly account: Uuid; readonly verifier: Uint8Array }> {
  const hash = hashToken(services.encryption, 'authentication.recovery-token', token);
  const consumed = await consumeOnce(transaction, { purpose: PURPOSE, hash, now: services.clock.now() });
  if (consumed === undefined) throw new AuthenticationError('authentication.invalid-recovery');
  const { account, code } = payload.parse(consumed);
  const row = await tables(transaction)
    .selectFrom('accounts')
    .select('recovery_verifier')
    .where('id', '=', account)
    .executeTakeFirst();
  if (row === undefined || !equalBytes(codeOf(services.encryption, row.recovery_verifier), fromBase64Url(code))) {
    throw new AuthenticationError('authentication.invalid-recovery');
  }
  return { account, verifier: row.recovery_verifier };
}
