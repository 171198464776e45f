/** The tree's tables were put back from a copy: from now on they belong to the root that is here. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { expectBeneath } from './beneath.ts';
import { dropPrepared, moveIn } from './finish.ts';
import type { Tree } from './load-subjects.ts';

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
  // A preparation that was given up has the number of the one that came instead, but not its root: only opening tells them apart.
  await expectBeneath(tree, transaction, state.version, tree.root.treeKey(keyring.treeVersion));
}
