/** What this room's handlers and jobs use; the composition root provides it. */
import type { Encryption } from '@strongroom/encryption';
import type { Clock, Uuid } from '@strongroom/kernel';
import type { Database, Transaction } from '@strongroom/storage';

export type Role = 'owner' | 'admin' | 'member' | 'viewer' | 'guest';

export interface Membership {
  readonly tenant: Uuid;
  readonly role: Role;
}

/** Who belongs to which tenant. Another room keeps it. Every call runs in the caller's transaction, which may be in the installation scope. */
export interface MembershipPort {
  createTenant(transaction: Transaction): Promise<Uuid>;
  add(transaction: Transaction, membership: Membership & { readonly account: Uuid }): Promise<void>;
  /** The longest-standing first. */
  membershipsOf(transaction: Transaction, account: Uuid): Promise<readonly Membership[]>;
  /** True when `granter` belongs to the tenant and ranks at least as high as `role`. */
  mayGrant(
    transaction: Transaction,
    grant: { readonly tenant: Uuid; readonly granter: Uuid; readonly role: Role },
  ): Promise<boolean>;
}

export interface AuthenticationServices {
  readonly clock: Clock;
  readonly database: Database;
  readonly encryption: Encryption;
  readonly memberships: MembershipPort;
}
