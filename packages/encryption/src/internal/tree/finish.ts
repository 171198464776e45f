/** How a prepared root comes to count, or is dropped. */
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { RootKeyring } from '../root-keyring.ts';
import { expectBeneath } from './beneath.ts';
import type { Lease } from './lease.ts';
import type { RootState, Tree } from './load-subjects.ts';
import { recordInLedger } from './stage.ts';

/**
 * A slot holds this keyring, whose root is the pending one: the tree moves to it, in one transaction. May be called by anyone and again: only the first
 * call does something. `now`: milliseconds since the epoch. Throws `encryption.tree-mismatch`, and nothing has moved, when what was prepared does not
 * hang beneath that root: then the slot holds another installation's, which has the same number by chance.
 */
export async function moveTo(tree: Tree, database: Database, keyring: RootKeyring, now: number): Promise<void> {
  await database.transaction(asSystem, async (transaction) => {
    await moveIn(transaction, keyring, now);
    const { rows } = await sql<RootState>`select version, keyring_revision from key_tree`.execute(transaction);
    const { version } = rows[0]!;
    // Somebody else has moved it on already.
    if (version !== keyring.treeVersion) return;
    await expectBeneath(tree, transaction, version, tree.root.treeKey(version));
  });
}

/** `moveTo` in a transaction of the caller's. */
export async function moveIn(
  transaction: Transaction,
  { treeVersion: pending, revision }: Pick<RootKeyring, 'treeVersion' | 'revision'>,
  now: number,
): Promise<void> {
  const { rows } = await sql`
    update key_tree set version = pending_version, pending_version = null,
        keyring_revision = greatest(keyring_revision, ${revision})
      where pending_version = ${pending} returning 1`.execute(transaction);
  if (rows.length === 0) return;
  await recordInLedger(transaction, pending, now);
  await sql`update subject_keys set wrapped = next_wrapped, version = ${pending}, next_wrapped = null
    where next_wrapped is not null`.execute(transaction);
  await sql`update key_nodes set wrapped = next_wrapped, version = ${pending}, next_wrapped = null
    where next_wrapped is not null`.execute(transaction);
  await sql`update key_nodes as node set frozen = false, children = case level
      when 1 then (select count(*) from subject_keys where leaf = node.id)
      else (select count(*) from key_nodes as child where child.parent = node.id) end
    where frozen`.execute(transaction);
}

/**
 * A slot holds the keyring of this revision: from here on no process works with an older one. After the store, never before: a revision that is in
 * no slot would lock everybody out.
 */
export async function raiseRevision(database: Database, revision: number): Promise<void> {
  await database.transaction(asSystem, async (transaction) => {
    await sql`update key_tree set keyring_revision = ${revision} where keyring_revision < ${revision}`.execute(
      transaction,
    );
  });
}

/** No slot holds the prepared root, and none can get it any more: nobody was erased. */
export async function discard(database: Database, lease: Lease): Promise<void> {
  await database.transaction(asSystem, async (transaction) => {
    await lease.renew(transaction);
    await dropPrepared(transaction);
  });
}

/** `discard` in a transaction of the caller's, who knows that nobody is at it. */
export async function dropPrepared(transaction: Transaction): Promise<void> {
  await sql`update key_tree set pending_version = null`.execute(transaction);
  await sql`delete from subject_keys where shred_hash is not null and leaf is null`.execute(transaction);
  await sql`update subject_keys set shred_hash = null where shred_hash is not null`.execute(transaction);
  await sql`update subject_keys set next_wrapped = null where next_wrapped is not null`.execute(transaction);
  await sql`update key_nodes set next_wrapped = null, frozen = false where next_wrapped is not null or frozen`.execute(
    transaction,
  );
}

/** Every slot holds the root of `version`, and nothing else any more. */
export async function acknowledge(database: Database, version: number): Promise<void> {
  await database.transaction(asSystem, async (transaction) => {
    await sql`update key_tree set acknowledged_version = ${version}
      where version = ${version} and pending_version is null`.execute(transaction);
  });
}
