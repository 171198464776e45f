/** The tree's tables were put back from a copy: from now on they belong to the root that is here. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { dropPrepared, moveIn } from './finish.ts';
import { mismatch, type Tree } from './load-subjects.ts';
import { branchPlace, LEVEL, type WrappedRow } from './tables.ts';

/** `now`: milliseconds since the epoch. Throws `encryption.tree-mismatch` when the tables hang beneath another root. */
export async function realign(tree: Tree, transaction: Transaction, now: number): Promise<void> {
  const { keyring } = tree.root;
  const { rows } = await sql<{ version: number; pending_version: number | null }>`
    update key_tree set keyring_revision = ${keyring.revision}, holder = null, lease_until = null
    returning version, pending_version`.execute(transaction);
  const [state] = rows;
  if (state === undefined) return;
  if (state.pending_version === keyring.treeVersion) await moveIn(transaction, keyring, now);
  else if (state.pending_version !== null) await dropPrepared(transaction);
  await expectBeneath(tree, transaction, state.version);
}

/** A preparation that was given up has the number of the one that came instead, but not its root: only opening tells them apart. */
async function expectBeneath(tree: Tree, transaction: Transaction, version: number): Promise<void> {
  const root = tree.root.treeKey(tree.root.keyring.treeVersion)!;
  const { rows } = await sql<WrappedRow>`
    select id, wrapped, version from key_nodes where level = ${LEVEL.branch}`.execute(transaction);
  for (const branch of rows) {
    const secret = root.unwrap(branchPlace(branch), branch.wrapped);
    if (secret === undefined) throw mismatch(tree, version);
    secret.fill(0);
  }
}
