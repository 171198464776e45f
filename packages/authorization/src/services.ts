import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';

/** What is shown of accounts. Another room keeps them. */
export interface ProfilePort {
  /** Account → display name; unknown accounts are missing. */
  displayNames(transaction: Transaction, accounts: readonly Uuid[]): Promise<ReadonlyMap<Uuid, string>>;
}

/** What this room's handlers use; the composition root provides it. */
export interface AuthorizationServices {
  readonly profiles: ProfilePort;
}
