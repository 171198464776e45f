/** What this room's handlers and jobs use; the composition root provides it. */
import type { Encryption, IndexRotations } from '@strongroom/encryption';
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
  /**
   * True when `inviter` may bring others into the tenant as `role`. With `hold`, in the tenant's own scope, nobody changes that before the
   * transaction ends.
   */
  mayInvite(
    transaction: Transaction,
    invitation: { readonly tenant: Uuid; readonly inviter: Uuid; readonly role: Role; readonly hold?: boolean },
  ): Promise<boolean>;
  /** How the account stands in the tenant; undefined when it does not belong to it. */
  standing(transaction: Transaction, member: TenantMember): Promise<Standing | undefined>;
  /** Takes the role in the tenant away; whoever leaves last takes the tenant along. Throws when others would be left without an owner. */
  leave(transaction: Transaction, member: TenantMember): Promise<void>;
}

export interface TenantMember {
  readonly tenant: Uuid;
  readonly account: Uuid;
}

export interface Standing {
  readonly role: Role;
  /** Nobody else belongs to the tenant. */
  readonly alone: boolean;
  /** Owner, and nobody else is. */
  readonly lastOwner: boolean;
}

export interface AuthenticationServices {
  readonly clock: Clock;
  readonly database: Database;
  readonly encryption: Encryption;
  readonly memberships: MembershipPort;
}

/** How an account is found by its address, also while the index of addresses is being rotated (`rotatedIndexes`). */
export interface AddressServices {
  readonly encryption: Encryption;
  readonly indexRotations: Pick<IndexRotations, 'read'>;
}

/** What becomes of a space when the account is deleted. */
export interface SpaceDeparture {
  readonly space: Uuid;
  readonly role: Role;
  /** Memories in it, those deleted left out. */
  readonly memories: number;
  /** Of these, those whose present version the account wrote. */
  readonly authored: number;
  readonly otherMembers: number;
  /** `delete`: nobody else is in it; `hand-over`: it needs another owner first, or is deleted on request; `leave`: it goes on without the account. */
  readonly outcome: 'delete' | 'hand-over' | 'leave';
}

/** The account's spaces. Another room keeps them. */
export interface SpaceDeparturePort {
  plan(transaction: Transaction, member: TenantMember): Promise<readonly SpaceDeparture[]>;
  /**
   * Everything the account has in spaces goes: keys, roles, what it wrote; the spaces in which nobody else is, and those of `deleteSpaces`,
   * which it must be the only owner of. Answers with what was done. Throws when a space would be left without an owner.
   */
  erase(
    transaction: Transaction,
    member: TenantMember,
    deleteSpaces: readonly Uuid[],
  ): Promise<readonly SpaceDeparture[]>;
}

/** Destroys the keys of people, so that what was encrypted under them can never be read again, in no backup either. Waits for key stores. */
export interface SubjectErasurePort {
  shred(subjects: readonly Uuid[]): Promise<unknown>;
}

/** The audit event of a request as it will stand in the log. */
export interface ReceiptPort {
  receipt(
    transaction: Transaction,
    requestId: Uuid,
  ): Promise<{
    readonly eventId: string;
    readonly occurredAt: string;
    readonly entry: Uint8Array;
    readonly leafHash: Uint8Array;
  }>;
}

/** What the routes of this room use altogether; the composition root provides it. */
export interface AccountLifeServices extends AuthenticationServices, AddressServices {
  readonly departures: SpaceDeparturePort;
  readonly receipts: ReceiptPort;
  /** Absent: deleting an account deletes its rows, keys included, and that is all. */
  readonly subjectErasure?: SubjectErasurePort | undefined;
}
