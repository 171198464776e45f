import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';

/** Does something that the serving role may not. The role is the transaction's own, and is put back; when `work` fails, so does the transaction. */
export async function asSystemRole<Result>(transaction: Transaction, work: () => Promise<Result>): Promise<Result> {
  const { rows } = await sql<{ role: string }>`select current_setting('role') as role`.execute(transaction);
  await sql`set local role strongroom_system`.execute(transaction);
  const result = await work();
  await sql`select set_config('role', ${rows[0]!.role}::text, true)`.execute(transaction);
  return result;
}
