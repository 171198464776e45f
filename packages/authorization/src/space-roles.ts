/** Roles in spaces. Whether the caller may give or take one is the calling route's permission, not decided here. */
import { newUuid, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { AuthorizationError } from './errors.ts';
import { heldRole } from './internal/held-role.ts';
import { tables } from './internal/tables.ts';
import type { Role } from './roles.ts';

interface SpaceMember {
  readonly tenant: Uuid;
  readonly space: Uuid;
  readonly account: Uuid;
}

/**
 * Gives the account this role in the space, in place of the one it had. The account must have a role in the tenant
 * (`authorization.not-a-member`); a space that has an owner keeps one (`authorization.last-owner`).
 */
export async function assignSpaceRole(
  transaction: Transaction,
  assignment: SpaceMember & { readonly role: Role },
): Promise<void> {
  const { tenant, space, account, role } = assignment;
  // Held until commit: somebody who is being removed from the tenant gets no role behind the removal's back.
  const belongs = await heldRole(transaction, { tenant, account, space: null }, { hold: true });
  if (belongs === undefined) throw new AuthorizationError('authorization.not-a-member');
  if (role !== 'owner') await keepAnOwner(transaction, assignment);
  await tables(transaction)
    .insertInto('role_assignments')
    .values({ id: newUuid(), tenant_id: tenant, space_id: space, account_id: account, role })
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'space_id', 'account_id']).where('space_id', 'is not', null).doUpdateSet({ role }),
    )
    .execute();
}

/** The account's role in each space where it has one. For showing and listing; decisions are the authorizer's. */
export async function spaceRolesOf(
  transaction: Transaction,
  of: Pick<SpaceMember, 'tenant' | 'account'>,
): Promise<ReadonlyMap<Uuid, Role>> {
  const rows = await tables(transaction)
    .selectFrom('role_assignments')
    .select(['space_id', 'role'])
    .where('tenant_id', '=', of.tenant)
    .where('account_id', '=', of.account)
    .where('space_id', 'is not', null)
    .$narrowType<{ space_id: Uuid }>()
    .execute();
  return new Map(rows.map((row) => [row.space_id, row.role]));
}

export interface SpaceMembership {
  readonly space: Uuid;
  readonly account: Uuid;
  readonly role: Role;
}

/** Everybody in these spaces, the longest-standing first. The rows stay locked until the transaction ends: nobody comes or goes meanwhile. */
export async function spaceMembers(
  transaction: Transaction,
  of: { readonly tenant: Uuid; readonly spaces: readonly Uuid[] },
): Promise<readonly SpaceMembership[]> {
  if (of.spaces.length === 0) return [];
  const rows = await tables(transaction)
    .selectFrom('role_assignments')
    .select(['space_id', 'account_id', 'role'])
    .where('tenant_id', '=', of.tenant)
    .where('space_id', 'in', of.spaces)
    .orderBy('id')
    .forUpdate()
    .$narrowType<{ space_id: Uuid }>()
    .execute();
  return rows.map((row) => ({ space: row.space_id, account: row.account_id, role: row.role }));
}

/** For a space that ends: everybody's role in it. */
export async function removeAllSpaceRoles(
  transaction: Transaction,
  of: Pick<SpaceMember, 'tenant' | 'space'>,
): Promise<void> {
  await tables(transaction)
    .deleteFrom('role_assignments')
    .where('tenant_id', '=', of.tenant)
    .where('space_id', '=', of.space)
    .execute();
}

/** Takes the account's role in the space away. Throws `authorization.not-a-member` or `authorization.last-owner`. */
export async function removeSpaceRole(transaction: Transaction, member: SpaceMember): Promise<void> {
  await keepAnOwner(transaction, member);
  const removed = await tables(transaction)
    .deleteFrom('role_assignments')
    .where('tenant_id', '=', member.tenant)
    .where('space_id', '=', member.space)
    .where('account_id', '=', member.account)
    .returning('id')
    .executeTakeFirst();
  if (removed === undefined) throw new AuthorizationError('authorization.not-a-member');
}

/**
 * Throws when `leaving` is the space's only owner. The owners' rows stay locked until the transaction ends, always in
 * the same order, so that two owners who remove each other at once do not both succeed.
 */
async function keepAnOwner(transaction: Transaction, leaving: SpaceMember): Promise<void> {
  const owners = await tables(transaction)
    .selectFrom('role_assignments')
    .select('account_id')
    .where('tenant_id', '=', leaving.tenant)
    .where('space_id', '=', leaving.space)
    .where('role', '=', 'owner')
    .orderBy('id')
    .forUpdate()
    .execute();
  if (owners.length === 1 && owners[0]!.account_id === leaving.account) {
    throw new AuthorizationError('authorization.last-owner');
  }
}
