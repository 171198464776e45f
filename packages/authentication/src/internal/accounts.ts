/** Account rows, and how they become the sealed account record of the wire. */
import type { Encryption } from '@strongroom/encryption';
import { toBase64Url, type AccountActor, type Uuid } from '@strongroom/kernel';
import { defaultKeyDerivation, type KeyDerivationParameters } from '@strongroom/sealing';
import type { Transaction } from '@strongroom/storage';
import { sql, type RawBuilder, type SqlBool } from 'kysely';
import type { z } from 'zod';
import { parseEmail, type Email } from '../email.ts';
import { AuthenticationError } from '../errors.ts';
import type { AddressServices, AuthenticationServices, Membership } from '../services.ts';
import { SALT_BYTES, type account as accountSchema, type signUp } from '../wire.ts';
import { accountCodec } from './codecs.ts';
import { verifierOf, type Proof } from './credential.ts';
import { tables } from './tables.ts';

/** What the row with this address has: in either of two columns for a moment of the index's rotation, in one of them otherwise. */
async function hasAddress(
  { encryption, indexRotations }: AddressServices,
  transaction: Transaction,
  email: Email,
): Promise<RawBuilder<SqlBool>> {
  const indexes = await indexRotations.read(transaction);
  const matches = accountCodec.with(encryption, indexes).matches('email', null, email);
  const places = matches.map(({ column, value }) => sql`${sql.ref(`accounts.${column}`)} = ${value}`);
  return sql`(${sql.join(places, sql` or `)})`;
}

/**
 * Throws `authentication.account-exists` for an e-mail address or id in use. That tells whoever asks that the address has an
 * account here, which is why only the holder of a valid invitation gets this far, a bounded number of times.
 */
export async function insertAccount(
  { clock, encryption, indexRotations }: Pick<AuthenticationServices, 'clock'> & AddressServices,
  transaction: Transaction,
  input: z.output<typeof signUp>,
): Promise<void> {
  const { record } = input;
  if (!isDefault(record.parameters)) throw new AuthenticationError('authentication.unsupported-parameters');
  const { account } = record;
  const email = parseEmail(input.email);
  const accounts = accountCodec.with(
    await encryption.subjects(transaction, [account], { create: true }),
    await indexRotations.read(transaction),
  );
  const inserted = await tables(transaction)
    .insertInto('accounts')
    .values(
      accounts.seal({
        id: account,
        email,
        display_name: input.displayName,
        verifier: verifierOf(encryption, 'password', account, input.authenticationSecret),
        recovery_verifier: verifierOf(encryption, 'recovery', account, input.recoveryAuthenticationSecret),
        salt: record.salt,
        parameters: JSON.stringify(record.parameters),
        public_key: record.publicKey,
        private_key: record.privateKey,
        account_key_by_password: record.accountKeyByPassword,
        account_key_by_recovery: record.accountKeyByRecovery,
        created_at: new Date(clock.now()),
      }),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) throw new AuthenticationError('authentication.account-exists');
}

/**
 * Accounts differ in their salt only. One with other parameters would show that it exists, since for unknown accounts the
 * default is answered. When the default rises, old and new have to be answered for unknown accounts in the proportion in
 * which they occur.
 */
export function isDefault(parameters: KeyDerivationParameters): boolean {
  const { memoryKibibytes, passes, lanes } = defaultKeyDerivation;
  return parameters.memoryKibibytes === memoryKibibytes && parameters.passes === passes && parameters.lanes === lanes;
}

/**
 * What a client needs before it can derive its secret. For an unknown account a salt that stays the same for this address, also when the index is
 * rotated, and looks like any other, after the same work.
 */
export async function keyDerivationOf(
  services: AddressServices,
  transaction: Transaction,
  typedEmail: string,
): Promise<{ salt: string; parameters: KeyDerivationParameters }> {
  const email = parseEmail(typedEmail);
  // Under the lookup version, which no rotation changes.
  const steady = accountCodec.blindIndex(services.encryption, 'email', null, email);
  const madeUp = services.encryption.keyedHash('authentication.made-up-salt', steady).subarray(0, SALT_BYTES);
  const row = await tables(transaction)
    .selectFrom('accounts')
    .select(['salt', 'parameters'])
    .where(await hasAddress(services, transaction, email))
    .executeTakeFirst();
  return { salt: toBase64Url(row?.salt ?? madeUp), parameters: row?.parameters ?? defaultKeyDerivation };
}

export interface Credential {
  readonly id: Uuid;
  readonly verifier: Uint8Array;
}

const VERIFIERS = { password: 'verifier', recovery: 'recovery_verifier as verifier' } as const;

/** What sign-in and recovery compare with: the same statements, whether there is such an account or not. */
export async function credentialByEmail(
  services: AddressServices,
  transaction: Transaction,
  typedEmail: string,
  proof: Proof = 'password',
): Promise<Credential | undefined> {
  return tables(transaction)
    .selectFrom('accounts')
    .select(['id', VERIFIERS[proof]])
    .where(await hasAddress(services, transaction, parseEmail(typedEmail)))
    .executeTakeFirst();
}

export async function ownCredential(
  transaction: Transaction,
  actor: AccountActor,
  proof: Proof = 'password',
): Promise<Credential | undefined> {
  return tables(transaction)
    .selectFrom('accounts')
    .select(['id', VERIFIERS[proof]])
    .where('id', '=', actor.account)
    .executeTakeFirst();
}

/** The account's own view of itself. Throws `authentication.invalid-session` when it was deleted or erased meanwhile. */
export async function accountView(
  encryption: Encryption,
  transaction: Transaction,
  account: Uuid,
  membership: Membership,
): Promise<z.input<typeof accountSchema>> {
  const rows = await tables(transaction).selectFrom('accounts').selectAll().where('id', '=', account).execute();
  const [row] = await accountCodec.openAll(encryption, transaction, rows, { erased: 'leave-out' });
  if (row === undefined) throw new AuthenticationError('authentication.invalid-session');
  return {
    id: row.id,
    email: row.email,
    displayName: row.display_name,
    tenant: membership.tenant,
    role: membership.role,
    createdAt: row.created_at.toISOString(),
    record: {
      version: 1,
      account: row.id,
      salt: toBase64Url(row.salt),
      parameters: row.parameters,
      publicKey: toBase64Url(row.public_key),
      privateKey: toBase64Url(row.private_key),
      accountKeyByPassword: toBase64Url(row.account_key_by_password),
      accountKeyByRecovery: toBase64Url(row.account_key_by_recovery),
    },
  };
}

/** Display names for lists of people: id → name; unknown and erased accounts are missing. */
export async function displayNamesOf(
  encryption: Encryption,
  transaction: Transaction,
  accounts: readonly Uuid[],
): Promise<ReadonlyMap<Uuid, string>> {
  if (accounts.length === 0) return new Map();
  const rows = await tables(transaction)
    .selectFrom('accounts')
    .select(['id', 'display_name'])
    .where('id', 'in', accounts)
    .execute();
  const opened = await accountCodec.openAll(encryption, transaction, rows, { erased: 'leave-out' });
  return new Map(opened.map((row) => [row.id, row.display_name]));
}

/**
 * Whether the installation has any account. Holds the table's lock until the transaction ends, so that nobody creates the
 * first one in between; only set-up asks, once.
 */
export async function lockAndHasAccounts(transaction: Transaction): Promise<boolean> {
  await sql`lock table accounts in share row exclusive mode`.execute(transaction);
  const any = await tables(transaction).selectFrom('accounts').select('id').limit(1).executeTakeFirst();
  return any !== undefined;
}
