/** Roles in tenants: how somebody stands, another role, leaving. Whether the caller may is decided before. */
import type { Transaction } from '@strongroom/storage';
import { AuthorizationError } from './errors.ts';
import { tables } from './internal/tables.ts';
import type { Role } from './roles.ts';
import type { TenantMember } from './services.ts';

export interface Standing {
  readonly role: Role;
  /** Nobody else belongs to the tenant. */
  readonly alone: boolean;
  /** Owner, and nobody else is. */
  readonly lastOwner: boolean;
}

export async function standingIn(
  transaction: Transaction,
  { tenant, account }: TenantMember,
): Promise<Standing | undefined> {
  const rows = await tables(transaction)
    .selectFrom('role_assignments')
    .select(['account_id', 'role'])
    .where('tenant_id', '=', tenant)
    .where('space_id', 'is', null)
    .where((where) => where.or([where('account_id', '=', account), where('role', '=', 'owner')]))
    .execute();
  const own = rows.find((row) => row.account_id === account);
  if (own === undefined) return undefined;
  const others = await tables(transaction)
    .selectFrom('role_assignments')
    .select('id')
    .where('tenant_id', '=', tenant)
    .where('space_id', 'is', null)
    .where('account_id', '!=', account)
    .limit(1)
    .executeTakeFirst();
  const owners = rows.filter((row) => row.role === 'owner').length;
  return { role: own.role, alone: others === undefined, lastOwner: own.role === 'owner' && owners === 1 };
}

/** Throws `authorization.not-a-member`, or `authorization.last-owner` when the tenant would be left without one. */
export async function changeTenantRole(
  transaction: Transaction,
  { tenant, account, role }: TenantMember & { readonly role: Role },
): Promise<void> {
  await lockTenant(transaction, tenant);
  const standing = await standingIn(transaction, { tenant, account });
  if (standing === undefined) throw new AuthorizationError('authorization.not-a-member');
  if (standing.lastOwner && role !== 'owner') throw new AuthorizationError('authorization.last-owner');
  await tables(transaction)
    .updateTable('role_assignments')
    .set({ role })
    .where('tenant_id', '=', tenant)
    .where('account_id', '=', account)
    .where('space_id', 'is', null)
    .execute();
}

/** See `Memberships.leave`. */
export async function leaveTenant(transaction: Transaction, { tenant, account }: TenantMember): Promise<void> {
  await lockTenant(transaction, tenant);
  const standing = await standingIn(transaction, { tenant, account });
  if (standing === undefined) throw new AuthorizationError('authorization.not-a-member');
  if (standing.lastOwner && !standing.alone) throw new AuthorizationError('authorization.last-owner');
  await tables(transaction)
    .deleteFrom('role_assignments')
    .where('tenant_id', '=', tenant)
    .where('account_id', '=', account)
    .execute();
  if (standing.alone) await tables(transaction).deleteFrom('tenants').where('id', '=', tenant).execute();
}

/**
 * Held until commit: two owners who leave, or remove each other, at the same moment come here one after the other, and nobody joins a
 * tenant that is about to end (the foreign key of a new role waits for this lock).
 */
export async function lockTenant(transaction: Transaction, tenant: TenantMember['tenant']): Promise<void> {
  await tables(transaction).selectFrom('tenants').select('id').where('id', '=', tenant).forUpdate().execute();
}
