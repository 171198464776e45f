import { equalBytes, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { MemoriesError } from '../errors.ts';
import { tables, type SpacePlace } from './tables.ts';

export interface NewSpaceRow {
  readonly id: Uuid;
  readonly sealedName: Uint8Array;
  readonly epoch: number;
  readonly wrappedKey: Uint8Array;
}

export interface SpaceRow {
  readonly id: Uuid;
  readonly sealedName: Uint8Array;
  readonly epoch: number;
  readonly createdAt: Date;
  readonly rotationDue: boolean;
  /** Wrapped for the account that asked, oldest first. */
  readonly keys: readonly { readonly epoch: number; readonly wrappedKey: Uint8Array; readonly sender: Uuid | null }[];
}

/**
 * Stores a space and its first key. Returns false when this very space of this very account was stored before; throws
 * `memories.space-exists` when the id stands for anything else.
 */
export async function insertSpace(
  transaction: Transaction,
  by: { readonly tenant: Uuid; readonly account: Uuid; readonly now: number },
  space: NewSpaceRow,
): Promise<boolean> {
  const at = new Date(by.now);
  const inserted = await tables(transaction)
    .insertInto('spaces')
    .values({
      tenant_id: by.tenant,
      id: space.id,
      sealed_name: space.sealedName,
      epoch: space.epoch,
      created_by: by.account,
      created_at: at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) {
    await requireSame(transaction, by, space);
    return false;
  }
  await tables(transaction)
    .insertInto('space_keys')
    .values({
      tenant_id: by.tenant,
      space_id: space.id,
      account_id: by.account,
      epoch: space.epoch,
      wrapped_key: space.wrappedKey,
      created_at: at,
      sender_id: null,
    })
    .execute();
  return true;
}

async function requireSame(
  transaction: Transaction,
  by: { readonly tenant: Uuid; readonly account: Uuid },
  space: NewSpaceRow,
): Promise<void> {
  const stored = await tables(transaction)
    .selectFrom('spaces')
    .innerJoin('space_keys', (join) =>
      join.onRef('space_keys.tenant_id', '=', 'spaces.tenant_id').onRef('space_keys.space_id', '=', 'spaces.id'),
    )
    .select(['spaces.sealed_name', 'space_keys.wrapped_key'])
    .where('spaces.tenant_id', '=', by.tenant)
    .where('spaces.id', '=', space.id)
    .where('spaces.created_by', '=', by.account)
    .where('space_keys.account_id', '=', by.account)
    .where('space_keys.epoch', '=', space.epoch)
    .executeTakeFirst();
  const same =
    stored !== undefined &&
    equalBytes(stored.sealed_name, space.sealedName) &&
    equalBytes(stored.wrapped_key, space.wrappedKey);
  if (!same) throw new MemoriesError('memories.space-exists');
}

/** One space as this account sees it; throws `memories.space-not-found`. */
export async function readSpace(transaction: Transaction, place: SpacePlace, account: Uuid): Promise<SpaceRow> {
  const [space] = await withKeys(
    transaction,
    { tenant: place.tenant, account },
    await tables(transaction)
      .selectFrom('spaces')
      .select(['id', 'sealed_name', 'epoch', 'created_at', 'rotation_due'])
      .where('tenant_id', '=', place.tenant)
      .where('id', '=', place.space)
      .execute(),
  );
  if (space === undefined) throw new MemoriesError('memories.space-not-found');
  return space;
}

/** The given spaces in the order of their ids. */
export async function listSpaces(
  transaction: Transaction,
  by: { readonly tenant: Uuid; readonly account: Uuid },
  ids: readonly Uuid[],
  options: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<{ readonly rows: readonly SpaceRow[]; readonly more: boolean }> {
  if (ids.length === 0) return { rows: [], more: false };
  const { after, limit } = options;
  const found = await tables(transaction)
    .selectFrom('spaces')
    .select(['id', 'sealed_name', 'epoch', 'created_at', 'rotation_due'])
    .where('tenant_id', '=', by.tenant)
    .where('id', 'in', ids)
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  return { rows: await withKeys(transaction, by, found.slice(0, limit)), more: found.length > limit };
}

async function withKeys(
  transaction: Transaction,
  by: { readonly tenant: Uuid; readonly account: Uuid },
  spaces: readonly { id: Uuid; sealed_name: Uint8Array; epoch: number; created_at: Date; rotation_due: boolean }[],
): Promise<SpaceRow[]> {
  if (spaces.length === 0) return [];
  const ids = spaces.map((space) => space.id);
  const keys = await tables(transaction)
    .selectFrom('space_keys')
    .select(['space_id', 'epoch', 'wrapped_key', 'sender_id'])
    .where('tenant_id', '=', by.tenant)
    .where('account_id', '=', by.account)
    .where('space_id', 'in', ids)
    .orderBy('epoch')
    .execute();
  return spaces.map((space) => ({
    id: space.id,
    sealedName: space.sealed_name,
    epoch: space.epoch,
    createdAt: space.created_at,
    rotationDue: space.rotation_due,
    keys: keys
      .filter((key) => key.space_id === space.id)
      .map((key) => ({ epoch: key.epoch, wrappedKey: key.wrapped_key, sender: key.sender_id })),
  }));
}
