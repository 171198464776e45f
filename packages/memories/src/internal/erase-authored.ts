import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { advance, lockSpace } from './sequence.ts';
import { tables, type SpacePlace } from './tables.ts';

/**
 * Takes out of a space what one account wrote: memories whose present version is theirs become tombstones, which reach the other members
 * through the change feed; of memories that others changed since, only the account's old versions go.
 */
export async function eraseAuthored(
  transaction: Transaction,
  place: SpacePlace,
  account: Uuid,
  now: number,
): Promise<void> {
  const { tenant, space } = place;
  const { sequence } = await lockSpace(transaction, place);
  const { rows } = await sql<{ id: Uuid }>`
    update memories as memory
    set version = memory.version + 1, sequence = ${sequence} + mine.place, changed_at = ${new Date(now)}, deleted_at = ${new Date(now)}
    from (
      select found.id, row_number() over (order by found.id) as place
      from memories as found
      join memory_versions as current on current.tenant_id = found.tenant_id and current.space_id = found.space_id
        and current.memory_id = found.id and current.version = found.version
      where found.tenant_id = ${tenant} and found.space_id = ${space} and found.deleted_at is null
        and current.author_id = ${account}
    ) as mine
    where memory.tenant_id = ${tenant} and memory.space_id = ${space} and memory.id = mine.id
    returning memory.id`.execute(transaction);
  if (rows.length > 0) {
    await advance(transaction, place, rows.length);
    await sql`
      delete from memory_versions as version using memories as memory
      where version.tenant_id = ${tenant} and version.space_id = ${space} and memory.tenant_id = ${tenant}
        and memory.space_id = ${space} and memory.id = version.memory_id and memory.deleted_at is not null`.execute(
      transaction,
    );
  }
  await tables(transaction)
    .deleteFrom('memory_versions')
    .where('tenant_id', '=', tenant)
    .where('space_id', '=', space)
    .where('author_id', '=', account)
    .execute();
}
