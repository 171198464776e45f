/**
 * Prepares another root beside the present one: every key that stays is wrapped once more beneath its parent's next key. Nothing of this
 * counts before a slot holds the next root, and readers go on with the present one meanwhile.
 */
import { createSecretKey } from 'node:crypto';
import type { Uuid } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { EncryptionError } from '../../errors.ts';
import type { RootKeyring } from '../root-keyring.ts';
import { randomSecret } from '../secret.ts';
import { ensureTree, insertBranch } from './create-subjects.ts';
import type { Lease } from './lease.ts';
import { mismatch, rootFor, type RootState, type Tree } from './load-subjects.ts';
import {
  branchPlace,
  byteStrings,
  FAN_OUT,
  leafPlace,
  LEVEL,
  subjectPlace,
  uuids,
  type LeafRow,
  type WrappedRow,
} from './tables.ts';
import { inOrder, openBytes } from './tree-keys.ts';
import { WrappingKey } from './wrapping-key.ts';

/** Leaves re-keyed in one transaction: some 2,000 wraps, a fraction of a second in which PGlite serves nobody else. */
const LEAVES_AT_ONCE = 16;

export interface StageOptions {
  readonly tree: Tree;
  readonly database: Database;
  readonly lease: Lease;
  /** Whom to erase, with the hash for the ledger. */
  readonly subjects: readonly { readonly id: Uuid; readonly hash: Uint8Array }[];
  readonly next: RootKeyring;
  /** Milliseconds since the epoch, for the ledger. */
  readonly now: number;
}

export interface Staged {
  /** Keys wrapped anew; `undefined` when nobody had a key and so no root has to be replaced. */
  readonly wraps: number | undefined;
}

/** `force`: also when nobody has a key that would have to be erased. */
export async function stage(options: StageOptions, force: boolean): Promise<Staged> {
  const { database, lease } = options;
  const step = <Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> =>
    database.transaction(asSystem, async (transaction) => {
      await lease.renew(transaction);
      return work(transaction);
    });
  const leaves = await step((transaction) => begin(options, transaction, force));
  if (leaves === undefined) return { wraps: undefined };
  const secrets = new Map<Uuid, Uint8Array>();
  try {
    let wraps = 0;
    for (let offset = 0; offset < leaves.length; offset += LEAVES_AT_ONCE) {
      const group = leaves.slice(offset, offset + LEAVES_AT_ONCE);
      wraps += await step((transaction) => stageLeaves(options, transaction, group, secrets));
    }
    wraps += await step((transaction) => stageBranches(options, transaction, leaves, secrets));
    wraps += await step((transaction) => stageRoot(options, transaction, secrets));
    return { wraps };
  } finally {
    for (const secret of secrets.values()) secret.fill(0);
  }
}

/** Marks who goes and freezes the nodes above them. Answers the leaves to re-key, `undefined` when there is nothing to do. */
async function begin(
  { tree, subjects, next, now }: StageOptions,
  transaction: Transaction,
  force: boolean,
): Promise<Uuid[] | undefined> {
  await ensureTree(tree, transaction);
  const { rows } = await sql<RootState>`select version, keyring_revision from key_tree for update`.execute(transaction);
  const { version } = rows[0]!;
  const root = await rootFor(tree, rows[0]!);
  if (root === undefined || next.treeVersion !== version + 1) throw mismatch(tree, version);
  const leaves = await mark(transaction, subjects);
  if (leaves.length === 0 && !force) {
    // No key, so nothing to erase: the ledger keeps it that way.
    await recordInLedger(transaction, version, now);
    return undefined;
  }
  await sql`update key_nodes set frozen = true where id in (
    select id from key_nodes
    where id = any(${uuids(leaves)}) or id in (select parent from key_nodes where id = any(${uuids(leaves)}))
    order by id for no key update)`.execute(transaction);
  const { rows: room } = await sql`
    select 1 from key_nodes where level = ${LEVEL.branch} and not frozen and children < ${FAN_OUT} limit 1`.execute(
    transaction,
  );
  // Who signs up in the meantime finds room beneath it.
  if (room.length === 0) await insertBranch(transaction, root, version, 0);
  await sql`update key_tree set pending_version = ${next.treeVersion}`.execute(transaction);
  return leaves;
}

/**
 * Waits for transactions that are just making keys for these people. Whoever has none gets an empty row, so that nobody makes one
 * before the ledger says no.
 */
async function mark(transaction: Transaction, subjects: StageOptions['subjects']): Promise<Uuid[]> {
  if (subjects.length === 0) return [];
  const hashes = new Map(subjects.map(({ id, hash }) => [id, hash]));
  const ids = inOrder(hashes.keys());
  const { rows } = await sql<{ leaf: Uuid | null }>`
    insert into subject_keys (subject, shred_hash)
    select given.subject, given.hash
    from unnest(${uuids(ids)}, ${byteStrings(ids.map((id) => hashes.get(id)!))}) as given (subject, hash)
    on conflict (subject) do update set shred_hash = excluded.shred_hash
    returning leaf`.execute(transaction);
  return inOrder(rows.flatMap(({ leaf }) => (leaf === null ? [] : [leaf])));
}

/** Everyone marked leaves `subject_keys` for the ledger. */
export async function recordInLedger(transaction: Transaction, version: number, now: number): Promise<void> {
  await sql`
    with gone as (delete from subject_keys where shred_hash is not null returning shred_hash)
    insert into shredded_subjects (hash, version, shredded_at)
    select shred_hash, ${version}::bigint, ${new Date(now)}::timestamptz from gone
    on conflict do nothing`.execute(transaction);
}

async function stageLeaves(
  { tree, next }: StageOptions,
  transaction: Transaction,
  leaves: readonly Uuid[],
  secrets: Map<Uuid, Uint8Array>,
): Promise<number> {
  const root = await presentRoot(tree, transaction);
  const { rows } = await sql<LeafRow & { branch_wrapped: Uint8Array; branch_version: number }>`
    select leaf.id, leaf.parent, leaf.wrapped, leaf.version, branch.wrapped as branch_wrapped, branch.version as branch_version
    from key_nodes as leaf join key_nodes as branch on branch.id = leaf.parent
    where leaf.id = any(${uuids(leaves)})`.execute(transaction);
  const { rows: staying } = await sql<WrappedRow & { leaf: Uuid }>`
    select subject as id, wrapped, version, leaf from subject_keys
    where leaf = any(${uuids(leaves)}) and shred_hash is null`.execute(transaction);
  const before = new Map<Uuid, WrappingKey>();
  const after = new Map<Uuid, WrappingKey>();
  for (const leaf of rows) {
    const branch = { id: leaf.parent, wrapped: leaf.branch_wrapped, version: leaf.branch_version };
    before.set(leaf.id, tree.keys.leaf(root, leaf, branch));
    after.set(leaf.id, new WrappingKey(newSecret(leaf.id, secrets)));
  }
  const wrapped = staying.map(({ id, leaf, wrapped: former, version }) =>
    rewrap(
      [before.get(leaf)!, subjectPlace(id, leaf, version), former],
      [after.get(leaf)!, subjectPlace(id, leaf, next.treeVersion)],
    ),
  );
  await sql`update subject_keys as row set next_wrapped = given.wrapped
    from unnest(${uuids(staying.map(({ id }) => id))}, ${byteStrings(wrapped)}) as given (id, wrapped)
    where row.subject = given.id`.execute(transaction);
  return wrapped.length;
}

async function stageBranches(
  { tree, next }: StageOptions,
  transaction: Transaction,
  leaves: readonly Uuid[],
  secrets: Map<Uuid, Uint8Array>,
): Promise<number> {
  const root = await presentRoot(tree, transaction);
  const { rows: branches } = await sql<WrappedRow>`
    select id, wrapped, version from key_nodes
    where id in (select parent from key_nodes where id = any(${uuids(leaves)}))`.execute(transaction);
  let wraps = 0;
  for (const branch of branches) {
    const { rows: children } = await sql<LeafRow>`
      select id, parent, wrapped, version from key_nodes where parent = ${branch.id}`.execute(transaction);
    const before = tree.keys.branch(root, branch);
    const after = new WrappingKey(newSecret(branch.id, secrets));
    const wrapped = children.map((leaf) => {
      const place = leafPlace({ ...leaf, version: next.treeVersion });
      const secret = secrets.get(leaf.id);
      return secret === undefined
        ? rewrap([before, leafPlace(leaf), leaf.wrapped], [after, place])
        : after.wrap(place, secret);
    });
    await storeNodes(transaction, children, wrapped);
    wraps += wrapped.length;
  }
  return wraps;
}

async function stageRoot(
  { tree, next }: StageOptions,
  transaction: Transaction,
  secrets: ReadonlyMap<Uuid, Uint8Array>,
): Promise<number> {
  const before = await presentRoot(tree, transaction);
  const after = new WrappingKey(next.treeSecret());
  const { rows: branches } = await sql<WrappedRow>`
    select id, wrapped, version from key_nodes where level = ${LEVEL.branch}`.execute(transaction);
  const wrapped = branches.map((branch) => {
    const place = branchPlace({ id: branch.id, version: next.treeVersion });
    const secret = secrets.get(branch.id);
    return secret === undefined
      ? rewrap([before, branchPlace(branch), branch.wrapped], [after, place])
      : after.wrap(place, secret);
  });
  await storeNodes(transaction, branches, wrapped);
  return wrapped.length;
}

async function storeNodes(
  transaction: Transaction,
  nodes: readonly WrappedRow[],
  wrapped: readonly Uint8Array[],
): Promise<void> {
  await sql`update key_nodes as row set next_wrapped = given.wrapped
    from unnest(${uuids(nodes.map(({ id }) => id))}, ${byteStrings(wrapped)}) as given (id, wrapped)
    where row.id = given.id`.execute(transaction);
}

async function presentRoot(tree: Tree, transaction: Transaction): Promise<WrappingKey> {
  const { rows } = await sql<RootState & { pending_version: number | null }>`
    select version, pending_version, keyring_revision from key_tree`.execute(transaction);
  const state = rows[0]!;
  if (state.pending_version === null) throw new EncryptionError('encryption.shred-running');
  const root = await rootFor(tree, state);
  if (root === undefined) throw mismatch(tree, state.version);
  return root;
}

type Place = Parameters<WrappingKey['wrap']>[0];

function rewrap(
  [before, place, wrapped]: readonly [WrappingKey, Place, Uint8Array],
  [after, nextPlace]: readonly [WrappingKey, Place],
): Uint8Array {
  const bytes = openBytes(before, place, wrapped);
  try {
    return after.wrap(nextPlace, bytes);
  } finally {
    bytes.fill(0);
  }
}

/** Kept until it is wrapped itself. A step that is repeated makes another one. */
function newSecret(id: Uuid, secrets: Map<Uuid, Uint8Array>) {
  const secret = randomSecret();
  secrets.get(id)?.fill(0);
  secrets.set(id, secret);
  return createSecretKey(secret);
}
