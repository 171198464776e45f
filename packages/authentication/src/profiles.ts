import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { displayNamesOf } from './internal/accounts.ts';
import { publicKeysOf } from './internal/public-keys.ts';
import type { AuthenticationServices } from './services.ts';

/** What other rooms may show of an account to those who share a tenant with it. */
export interface Profiles {
  /** Account → display name; unknown accounts are missing. */
  displayNames(transaction: Transaction, accounts: readonly Uuid[]): Promise<ReadonlyMap<Uuid, string>>;
  /** Account → algorithm byte and public key; unknown accounts are missing. */
  publicKeys(transaction: Transaction, accounts: readonly Uuid[]): Promise<ReadonlyMap<Uuid, Uint8Array>>;
}

export const profiles = ({ encryption }: Pick<AuthenticationServices, 'encryption'>): Profiles => ({
  displayNames: (transaction, accounts) => displayNamesOf(encryption, transaction, accounts),
  publicKeys: publicKeysOf,
});
