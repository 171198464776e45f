import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { credentialByEmail } from './internal/accounts.ts';
import type { AddressServices } from './services.ts';

/** How rooms that hold only ids find the person whom somebody knows by address. */
export interface People {
  /** The account that signs in with this address; null when there is none. Throws `authentication.invalid-email`. */
  accountByEmail(transaction: Transaction, email: string): Promise<Uuid | null>;
}

export const people = (services: AddressServices): People => ({
  accountByEmail: async (transaction, email) => (await credentialByEmail(services, transaction, email))?.id ?? null,
});
