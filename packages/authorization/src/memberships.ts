/** Tenants and who belongs to them with which role. Every function runs in the caller's transaction. */
import { newUuid, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { AuthorizationError } from './errors.ts';
import { heldRole } from './internal/held-role.ts';
import { tables } from './internal/tables.ts';
import { mayInvite } from './permission-table.ts';
import type { Role } from './roles.ts';
import type { TenantMember } from './services.ts';
import { leaveTenant, standingIn, type Standing } from './tenant-roles.ts';

export interface Membership {
  readonly tenant: Uuid;
  readonly role: Role;
}

export interface NewMembership extends Membership {
  readonly account: Uuid;
}

/**
 * `transaction` may be in the installation scope: sign-up and sign-in run before a tenant is known, and row-level security
 * shows them the roles in tenants (never those in spaces).
 */
export interface Memberships {
  /** A new, empty tenant; its first owner is to be added in the same transaction. */
  createTenant(transaction: Transaction): Promise<Uuid>;
  /** Throws `authorization.already-member` when the account already has a role in that tenant. */
  add(transaction: Transaction, membership: NewMembership): Promise<void>;
  /** Every tenant of the account, the longest-standing first. */
  membershipsOf(transaction: Transaction, account: Uuid): Promise<readonly Membership[]>;
  /**
   * True when `granter` has a role in the tenant that may invite, and ranks at least as high as `role`. Asked again when the invitation is used. With
   * `hold`, which needs the tenant's own scope, that role stays as it is until the transaction ends.
   */
  mayInvite(
    transaction: Transaction,
    invitation: { readonly tenant: Uuid; readonly inviter: Uuid; readonly role: Role; readonly hold?: boolean },
  ): Promise<boolean>;
  /** How the account stands in the tenant; undefined when it does not belong to it. */
  standing(transaction: Transaction, member: TenantMember): Promise<Standing | undefined>;
  /**
   * Takes the account's role in the tenant away; spaces are left before. Whoever leaves last takes the tenant along. Throws
   * `authorization.last-owner` when others would be left without an owner, and `authorization.not-a-member`.
   */
  leave(transaction: Transaction, member: TenantMember): Promise<void>;
}

export const memberships: Memberships = {
  async createTenant(transaction) {
    const id = newUuid();
    await tables(transaction).insertInto('tenants').values({ id }).execute();
    return id;
  },

  async add(transaction, { tenant, account, role }) {
    const added = await tables(transaction)
      .insertInto('role_assignments')
      .values({ id: newUuid(), tenant_id: tenant, space_id: null, account_id: account, role })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    if (added === undefined) throw new AuthorizationError('authorization.already-member');
  },

  async membershipsOf(transaction, account) {
    const rows = await tables(transaction)
      .selectFrom('role_assignments')
      .select(['tenant_id', 'role'])
      .where('account_id', '=', account)
      .where('space_id', 'is', null)
      .orderBy('id')
      .execute();
    return rows.map((row) => ({ tenant: row.tenant_id, role: row.role }));
  },

  async mayInvite(transaction, { tenant, inviter, role, hold = false }) {
    const held = await heldRole(transaction, { tenant, account: inviter, space: null }, { hold });
    return held !== undefined && mayInvite(held, role);
  },

  standing: standingIn,
  leave: leaveTenant,
};
