/** Reads people's keys: one statement, whatever is remembered. */
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { EncryptionError } from '../../errors.ts';
import type { LoadedSubject } from '../loaded-subject.ts';
import type { Root } from '../root.ts';
import { uuids } from './tables.ts';
import type { TreeKeys } from './tree-keys.ts';
import type { WrappingKey } from './wrapping-key.ts';

/** The key tree of one installation, as this process sees it. */
export interface Tree {
  readonly root: Root;
  readonly keys: TreeKeys;
}

/** What the tree's one row says about the root. */
export interface RootState {
  readonly version: number;
  /** Of the keyring that was stored last, by whichever process. */
  readonly keyring_revision: number;
}

interface Row {
  readonly tree_version: number;
  readonly keyring_revision: number;
  readonly subject: Uuid | null;
  readonly wrapped: Uint8Array;
  readonly version: number;
  readonly leaf: Uuid;
  readonly leaf_wrapped: Uint8Array;
  readonly leaf_version: number;
  readonly branch: Uuid;
  readonly branch_wrapped: Uint8Array;
  readonly branch_version: number;
}

/** How often the rows are read when the root moves on meanwhile. */
const ATTEMPTS = 3;

/**
 * Those of `subjects` that have a key. Throws `encryption.root-outdated` when this process's slots hold a copy from before the root was replaced,
 * `encryption.tree-mismatch` when the database is at a version of the tree whose root this process cannot get, `encryption.tree-damaged` when a
 * row was tampered with.
 */
export async function loadSubjects(
  tree: Tree,
  transaction: Transaction,
  subjects: readonly Uuid[],
): Promise<Map<Uuid, LoadedSubject>> {
  for (let attempt = 1; ; attempt += 1) {
    const { rows } = await sql<Row>`
      select tree.version as tree_version, tree.keyring_revision, found.subject, found.wrapped, found.version, leaf.id as leaf, leaf.wrapped as leaf_wrapped,
        leaf.version as leaf_version, branch.id as branch, branch.wrapped as branch_wrapped, branch.version as branch_version
      from key_tree as tree
      left join (subject_keys as found
        join key_nodes as leaf on leaf.id = found.leaf
        join key_nodes as branch on branch.id = leaf.parent)
        on found.subject = any(${uuids(subjects)})`.execute(transaction);
    const [first] = rows;
    if (first === undefined) return new Map();
    const root = await rootFor(tree, { version: first.tree_version, keyring_revision: first.keyring_revision });
    if (root !== undefined)
      return new Map(rows.flatMap((row) => (row.subject === null ? [] : [open(tree, root, row)])));
    if (attempt === ATTEMPTS) throw mismatch(tree, first.tree_version);
  }
}

function open(tree: Tree, root: WrappingKey, row: Row): [Uuid, LoadedSubject] {
  const branch = { id: row.branch, wrapped: row.branch_wrapped, version: row.branch_version };
  const leaf = { id: row.leaf, parent: row.branch, wrapped: row.leaf_wrapped, version: row.leaf_version };
  const id = row.subject!;
  return [id, tree.keys.subject(root, { id, wrapped: row.wrapped, version: row.version, leaf, branch })];
}

/**
 * The root of this version; read from the slots when it is not in memory, which on PostgreSQL happens once after another
 * process replaced it. On PGlite the only process is the one that replaces it.
 */
export async function rootAt({ root, keys }: Tree, version: number): Promise<WrappingKey | undefined> {
  const known = root.treeKey(version);
  if (known !== undefined) {
    // Another process is through with an erasure: what was erased must not stay in this one's memory.
    if (root.settle(version)) keys.forget();
    return known;
  }
  await root.reload();
  return root.treeKey(version);
}

/**
 * Like `rootAt`, after making sure that this process knows the keyring that was stored last: other processes learn here of a new key version and of
 * one that is no longer written under. Throws `encryption.root-outdated`.
 */
export async function rootFor(tree: Tree, state: RootState): Promise<WrappingKey | undefined> {
  const { root } = tree;
  if (root.keyring.revision < state.keyring_revision) {
    await root.reload();
    refuseOutdated(root, state);
  }
  return rootAt(tree, state.version);
}

/** Somebody stored the root in another place than this process's slots: what they hold is a copy from before. */
export function refuseOutdated(root: Root, { keyring_revision: revision }: RootState): void {
  const held = root.keyring.revision;
  if (held >= revision) return;
  throw new EncryptionError('encryption.root-outdated', {
    detail: `It is revision ${held}, the database is at ${revision}. Slots: ${root.slots.map(({ name }) => name).join(', ')}.`,
  });
}

export const mismatch = ({ root }: Tree, version: number): EncryptionError =>
  new EncryptionError('encryption.tree-mismatch', {
    detail: `The tree is at version ${version}, the root at ${root.keyring.treeVersion}.`,
  });
