/** The room's tables as Kysely sees them. */
import type { Uuid } from '@strongroom/kernel';
import type { KeyDerivationParameters } from '@strongroom/sealing';
import type { Transaction } from '@strongroom/storage';
import type { ColumnType } from 'kysely';

interface AccountTable {
  id: Uuid;
  email: Uint8Array;
  email_index: Uint8Array;
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

type AuthenticationTables = {
  accounts: AccountTable;
  sessions: SessionTable;
};

export const tables = (transaction: Transaction) => transaction.withTables<AuthenticationTables>();
