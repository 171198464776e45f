import type { Encryption } from '@strongroom/encryption';
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { tokenDigest } from './digests.ts';
import { openTokens } from './outer-layer.ts';
import type { Refusal } from './refusal.ts';
import { advance, lockSpaceFor } from './sequence.ts';
import { tables, type SpacePlace } from './tables.ts';

/** A tombstone: the id stays, and every version's content is gone. */
export interface Tombstone {
  readonly id: Uuid;
  readonly version: number;
  readonly sequence: number;
  readonly at: Date;
  readonly repeated: boolean;
  /** Digest of the token that was the present one; null where its author was erased, and for a repetition. */
  readonly removed: Uint8Array | null;
}

/**
 * Removes a memory with all its versions and leaves a tombstone, which counts as one more version. Removing it again
 * answers the same, whatever version is expected then: what the caller wanted is true already.
 */
export async function removeMemory(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  by: { readonly account: Uuid; readonly now: number },
  removal: { readonly id: Uuid; readonly expectedVersion: number },
): Promise<Tombstone | Refusal> {
  const { id, expectedVersion } = removal;
  const space = await lockSpaceFor(transaction, place, { account: by.account, permission: 'memory.delete' });
  const memory = await tables(transaction)
    .selectFrom('memories')
    .select(['version', 'sequence', 'deleted_at'])
    .where('tenant_id', '=', place.tenant)
    .where('space_id', '=', place.space)
    .where('id', '=', id)
    .executeTakeFirst();
  if (memory === undefined) return { id, code: 'memories.not-found' };
  if (memory.deleted_at !== null) {
    return {
      id,
      version: memory.version,
      sequence: memory.sequence,
      at: memory.deleted_at,
      repeated: true,
      removed: null,
    };
  }
  if (memory.version !== expectedVersion) return { id, code: 'memories.conflict', currentVersion: memory.version };

  const tombstone = {
    id,
    version: expectedVersion + 1,
    sequence: space.sequence + 1,
    at: new Date(by.now),
    repeated: false,
    removed: await presentDigest(encryption, transaction, place, removal),
  };
  await advance(transaction, place, 1);
  await tables(transaction)
    .deleteFrom('memory_versions')
    .where('tenant_id', '=', place.tenant)
    .where('space_id', '=', place.space)
    .where('memory_id', '=', id)
    .execute();
  await tables(transaction)
    .updateTable('memories')
    .set({
      version: tombstone.version,
      sequence: tombstone.sequence,
      changed_at: tombstone.at,
      deleted_at: tombstone.at,
    })
    .where('tenant_id', '=', place.tenant)
    .where('space_id', '=', place.space)
    .where('id', '=', id)
    .execute();
  return tombstone;
}

async function presentDigest(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  { id, expectedVersion }: { readonly id: Uuid; readonly expectedVersion: number },
): Promise<Uint8Array | null> {
  const rows = await tables(transaction)
    .selectFrom('memory_versions')
    .select(['memory_id as id', 'version', 'token', 'author_id as author'])
    .where('tenant_id', '=', place.tenant)
    .where('space_id', '=', place.space)
    .where('memory_id', '=', id)
    .where('version', '=', expectedVersion)
    .execute();
  const [row] = await openTokens(encryption, transaction, place, rows);
  const token = row?.token ?? null;
  return token === null ? null : tokenDigest(token);
}
