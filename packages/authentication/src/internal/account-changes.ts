/** How an account row changes after sign-up. Each statement names what must still be true, so of two changes at once one succeeds. */
import { toBase64Url, type Uuid } from '@strongroom/kernel';
import { isUniqueViolation, type Transaction } from '@strongroom/storage';
import type { z } from 'zod';
import { parseEmail, type Email } from '../email.ts';
import { AuthenticationError } from '../errors.ts';
import type { AddressServices, AuthenticationServices } from '../services.ts';
import type { account as accountSchema, passwordChange } from '../wire.ts';
import { isDefault } from './accounts.ts';
import { accountCodec } from './codecs.ts';
import { verifierOf } from './credential.ts';
import { tables } from './tables.ts';

type StoredRecord = z.input<typeof accountSchema>['record'];
type NewRecord = z.output<typeof passwordChange>['record'];

/**
 * Throws `authentication.record-changed` when more than the password-dependent part differs, `authentication.unsupported-parameters` for
 * parameters by which the account would stand out.
 */
function requireSame(
  stored: StoredRecord,
  changed: NewRecord,
  fields: readonly ('privateKey' | 'accountKeyByRecovery')[],
) {
  if (!isDefault(changed.parameters)) throw new AuthenticationError('authentication.unsupported-parameters');
  const same =
    changed.account === stored.account &&
    toBase64Url(changed.publicKey) === stored.publicKey &&
    fields.every((field) => toBase64Url(changed[field]) === stored[field]);
  // Under an old salt the old password's guesses would go on counting.
  if (!same || toBase64Url(changed.salt) === stored.salt) {
    throw new AuthenticationError('authentication.record-changed');
  }
}

export interface NewSecrets {
  readonly account: Uuid;
  readonly stored: StoredRecord;
  readonly record: NewRecord;
  readonly authenticationSecret: Uint8Array;
}

/** False when the verifier is no longer `from`: another change was first. */
export async function replacePassword(
  { encryption }: AuthenticationServices,
  transaction: Transaction,
  { account, stored, record, authenticationSecret }: NewSecrets,
  from: Uint8Array,
): Promise<boolean> {
  requireSame(stored, record, ['privateKey', 'accountKeyByRecovery']);
  const accounts = accountCodec.with(await encryption.subjects(transaction, [account]));
  const changed = await tables(transaction)
    .updateTable('accounts')
    .set({
      verifier: verifierOf(encryption, 'password', account, authenticationSecret),
      salt: record.salt,
      parameters: JSON.stringify(record.parameters),
      ...accounts.change({ id: account }, { account_key_by_password: record.accountKeyByPassword }),
    })
    .where('id', '=', account)
    .where('verifier', '=', from)
    .returning('id')
    .executeTakeFirst();
  return changed !== undefined;
}

/** Password and recovery code together. False when the recovery verifier is no longer `from`; the new code must not be the old one. */
export async function replaceRecovered(
  { encryption }: AuthenticationServices,
  transaction: Transaction,
  secrets: NewSecrets & { readonly recoveryAuthenticationSecret: Uint8Array },
  from: Uint8Array,
): Promise<boolean> {
  const { account, stored, record } = secrets;
  requireSame(stored, record, ['privateKey']);
  if (toBase64Url(record.accountKeyByRecovery) === stored.accountKeyByRecovery) {
    throw new AuthenticationError('authentication.record-changed');
  }
  const accounts = accountCodec.with(await encryption.subjects(transaction, [account]));
  const changed = await tables(transaction)
    .updateTable('accounts')
    .set({
      verifier: verifierOf(encryption, 'password', account, secrets.authenticationSecret),
      recovery_verifier: verifierOf(encryption, 'recovery', account, secrets.recoveryAuthenticationSecret),
      salt: record.salt,
      parameters: JSON.stringify(record.parameters),
      ...accounts.change(
        { id: account },
        {
          account_key_by_password: record.accountKeyByPassword,
          account_key_by_recovery: record.accountKeyByRecovery,
        },
      ),
    })
    .where('id', '=', account)
    .where('recovery_verifier', '=', from)
    .returning('id')
    .executeTakeFirst();
  return changed !== undefined;
}

export interface NewRecoveryCode {
  readonly account: Uuid;
  readonly recoveryAuthenticationSecret: Uint8Array;
  readonly accountKeyByRecovery: Uint8Array;
}

/** The recovery half of the record and nothing else of it. False when one of the verifiers is no longer that of `from`. */
export async function replaceRecoveryCode(
  { encryption }: AuthenticationServices,
  transaction: Transaction,
  { account, recoveryAuthenticationSecret, accountKeyByRecovery }: NewRecoveryCode,
  from: { readonly password: Uint8Array; readonly recovery: Uint8Array },
): Promise<boolean> {
  const accounts = accountCodec.with(await encryption.subjects(transaction, [account]));
  const changed = await tables(transaction)
    .updateTable('accounts')
    .set({
      recovery_verifier: verifierOf(encryption, 'recovery', account, recoveryAuthenticationSecret),
      ...accounts.change({ id: account }, { account_key_by_recovery: accountKeyByRecovery }),
    })
    .where('id', '=', account)
    .where('verifier', '=', from.password)
    .where('recovery_verifier', '=', from.recovery)
    .returning('id')
    .executeTakeFirst();
  return changed !== undefined;
}

/** Throws `authentication.email-in-use` for the address of another account. The account's own is no change and no error. */
export async function replaceEmail(
  { encryption, indexRotations }: AddressServices,
  transaction: Transaction,
  account: Uuid,
  typedEmail: string,
): Promise<Email> {
  const email = parseEmail(typedEmail);
  const accounts = accountCodec.with(
    await encryption.subjects(transaction, [account]),
    await indexRotations.read(transaction),
  );
  try {
    await tables(transaction)
      .updateTable('accounts')
      .set(accounts.change({ id: account }, { email }))
      .where('id', '=', account)
      .execute();
  } catch (error) {
    if (isUniqueViolation(error)) throw new AuthenticationError('authentication.email-in-use', { cause: error });
    throw error;
  }
  return email;
}

/** The row with everything wrapped in it. Its sessions go with it. */
export async function deleteAccount(transaction: Transaction, account: Uuid): Promise<void> {
  await tables(transaction).deleteFrom('accounts').where('id', '=', account).execute();
}
