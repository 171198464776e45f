/** Ending many sessions at once. Like a single one: a row deleted is a session ended. */
import type { AccountActor, Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { tables } from './tables.ts';

/** How many were ended. */
export async function endOtherSessions(transaction: Transaction, actor: AccountActor): Promise<number> {
  const ended = await tables(transaction)
    .deleteFrom('sessions')
    .where('account_id', '=', actor.account)
    .where('id', '!=', actor.session)
    .returning('id')
    .execute();
  return ended.length;
}

export async function endAllSessions(
  transaction: Transaction,
  of: { readonly account: Uuid; readonly tenant?: Uuid },
): Promise<number> {
  let sessions = tables(transaction).deleteFrom('sessions').where('account_id', '=', of.account);
  if (of.tenant !== undefined) sessions = sessions.where('tenant_id', '=', of.tenant);
  return (await sessions.returning('id').execute()).length;
}

/** Those that have not ended by time. */
export async function countSessions(transaction: Transaction, actor: AccountActor, now: number): Promise<number> {
  const { count } = await tables(transaction)
    .selectFrom('sessions')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('account_id', '=', actor.account)
    .where('idle_expires_at', '>', new Date(now))
    .executeTakeFirstOrThrow();
  return count;
}
