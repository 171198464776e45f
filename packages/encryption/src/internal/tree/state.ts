/** What the database says about the tree as a whole. In transactions of their own. */
import { asSystem, type Database } from '@strongroom/storage';
import { sql } from 'kysely';
import type { RootState } from './load-subjects.ts';

interface State extends RootState {
  readonly pending_version: number | null;
  readonly acknowledged_version: number;
  /** Somebody is at it. */
  readonly held: boolean;
}

/** `undefined` before the first person. */
export async function readState(database: Database): Promise<State | undefined> {
  return database.transaction(asSystem, async (transaction) => {
    const { rows } = await sql<State>`
      select version, pending_version, acknowledged_version, keyring_revision, coalesce(lease_until > clock_timestamp(), false) as held
      from key_tree`.execute(transaction);
    return rows[0];
  });
}

/** Some blind index was rotated to this key version. */
export async function isIndexVersion(database: Database, version: number): Promise<boolean> {
  return database.transaction(asSystem, async (transaction) => {
    const { rows } = await sql`
      select 1 from blind_index_rotations where ${version} in (live_version, other_version) limit 1`.execute(
      transaction,
    );
    return rows.length > 0;
  });
}
