/** The room's tables as Kysely sees them. */
import type { Uuid } from '@strongroom/kernel';
import type { KeyDerivationParameters } from '@strongroom/sealing';
import type { Transaction } from '@strongroom/storage';
import type { ColumnType } from 'kysely';
import type { Role } from '../services.ts';

interface AccountTable {
  id: Uuid;
  email: Uint8Array;
  email_index: Uint8Array | null;
  email_index_next: Uint8Array | null;
  display_name: Uint8Array;
  verifier: Uint8Array;
  recovery_verifier: Uint8Array;
  salt: Uint8Array;
  parameters: ColumnType<KeyDerivationParameters, string, string>;
  public_key: Uint8Array;
  private_key: Uint8Array;
  account_key_by_password: Uint8Array;
  account_key_by_recovery: Uint8Array;
  created_at: Date;
}

export type Transport = 'cookie' | 'bearer';

interface SessionTable {
  id: Uuid;
  account_id: Uuid;
  tenant_id: Uuid;
  token_hash: Uint8Array;
  transport: Transport;
  device_name: Uint8Array | null;
  created_at: Date;
  last_seen_at: Date;
  idle_expires_at: Date;
  expires_at: Date;
  reauthenticated_until: Date | null;
}

interface InvitationTable {
  id: Uuid;
  tenant_id: Uuid;
  role: Role;
  invited_by: Uuid;
  secret_hash: Uint8Array;
  created_at: Date;
  expires_at: Date;
}

interface DeletedAccountTable {
  account_id: Uuid;
  deleted_at: Date;
}

type AuthenticationTables = {
  accounts: AccountTable;
  sessions: SessionTable;
  invitations: InvitationTable;
  deleted_accounts: DeletedAccountTable;
};

export const tables = (transaction: Transaction) => transaction.withTables<AuthenticationTables>();
