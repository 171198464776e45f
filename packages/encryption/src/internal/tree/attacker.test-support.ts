/** Somebody who kept every row that ever was, and one root: opens whatever can be opened, in any combination. */
import { createSecretKey } from 'node:crypto';
import type { Uuid } from '@strongroom/kernel';
import { KeySet } from '../field-sealer.ts';
import { LoadedKeys } from '../loaded-keys.ts';
import { LoadedSubject } from '../loaded-subject.ts';
import type { RootKeyring } from '../root-keyring.ts';
import { branchPlace, leafPlace, subjectPlace } from './tables.ts';
import { WrappingKey } from './wrapping-key.ts';

interface KeptRow {
  readonly id: Uuid;
  readonly parent: Uuid | null;
  readonly wrapped: Uint8Array;
  readonly version: number;
}

export interface KeptRows {
  readonly nodes: readonly (KeptRow & { readonly level: number })[];
  readonly subjects: readonly KeptRow[];
  readonly version: number;
}

/** The keys of a person in every state in which they can be reached. */
export function everyReachableSubject(
  keyring: RootKeyring,
  kept: readonly KeptRows[],
): (subject: Uuid) => readonly LoadedKeys[] {
  const keySet = new KeySet(keyring);
  const root = new WrappingKey(keyring.treeSecret());
  const nodes = distinct(kept.flatMap((rows) => rows.nodes));
  const branches = new Map<Uuid, WrappingKey[]>();
  for (const row of nodes.filter(({ level }) => level === 2))
    add(branches, row.id, root.unwrap(branchPlace(row), row.wrapped));
  const leaves = new Map<Uuid, WrappingKey[]>();
  for (const row of nodes.filter(({ level }) => level === 1)) {
    const place = leafPlace({ ...row, parent: row.parent! });
    for (const branch of branches.get(row.parent!) ?? []) add(leaves, row.id, branch.unwrap(place, row.wrapped));
  }
  const subjects = new Map<Uuid, LoadedKeys[]>();
  for (const row of distinct(kept.flatMap((rows) => rows.subjects))) {
    for (const leaf of leaves.get(row.parent!) ?? []) {
      const secret = leaf.unwrap(subjectPlace(row.id, row.parent!, row.version), row.wrapped);
      if (secret === undefined) continue;
      const loaded = new LoadedSubject(row.id, createSecretKey(secret));
      const keys = new LoadedKeys(keySet, new Map([[row.id, loaded]]), [row.id]);
      subjects.set(row.id, [...(subjects.get(row.id) ?? []), keys]);
    }
  }
  return (subject) => subjects.get(subject) ?? [];
}

const distinct = <Row extends KeptRow>(rows: readonly Row[]): Row[] => [
  ...new Map(rows.map((row) => [`${row.id} ${Buffer.from(row.wrapped).toString('hex')}`, row])).values(),
];

function add(found: Map<Uuid, WrappingKey[]>, id: Uuid, secret: Uint8Array | undefined): void {
  if (secret !== undefined) found.set(id, [...(found.get(id) ?? []), new WrappingKey(createSecretKey(secret))]);
}
