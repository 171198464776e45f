import type { Clock, Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { Role } from './roles.ts';

/** What is shown of accounts. Another room keeps them. */
export interface ProfilePort {
  /** Account → display name; unknown accounts are missing. */
  displayNames(transaction: Transaction, accounts: readonly Uuid[]): Promise<ReadonlyMap<Uuid, string>>;
  /** Account → public key as accounts store it; unknown accounts are missing. */
  publicKeys(transaction: Transaction, accounts: readonly Uuid[]): Promise<ReadonlyMap<Uuid, Uint8Array>>;
}

/** What an account has in a tenant besides its roles: its sessions, and invitations it made. Another room keeps them. */
export interface SessionEndingPort {
  /** Ends every session of the account in the tenant. */
  endIn(transaction: Transaction, member: TenantMember): Promise<void>;
  /** Withdraws the invitations as one of the roles that the account made. Answers with how many could still have been used at `now`. */
  withdrawInvitationsIn(
    transaction: Transaction,
    member: TenantMember,
    invitations: { readonly roles: readonly Role[]; readonly now: number },
  ): Promise<number>;
}

export interface TenantMember {
  readonly tenant: Uuid;
  readonly account: Uuid;
}

/** What becomes of a space that somebody leaves for good. */
export interface SpaceDeparture {
  readonly space: Uuid;
  readonly role: Role;
  /** Memories in it, those deleted left out. */
  readonly memories: number;
  /** Of these, those whose present version the person wrote. */
  readonly authored: number;
  readonly otherMembers: number;
  /**
   * `delete`: nobody else is in it; `hand-over`: the person is its only owner and others are in it; `leave`: it goes on without them.
   */
  readonly outcome: 'delete' | 'hand-over' | 'leave';
}

/** Taking somebody out of every space of a tenant. Another room keeps the spaces. */
export interface SpaceDeparturePort {
  plan(transaction: Transaction, member: TenantMember): Promise<readonly SpaceDeparture[]>;
  /**
   * Does what the plan says, roles and keys included, and answers with it. Somebody who was removed by others leaves what they wrote, and spaces
   * that would be without an owner go to the member who ranks highest, the longest-standing first.
   */
  remove(transaction: Transaction, member: TenantMember): Promise<readonly SpaceDeparture[]>;
}

/** What this room's handlers use; the composition root provides it. */
export interface AuthorizationServices {
  readonly clock: Clock;
  readonly profiles: ProfilePort;
  readonly sessionEndings: SessionEndingPort;
  readonly departures: SpaceDeparturePort;
}
