/** What `strongroom doctor` finds: one sentence for each thing, with the way out where it is not as it should be. */
import { StrongroomError } from '@strongroom/kernel';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly says: string;
}

/** Bits that let others than the owner in. */
export const OTHERS = 0o077;

export const passed = (name: string, says: string): Check => ({ name, ok: true, says });
export const failed = (name: string, says: string): Check => ({ name, ok: false, says });

/** The sentence of an error of ours; of another one only its code, since its text may quote anything. */
export function reason(error: unknown): string {
  if (error instanceof StrongroomError) return error.message;
  return `It cannot be checked (${codeOf(error)}).`;
}

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
