/** What the phase of a column migration means for readers and writers. */
import { EncryptionError } from '../../errors.ts';
import type { DeclaredColumn } from './declaration.ts';

/** In this order. Until `verified` plaintext counts and there is a way back to `declared`; from `cut-over` on only what is sealed counts. */
export const migrationPhases = [
  'declared',
  'dual-writing',
  'backfilling',
  'verifying',
  'verified',
  'cut-over',
  'dropping',
  'dropped',
] as const;

export type MigrationPhase = (typeof migrationPhases)[number];

const CUT_OVER = migrationPhases.indexOf('cut-over');

/** Plaintext is read and written. */
export const plaintextCounts = (phase: MigrationPhase): boolean => migrationPhases.indexOf(phase) < CUT_OVER;
export const writesSealed = (phase: MigrationPhase): boolean => phase !== 'declared';

/** Phases by column, for one transaction. */
export interface Phases {
  readonly phases: ReadonlyMap<string, MigrationPhase>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * The phase of a column that is being encrypted. Throws `encryption.phase-unknown` when it was not read in this transaction,
 * `encryption.migration-expired` when plaintext would count although the last day for that has passed.
 */
export function phaseOf(
  table: string,
  { name, plaintextUntil = 0 }: DeclaredColumn,
  at: Phases | undefined,
): MigrationPhase {
  const phase = at?.phases.get(name);
  if (at === undefined || phase === undefined) {
    throw new EncryptionError('encryption.phase-unknown', { detail: `It is ${table}.${name}.` });
  }
  if (plaintextCounts(phase) && at.now >= plaintextUntil) {
    const day = new Date(plaintextUntil - 1).toISOString().slice(0, 10);
    throw new EncryptionError('encryption.migration-expired', {
      detail: `It is ${table}.${name} in phase "${phase}"; the last day was ${day}.`,
    });
  }
  return phase;
}
