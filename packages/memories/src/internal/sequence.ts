/** The order of changes in a space. */
import { holdsInSpace, type Permission } from '@strongroom/authorization';
import type { Uuid } from '@strongroom/kernel';
import { PipelineError } from '@strongroom/pipeline';
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

/** Who changes something in a space, and what the route asked them to hold. */
export interface Acting {
  readonly account: Uuid;
  readonly permission: Permission;
}

/**
 * `lockSpace` for what a member does: asks for the permission again once the lock is had, since the route was entered before it. Roles in a space
 * change under this lock only, so what is answered here counts until the commit. Throws as the pipeline would have: `pipeline.forbidden` for
 * somebody who may only read by now, `memories.space-not-found` for somebody who is in the space no more.
 */
export async function lockSpaceFor(
  transaction: Transaction,
  place: SpacePlace,
  { account, permission }: Acting,
): Promise<{ epoch: number; sequence: number }> {
  const space = await lockSpace(transaction, place);
  // A statement of its own: one that waited for the lock sees roles as they were when it began to wait.
  if (await holdsInSpace(transaction, { ...place, account }, permission)) return space;
  if (await holdsInSpace(transaction, { ...place, account }, 'space.read'))
    throw new PipelineError('pipeline.forbidden');
  throw new MemoriesError('memories.space-not-found');
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
