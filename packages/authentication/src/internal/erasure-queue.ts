/** People whose account was deleted and whose keys are yet to be destroyed. Key stores are slow, so it happens beside the request, and surely. */
import type { Uuid } from '@strongroom/kernel';
import { asSystem, type Transaction } from '@strongroom/storage';
import type { AccountLifeServices } from '../services.ts';
import { tables } from './tables.ts';

/** People of one run. */
const BATCH = 100;

export async function queueErasure(transaction: Transaction, account: Uuid, now: number): Promise<void> {
  await tables(transaction)
    .insertInto('deleted_accounts')
    .values({ account_id: account, deleted_at: new Date(now) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Destroying a key twice is harmless, so a row goes only after that was done. */
export async function eraseQueued({
  database,
  subjectErasure,
}: Pick<AccountLifeServices, 'database' | 'subjectErasure'>): Promise<void> {
  if (subjectErasure === undefined) return;
  const queued = await database.transaction(asSystem, (transaction) =>
    tables(transaction)
      .selectFrom('deleted_accounts')
      .select('account_id')
      .orderBy('deleted_at')
      .limit(BATCH)
      .execute(),
  );
  if (queued.length === 0) return;
  const accounts = queued.map((row) => row.account_id);
  await subjectErasure.shred(accounts);
  await database.transaction(asSystem, (transaction) =>
    tables(transaction).deleteFrom('deleted_accounts').where('account_id', 'in', accounts).execute(),
  );
}
