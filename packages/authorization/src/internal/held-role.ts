import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { Role } from '../roles.ts';
import { tables } from './tables.ts';

interface Holder {
  readonly tenant: Uuid;
  readonly account: Uuid;
  /** Null: in the tenant itself. */
  readonly space: Uuid | null;
}

/** The account's role, by a unique index. With `hold` it stays as it is until the transaction ends. */
export async function heldRole(
  transaction: Transaction,
  { tenant, account, space }: Holder,
  { hold = false }: { readonly hold?: boolean } = {},
): Promise<Role | undefined> {
  const assignment = await tables(transaction)
    .selectFrom('role_assignments')
    .select('role')
    .where('tenant_id', '=', tenant)
    .where('account_id', '=', account)
    .where('space_id', space === null ? 'is' : '=', space)
    .$if(hold, (query) => query.forShare())
    .executeTakeFirst();
  return assignment?.role;
}
