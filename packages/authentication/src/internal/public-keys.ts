import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { tables } from './tables.ts';

/** Account → algorithm byte and public key; unknown accounts are missing. */
export async function publicKeysOf(
  transaction: Transaction,
  accounts: readonly Uuid[],
): Promise<ReadonlyMap<Uuid, Uint8Array>> {
  if (accounts.length === 0) return new Map();
  const rows = await tables(transaction)
    .selectFrom('accounts')
    .select(['id', 'public_key'])
    .where('id', 'in', accounts)
    .execute();
  return new Map(rows.map((row) => [row.id, row.public_key]));
}
