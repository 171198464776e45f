/** The account's own part of what travels between the page and its worker. */
import type { DeletionCertificate, ProvedDeletion, RemoteDeletionPlan } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';

/** Of an account, what the page shows. No key and nothing sealed. */
export interface AccountView {
  readonly id: Uuid;
  readonly email: string;
  readonly displayName: string;
  readonly role: string;
  readonly createdAt: string;
}

export interface RecoverInput {
  readonly email: string;
  /** As it was printed; case, hyphens and spaces do not matter. */
  readonly recoveryCode: string;
  readonly newPassword: string;
  readonly deviceName: string;
}

export interface DeletionInput {
  readonly password: string;
  /** The account's e-mail address, typed. */
  readonly confirmation: string;
  /** Of the spaces to be handed over, those to be deleted for everybody instead. */
  readonly deleteSpaces: readonly Uuid[];
}

export interface AccountCalls {
  /** The account as the server has it now. */
  refreshAccount(): AccountView;
  changePassword(current: string, next: string): AccountView;
  /** The code is shown this once; the former one is worthless. */
  renewRecoveryCode(password: string): { readonly account: AccountView; readonly recoveryCode: string };
  recover(input: RecoverInput): { readonly account: AccountView; readonly recoveryCode: string };
  changeEmail(email: string, password: string): AccountView;
  /** How many were ended. */
  endOtherSessions(): number;
  deletionPlan(): RemoteDeletionPlan;
  /** Nothing of the account is left in this browser afterwards. */
  deleteAccount(input: DeletionInput): DeletionCertificate;
  /** Null when the log is intact and does not hold it (yet). */
  proveDeletion(certificate: File): Pick<ProvedDeletion, 'index' | 'size'> | null;
}
