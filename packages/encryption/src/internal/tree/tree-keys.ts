/**
 * Opens the keys of the tree and remembers them. Nothing is taken from memory on its own word: the caller has just read the row, and a
 * remembered key counts only for exactly the bytes it was unwrapped from. So a key that was erased, or whose transaction was rolled back,
 * is gone the moment its row is.
 */
import type { KeyObject } from 'node:crypto';
import { equalBytes, type Uuid } from '@strongroom/kernel';
import { EncryptionError } from '../../errors.ts';
import { GenerationalCache } from '../generational-cache.ts';
import { LoadedSubject } from '../loaded-subject.ts';
import { secretKey } from '../secret.ts';
import { branchPlace, leafPlace, subjectPlace, type LeafRow, type WrappedRow } from './tables.ts';
import { WrappingKey, type WrapPlace } from './wrapping-key.ts';

/** People whose keys are kept, per cache generation; at most twice as many in all. With column keys about 2 KB each. */
const SUBJECTS_PER_GENERATION = 4096;
/** A leaf and its branch for each of them at the worst. */
const NODES_PER_GENERATION = 4096;

interface Remembered<Value> {
  readonly wrapped: Uint8Array;
  readonly value: Value;
}

export interface SubjectRow extends WrappedRow {
  readonly leaf: LeafRow;
  readonly branch: WrappedRow;
}

export class TreeKeys {
  #subjects = new GenerationalCache<Remembered<LoadedSubject>>(SUBJECTS_PER_GENERATION);
  #nodes = new GenerationalCache<Remembered<WrappingKey>>(NODES_PER_GENERATION);

  subject(root: WrappingKey, row: SubjectRow): LoadedSubject {
    const known = this.#subjects.get(row.id);
    if (known !== undefined && equalBytes(known.wrapped, row.wrapped)) return known.value;
    const leaf = this.leaf(root, row.leaf, row.branch);
    const value = new LoadedSubject(
      row.id,
      openSecret(leaf, subjectPlace(row.id, row.leaf.id, row.version), row.wrapped),
    );
    this.#subjects.set(row.id, { wrapped: row.wrapped, value });
    return value;
  }

  leaf(root: WrappingKey, leaf: LeafRow, branch: WrappedRow): WrappingKey {
    return this.#node(leaf, () => openSecret(this.branch(root, branch), leafPlace(leaf), leaf.wrapped));
  }

  branch(root: WrappingKey, branch: WrappedRow): WrappingKey {
    return this.#node(branch, () => openSecret(root, branchPlace(branch), branch.wrapped));
  }

  #node(row: WrappedRow, open: () => KeyObject): WrappingKey {
    const known = this.#nodes.get(row.id);
    if (known !== undefined && equalBytes(known.wrapped, row.wrapped)) return known.value;
    const value = new WrappingKey(open());
    this.#nodes.set(row.id, { wrapped: row.wrapped, value });
    return value;
  }

  /** So that keys which were erased do not stay in memory. */
  forget(): void {
    this.#subjects = new GenerationalCache(SUBJECTS_PER_GENERATION);
    this.#nodes = new GenerationalCache(NODES_PER_GENERATION);
  }
}

/** The bytes of a wrapped key; the caller wipes them. Throws `encryption.tree-damaged`. */
export function openBytes(parent: WrappingKey, place: WrapPlace, wrapped: Uint8Array): Uint8Array {
  const bytes = parent.unwrap(place, wrapped);
  if (bytes === undefined) throw new EncryptionError('encryption.tree-damaged', { detail: `It is a ${place.kind}.` });
  return bytes;
}

const openSecret = (parent: WrappingKey, place: WrapPlace, wrapped: Uint8Array): KeyObject =>
  secretKey(openBytes(parent, place, wrapped));

/** Ids in one order, so that two transactions wait for each other instead of blocking each other. */
export const inOrder = (ids: Iterable<Uuid>): Uuid[] => [...new Set(ids)].toSorted();
