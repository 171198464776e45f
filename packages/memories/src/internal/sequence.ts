/** The order of changes in a space. */
import type { Transaction } from '@strongroom/storage';
import { MemoriesError } from '../errors.ts';
import { tables, type SpacePlace } from './tables.ts';

/**
 * Takes the row lock of the space, which every change holds until it commits: changes of one space happen one
 * after the other, so their sequence is the order in which readers see them appear, without holes.
 */
export async function lockSpace(
  transaction: Transaction,
  place: SpacePlace,
): Promise<{ epoch: number; sequence: number }> {
  const row = await tables(transaction)
    .selectFrom('spaces')
    .select(['epoch', 'change_sequence'])
    .where('tenant_id', '=', place.tenant)
    .where('id', '=', place.space)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new MemoriesError('memories.space-not-found');
  return { epoch: row.epoch, sequence: row.change_sequence };
}

/** Takes the next `by` places in the feed of a locked space. */
export async function advance(transaction: Transaction, place: SpacePlace, by: number): Promise<void> {
  await tables(transaction)
    .updateTable('spaces')
    .set((row) => ({ change_sequence: row('change_sequence', '+', by) }))
    .where('tenant_id', '=', place.tenant)
    .where('id', '=', place.space)
    .execute();
}
