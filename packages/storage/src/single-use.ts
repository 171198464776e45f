/** The one primitive for everything that may be used once: invitations, set-up links, recovery and confirmation codes. */
import type { JsonValue } from '@strongroom/kernel';
import type { ColumnType, Generated } from 'kysely';
import type { Transaction } from './database.ts';

type SingleUseTables = {
  single_use_secrets: {
    purpose: string;
    hash: Uint8Array;
    payload: ColumnType<JsonValue, string, never>;
    created_at: Generated<Date>;
    expires_at: Date;
    consumed_at: Date | null;
  };
};

const tables = (transaction: Transaction) => transaction.$extendTables<SingleUseTables>();

export interface NewSingleUse {
  /** What the secret is good for, for example `authentication.invitation`. A secret of one purpose is nothing to another. */
  readonly purpose: string;
  /** Keyed hash of the secret; the secret itself is never stored. */
  readonly hash: Uint8Array;
  /** What the holder may do with it: ids and settings, nothing about a person. */
  readonly payload: JsonValue;
  /** Milliseconds since the epoch; from then on it is refused. */
  readonly expiresAt: number;
}

export async function issueSingleUse(transaction: Transaction, secret: NewSingleUse): Promise<void> {
  await tables(transaction)
    .insertInto('single_use_secrets')
    .values({
      purpose: secret.purpose,
      hash: secret.hash,
      payload: JSON.stringify(secret.payload),
      expires_at: new Date(secret.expiresAt),
      consumed_at: null,
    })
    .execute();
}

export interface SingleUseAttempt {
  readonly purpose: string;
  readonly hash: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Uses the secret up and returns its payload; `undefined` when it never existed, was used or has expired, and which of these it was
 * is nobody's business. Of any number of attempts at the same time one succeeds. Rolling back the transaction gives the
 * secret back.
 */
export async function consumeOnce(transaction: Transaction, attempt: SingleUseAttempt): Promise<JsonValue | undefined> {
  const now = new Date(attempt.now);
  const row = await tables(transaction)
    .updateTable('single_use_secrets')
    .set({ consumed_at: now })
    .where('purpose', '=', attempt.purpose)
    .where('hash', '=', attempt.hash)
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('payload')
    .executeTakeFirst();
  return row?.payload;
}

/** Withdraws every unused secret of a purpose, for example former set-up links when a new one is issued. */
export async function withdrawUnused(transaction: Transaction, purpose: string): Promise<void> {
  await tables(transaction)
    .deleteFrom('single_use_secrets')
    .where('purpose', '=', purpose)
    .where('consumed_at', 'is', null)
    .execute();
}

/** How long used and expired secrets stay for an administrator to look at. Milliseconds: one day. */
const KEPT = 24 * 60 * 60 * 1000;

export async function purgeSingleUse(transaction: Transaction, now: number): Promise<void> {
  await tables(transaction)
    .deleteFrom('single_use_secrets')
    .where('expires_at', '<', new Date(now - KEPT))
    .execute();
}
