/** The room's tables as Kysely sees them. `bigint` columns arrive as safe integers, `bytea` as Uint8Array. */
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { Generated } from 'kysely';

type SpaceTable = {
  tenant_id: Uuid;
  id: Uuid;
  sealed_name: Uint8Array;
  epoch: number;
  change_sequence: Generated<number>;
  created_by: Uuid;
  created_at: Date;
  rotation_due: Generated<boolean>;
};

type SpaceKeyTable = {
  tenant_id: Uuid;
  space_id: Uuid;
  account_id: Uuid;
  epoch: number;
  wrapped_key: Uint8Array;
  created_at: Date;
  sender_id: Uuid | null;
};

type MemoryTable = {
  tenant_id: Uuid;
  space_id: Uuid;
  id: Uuid;
  version: number;
  epoch: number;
  sequence: number;
  changed_at: Date;
  deleted_at: Date | null;
};

type MemoryVersionTable = {
  tenant_id: Uuid;
  space_id: Uuid;
  memory_id: Uuid;
  version: number;
  epoch: number;
  sequence: number;
  token: Uint8Array;
  size: number;
  author_id: Uuid;
  created_at: Date;
};

type MemoriesTables = {
  spaces: SpaceTable;
  space_keys: SpaceKeyTable;
  memories: MemoryTable;
  memory_versions: MemoryVersionTable;
};

export const tables = (transaction: Transaction) => transaction.withTables<MemoriesTables>();

/** Where a request works: decided by the session and the route, never by a body. */
export interface SpacePlace {
  readonly tenant: Uuid;
  readonly space: Uuid;
}
