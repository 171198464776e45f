/** What the key tree's operations take and tell. */
import type { Erasure } from './root-slot.ts';

export interface SlotReport {
  readonly name: string;
  readonly erasure: Erasure;
  /** It holds the present root and nothing else. */
  readonly acknowledged: boolean;
  /** Code of what went wrong with it. */
  readonly failure?: string;
}

export interface ShredReport {
  /** People who are in the ledger now and were not before. */
  readonly shredded: number;
  /** People who had been erased already. */
  readonly already: number;
  /** Replacements of the root. */
  readonly rootOperations: number;
  /** Keys that were wrapped anew. */
  readonly wraps: number;
  /** Every slot acknowledged. While false, a copy of the former root may be left in a slot; `recover` goes on trying. */
  readonly complete: boolean;
  /** False when a slot cannot erase: then whoever kept a copy of what it held can still read. */
  readonly erased: boolean;
  readonly slots: readonly SlotReport[];
}

export interface RotateReport {
  readonly keyVersion: number;
  readonly wraps: number;
  readonly complete: boolean;
  readonly slots: readonly SlotReport[];
}

export interface KeyProgress {
  readonly step: 'prepared' | 'replaced' | 'moved';
  readonly done: number;
  readonly total: number;
}

export interface KeyOptions {
  readonly progress?: ((progress: KeyProgress) => void) | undefined;
  /** Stops between two batches; what is done stays done, and the same call goes on later. */
  readonly signal?: AbortSignal | undefined;
}

export interface RotateOptions extends KeyOptions {
  /** How long other processes get to read the new version before values are written under it. Milliseconds; 5,000 on PostgreSQL, else none. */
  readonly settle?: number | undefined;
}

/**
 * Told of every replacement of the root when it is prepared and before any slot takes it. The tables of the tree open then beneath the root of `version`
 * and beneath that of `next`, so a copy made now is good for both. When it rejects, nothing is replaced.
 */
export type BeforeReplacing = (replacement: { readonly version: number; readonly next: number }) => Promise<void>;

/** Where the key tree is, as the database says. */
export interface TreeState {
  /** Counts the roots it has had. */
  readonly version: number;
  /** Another root is prepared, and nobody knows from the database alone whether a slot has it. */
  readonly isReplacing: boolean;
  /** Every slot holds the root of this version and nothing else. */
  readonly isComplete: boolean;
}

export interface KeyStatus {
  readonly keyVersion: number;
  readonly lookupVersion: number;
  /** Counts the states of the keyring; the same in every slot that has acknowledged. */
  readonly revision: number;
  readonly versions: readonly {
    readonly version: number;
    readonly createdAt: number;
    /** Retired: only blind indexes and keyed hashes still need it. */
    readonly isLookupOnly: boolean;
  }[];
  readonly tree: {
    readonly version: number;
    /** Not yet acknowledged by every slot, or in the middle of a replacement. */
    readonly complete: boolean;
    readonly subjects: number;
    readonly nodes: number;
    readonly shredded: number;
    /** People whose erasure has begun and is not complete. */
    readonly shredding: number;
  };
  readonly slots: readonly SlotReport[];
}
