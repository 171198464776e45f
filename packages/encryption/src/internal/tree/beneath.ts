/** Whether the tree in the database hangs beneath a root. Its number does not tell: another installation counts from 1 as well. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { mismatch, type Tree } from './load-subjects.ts';
import { branchPlace, LEVEL, type WrappedRow } from './tables.ts';
import type { WrappingKey } from './wrapping-key.ts';

/** `root`: of this version of the tree; `undefined` when there is none here. Throws `encryption.tree-mismatch` unless it opens every branch. */
export async function expectBeneath(
  tree: Tree,
  transaction: Transaction,
  version: number,
  root: WrappingKey | undefined,
): Promise<void> {
  const { rows } = await sql<WrappedRow>`
    select id, wrapped, version from key_nodes where level = ${LEVEL.branch}`.execute(transaction);
  for (const branch of rows) {
    const secret = root?.unwrap(branchPlace(branch), branch.wrapped);
    if (secret === undefined) throw mismatch(tree, version);
    secret.fill(0);
  }
}
