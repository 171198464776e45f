/** Gives keys to people who have none yet, in the transaction that first needs them. */
import { newUuid, type Uuid } from '@strongroom/kernel';
import { StorageError, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { EncryptionError } from '../../errors.ts';
import { LoadedSubject } from '../loaded-subject.ts';
import { randomSecret, secretKey } from '../secret.ts';
import { mismatch, rootAt, type Tree } from './load-subjects.ts';
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
import type { WrappingKey } from './wrapping-key.ts';

/** Makes keys for those of `subjects` that still have none; answers the new ones. Some other transaction may be first: load again then. */
export async function createSubjects(
  tree: Tree,
  transaction: Transaction,
  subjects: readonly Uuid[],
): Promise<Map<Uuid, LoadedSubject>> {
  await ensureTree(tree, transaction);
  const made = new Map<Uuid, LoadedSubject>();
  for (let next = 0; next < subjects.length;) {
    const room = await takeRoom(tree, transaction, subjects.length - next);
    const group = subjects.slice(next, next + room.places);
    next += room.places;
    const version = tree.root.keyring.treeVersion;
    const secrets = group.map(() => randomSecret());
    const wrapped = group.map((subject, index) =>
      room.key.wrap(subjectPlace(subject, room.leaf, version), secrets[index]!),
    );
    const { rows } = await sql<{ subject: Uuid }>`
      insert into subject_keys (subject, leaf, wrapped, version)
      select given.subject, ${room.leaf}::uuid, given.wrapped, ${version}
      from unnest(${uuids(group)}, ${byteStrings(wrapped)}) as given (subject, wrapped)
      on conflict (subject) do nothing returning subject`.execute(transaction);
    const inserted = new Set(rows.map(({ subject }) => subject));
    for (const [index, subject] of group.entries()) {
      const key = secretKey(secrets[index]!);
      if (inserted.has(subject)) made.set(subject, new LoadedSubject(subject, key));
    }
  }
  return made;
}

/**
 * Throws `encryption.subject-erased` when one of them was erased. To be asked after the insertion: an erasure that began before is waited for
 * there, and one that begins later finds the new row.
 */
export async function refuseErased(transaction: Transaction, hashes: readonly Uint8Array[]): Promise<void> {
  const { rows } = await sql`select 1 from shredded_subjects where hash = any(${byteStrings(hashes)}) limit 1`.execute(
    transaction,
  );
  if (rows.length > 0) throw new EncryptionError('encryption.subject-erased');
}

/** The one row of the tree, made with the first key. */
export async function ensureTree({ root }: Tree, transaction: Transaction): Promise<void> {
  const { treeVersion: version, revision } = root.keyring;
  await sql`insert into key_tree (version, acknowledged_version, keyring_revision)
    values (${version}, ${version}, ${revision}) on conflict do nothing`.execute(transaction);
}

interface Room {
  readonly leaf: Uuid;
  readonly key: WrappingKey;
  readonly places: number;
}

interface Taken {
  readonly id: Uuid;
  readonly before: number;
}

/**
 * Reserves places in a node that is not being re-keyed, up to its fan-out. Nodes that other transactions are filling are
 * passed by, so that nobody waits.
 */
async function takePlaces(transaction: Transaction, level: number, wanted: number): Promise<Taken | undefined> {
  const { rows } = await sql<Taken>`
    with free as (
      select id, children as before from key_nodes
      where level = ${level} and children < ${FAN_OUT} and not frozen
      order by id limit 1 for no key update skip locked)
    update key_nodes as node set children = least(free.before + ${wanted}, ${FAN_OUT})
    from free where node.id = free.id returning node.id, free.before`.execute(transaction);
  return rows[0];
}

async function takeRoom(tree: Tree, transaction: Transaction, wanted: number): Promise<Room> {
  const taken = await takePlaces(transaction, LEVEL.leaf, wanted);
  if (taken === undefined) return newLeaf(tree, transaction, wanted);
  const { root, leaf, branch } = await readLeaf(tree, transaction, taken.id);
  return { leaf: leaf.id, key: tree.keys.leaf(root, leaf, branch), places: Math.min(wanted, FAN_OUT - taken.before) };
}

async function newLeaf(tree: Tree, transaction: Transaction, wanted: number): Promise<Room> {
  const places = Math.min(wanted, FAN_OUT);
  const taken = await takePlaces(transaction, LEVEL.branch, 1);
  const parent = taken?.id ?? (await newBranch(tree, transaction, 1));
  const { root, branch } = await readBranch(tree, transaction, parent);
  const row = { id: newUuid(), parent, version: tree.root.keyring.treeVersion };
  const secret = randomSecret();
  const wrapped = tree.keys.branch(root, branch).wrap(leafPlace(row), secret);
  secret.fill(0);
  await sql`insert into key_nodes (id, parent, level, wrapped, version, children)
    values (${row.id}, ${parent}, ${LEVEL.leaf}, ${wrapped}, ${row.version}, ${places})`.execute(transaction);
  return { leaf: row.id, key: tree.keys.leaf(root, { ...row, wrapped }, branch), places };
}

/**
 * A branch beneath the root. While the root is being replaced there can be none, since it would have to hang beneath two roots; whoever
 * replaces it makes sure that some branch has room meanwhile, and only thousands of new people at once come here.
 */
async function newBranch(tree: Tree, transaction: Transaction, children: number): Promise<Uuid> {
  const { rows } = await sql<{ version: number; pending_version: number | null }>`
    select version, pending_version from key_tree for share`.execute(transaction);
  const [state] = rows;
  if (state === undefined || state.pending_version !== null) throw new StorageError('storage.conflict');
  const root = await rootAt(tree, state.version);
  if (root === undefined) throw mismatch(tree, state.version);
  return insertBranch(transaction, root, state.version, children);
}

export async function insertBranch(
  transaction: Transaction,
  root: WrappingKey,
  version: number,
  children: number,
): Promise<Uuid> {
  const id = newUuid();
  const secret = randomSecret();
  const wrapped = root.wrap(branchPlace({ id, version }), secret);
  secret.fill(0);
  await sql`insert into key_nodes (id, parent, level, wrapped, version, children)
    values (${id}, null, ${LEVEL.branch}, ${wrapped}, ${version}, ${children})`.execute(transaction);
  return id;
}

interface ReadBranch {
  readonly root: WrappingKey;
  readonly branch: WrappedRow;
}

async function readBranch(tree: Tree, transaction: Transaction, id: Uuid): Promise<ReadBranch> {
  const { rows } = await sql<WrappedRow & { tree_version: number }>`
    select tree.version as tree_version, branch.id, branch.wrapped, branch.version
    from key_tree as tree, key_nodes as branch where branch.id = ${id}`.execute(transaction);
  const row = rows[0]!;
  const root = await rootAt(tree, row.tree_version);
  // A moment ago the root moved on: the whole transaction is tried again.
  if (root === undefined) throw new StorageError('storage.conflict');
  return { root, branch: row };
}

async function readLeaf(tree: Tree, transaction: Transaction, id: Uuid): Promise<ReadBranch & { leaf: LeafRow }> {
  const { rows } = await sql<LeafRow & { tree_version: number; branch_wrapped: Uint8Array; branch_version: number }>`
    select tree.version as tree_version, leaf.id, leaf.parent, leaf.wrapped, leaf.version, branch.wrapped as branch_wrapped,
      branch.version as branch_version
    from key_tree as tree, key_nodes as leaf join key_nodes as branch on branch.id = leaf.parent
    where leaf.id = ${id}`.execute(transaction);
  const row = rows[0]!;
  const root = await rootAt(tree, row.tree_version);
  if (root === undefined) throw new StorageError('storage.conflict');
  const branch = { id: row.parent, wrapped: row.branch_wrapped, version: row.branch_version };
  return { root, leaf: row, branch };
}
