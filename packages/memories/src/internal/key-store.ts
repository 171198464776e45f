/** Who holds which key of a space. Rows are added and taken away; one that its owner wrapped is never replaced. */
import { equalBytes, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { MemoriesError } from '../errors.ts';
import { tables, type SpacePlace } from './tables.ts';

const ofSpace = ({ tenant, space }: SpacePlace) => ({ tenant_id: tenant, space_id: space });

/** Account → epochs, lowest first. */
export async function epochsOf(
  transaction: Transaction,
  place: SpacePlace,
): Promise<ReadonlyMap<Uuid, readonly number[]>> {
  const rows = await tables(transaction)
    .selectFrom('space_keys')
    .select(['account_id', 'epoch'])
    .where('tenant_id', '=', place.tenant)
    .where('space_id', '=', place.space)
    .orderBy('epoch')
    .execute();
  const held = new Map<Uuid, number[]>();
  for (const row of rows) held.set(row.account_id, [...(held.get(row.account_id) ?? []), row.epoch]);
  return held;
}

export interface SharedKey {
  readonly account: Uuid;
  readonly epoch: number;
  readonly sealedKey: Uint8Array;
}

/** Keys the accounts have already stay as they are. */
export async function insertSharedKeys(
  transaction: Transaction,
  place: SpacePlace,
  by: { readonly sender: Uuid; readonly now: number },
  keys: readonly SharedKey[],
): Promise<void> {
  if (keys.length === 0) return;
  await tables(transaction)
    .insertInto('space_keys')
    .values(
      keys.map(({ account, epoch, sealedKey }) => ({
        ...ofSpace(place),
        account_id: account,
        epoch,
        wrapped_key: sealedKey,
        created_at: new Date(by.now),
        sender_id: by.sender,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function insertOwnKey(
  transaction: Transaction,
  place: SpacePlace,
  key: { readonly account: Uuid; readonly epoch: number; readonly wrappedKey: Uint8Array; readonly now: number },
): Promise<void> {
  await tables(transaction)
    .insertInto('space_keys')
    .values({
      ...ofSpace(place),
      account_id: key.account,
      epoch: key.epoch,
      wrapped_key: key.wrappedKey,
      created_at: new Date(key.now),
      sender_id: null,
    })
    .execute();
}

/** Puts the account's own wrapping in place of a shared one. Where it has its own already, nothing changes. Throws `memories.key-not-found`. */
export async function takeKey(
  transaction: Transaction,
  place: SpacePlace,
  key: { readonly account: Uuid; readonly epoch: number; readonly wrappedKey: Uint8Array },
): Promise<void> {
  const taken = await tables(transaction)
    .updateTable('space_keys')
    .set({ wrapped_key: key.wrappedKey, sender_id: null })
    .where('tenant_id', '=', place.tenant)
    .where('space_id', '=', place.space)
    .where('account_id', '=', key.account)
    .where('epoch', '=', key.epoch)
    .where('sender_id', 'is not', null)
    .returning('epoch')
    .executeTakeFirst();
  if (taken === undefined && !(await holds(transaction, place, key))) throw new MemoriesError('memories.key-not-found');
}

/** True for a repetition: this very key of this account, this epoch. */
export async function isOwnKey(
  transaction: Transaction,
  place: SpacePlace,
  key: { readonly account: Uuid; readonly epoch: number; readonly wrappedKey: Uint8Array },
): Promise<boolean> {
  const row = await ownRow(transaction, place, key);
  return row !== undefined && row.sender_id === null && equalBytes(row.wrapped_key, key.wrappedKey);
}

const holds = async (
  transaction: Transaction,
  place: SpacePlace,
  key: { readonly account: Uuid; readonly epoch: number },
): Promise<boolean> => (await ownRow(transaction, place, key)) !== undefined;

const ownRow = (
  transaction: Transaction,
  place: SpacePlace,
  key: { readonly account: Uuid; readonly epoch: number },
): Promise<{ wrapped_key: Uint8Array; sender_id: Uuid | null } | undefined> =>
  tables(transaction)
    .selectFrom('space_keys')
    .select(['wrapped_key', 'sender_id'])
    .where('tenant_id', '=', place.tenant)
    .where('space_id', '=', place.space)
    .where('account_id', '=', key.account)
    .where('epoch', '=', key.epoch)
    .executeTakeFirst();

export async function deleteKeys(
  transaction: Transaction,
  place: SpacePlace,
  accounts: readonly Uuid[],
): Promise<void> {
  if (accounts.length === 0) return;
  await tables(transaction)
    .deleteFrom('space_keys')
    .where('tenant_id', '=', place.tenant)
    .where('space_id', '=', place.space)
    .where('account_id', 'in', accounts)
    .execute();
}

/** Somebody left who knows the current key. */
export async function markRotationDue(transaction: Transaction, place: SpacePlace): Promise<void> {
  await tables(transaction)
    .updateTable('spaces')
    .set({ rotation_due: true })
    .where('tenant_id', '=', place.tenant)
    .where('id', '=', place.space)
    .execute();
}
