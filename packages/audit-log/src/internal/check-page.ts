/** One page of entries as it comes from the database, checked; and the form in which the result goes from one thread to another. */
import { checkEntry } from '../check-entry.ts';
import type { CheckedEntry, EntryRemark, EntryState } from '../log-source.ts';
import { HASH_LENGTH } from '../merkle.ts';
import type { ReadingKeys } from './opening-keys.ts';
import { type StoredEntry, withOpenings } from './read-events.ts';

export const checkPage = (stored: readonly StoredEntry[], keys: ReadingKeys): CheckedEntry[] =>
  withOpenings(stored, keys).map(checkEntry);

/** Thousands of entries as a few arrays: copying objects from thread to thread would cost as much as checking them. */
export interface PackedEntries {
  readonly indexes: Float64Array<ArrayBuffer>;
  /** Places in `STATES`. */
  readonly states: Uint8Array<ArrayBuffer>;
  /** 32 bytes each. */
  readonly leafHashes: Uint8Array<ArrayBuffer>;
  readonly computed: Uint8Array<ArrayBuffer>;
  /** What is not of the usual form, by position. */
  readonly unusual: readonly (readonly [position: number, entry: Unusual])[];
}

type Unusual = Pick<CheckedEntry, 'leafHash' | 'computed' | 'remark'>;

const STATES: readonly EntryState[] = ['event', 'missing', 'removed', 'withheld', 'foreign'];

export function packEntries(entries: readonly CheckedEntry[]): PackedEntries {
  const packed: PackedEntries = {
    indexes: new Float64Array(entries.length),
    states: new Uint8Array(entries.length),
    leafHashes: new Uint8Array(entries.length * HASH_LENGTH),
    computed: new Uint8Array(entries.length * HASH_LENGTH),
    unusual: entries.flatMap(({ leafHash, computed, remark }, position) =>
      isUsual(leafHash, computed, remark) ? [] : [[position, { leafHash: leafHash.slice(), computed, remark }]],
    ),
  };
  for (const [position, { index, state, leafHash, computed }] of entries.entries()) {
    packed.indexes[position] = index;
    packed.states[position] = STATES.indexOf(state);
    if (leafHash.length === HASH_LENGTH) packed.leafHashes.set(leafHash, position * HASH_LENGTH);
    if (computed !== null) packed.computed.set(computed, position * HASH_LENGTH);
  }
  return packed;
}

const isUsual = (leafHash: Uint8Array, computed: Uint8Array | null, remark: EntryRemark | null): boolean =>
  leafHash.length === HASH_LENGTH && computed !== null && remark === null;

export function unpackEntries({ indexes, states, leafHashes, computed, unusual }: PackedEntries): CheckedEntry[] {
  const others = new Map(unusual);
  return Array.from(indexes, (index, position) => {
    const start = position * HASH_LENGTH;
    return {
      index,
      state: STATES[states[position]!]!,
      ...(others.get(position) ?? {
        leafHash: leafHashes.subarray(start, start + HASH_LENGTH),
        computed: computed.subarray(start, start + HASH_LENGTH),
        remark: null,
      }),
    };
  });
}

/** What a thread is told: first a page as `storedEntries` takes it, and when it has answered with the people whose keys are needed, these keys. */
export type ToThread = { readonly page: string } | { readonly keys: ReadingKeys };

export type FromThread = { readonly people: readonly string[] } | { readonly entries: PackedEntries };
