import type { Uuid } from '@strongroom/kernel';

/** `root`: everything. `tenant`: what belongs to this tenant. `column`: one column of one table, in all tenants. */
export type RotationScope =
  | { readonly kind: 'root' }
  | { readonly kind: 'tenant'; readonly tenant: Uuid }
  | { readonly kind: 'column'; readonly table: string; readonly column: string };

export interface RotationReport {
  readonly id: Uuid;
  readonly scope: RotationScope;
  /** Values in the scope are under this version afterwards, or a later one. */
  readonly keyVersion: number;
  /**
   * `running`: values are being written anew. `finishing`: every value was authenticated, former versions are being retired. `failed`: there are
   * values that do not open; they were left as they are, and nothing was retired.
   */
  readonly state: 'running' | 'finishing' | 'complete' | 'failed' | 'cancelled';
  /** Counts the walks through the tables. The last one finds nothing left to rewrite. */
  readonly pass: number;
  /** Rows in this pass, as counted at its beginning, and those seen so far. */
  readonly total: number;
  readonly seen: number;
  /** Values written anew, in all passes. */
  readonly rewritten: number;
  /** Rows that a writer changed between reading and writing; the next pass looks at them again. */
  readonly leftToWriters: number;
  /** In this pass: values that opened under the new version. */
  readonly authenticated: number;
  /** In this pass: values about people who were erased. They open under no version. */
  readonly erased: number;
  /** In this pass: values that do not open though they should, and where the first of them are. */
  readonly damaged: number;
  readonly damagedPlaces: readonly string[];
  /** Key versions under which no value opens any more. */
  readonly retired: readonly number[];
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
  /** Code of what stopped the last attempt to go on, which is repeated. */
  readonly failure: string | null;
}
