import type { Uuid } from '@strongroom/kernel';
import { MemoriesError } from '../errors.ts';

/** Why one write cannot be done: turned into an error of its own, or into a line of a batch's refusal. */
export interface Refusal {
  readonly id: Uuid;
  readonly code: 'memories.not-found' | 'memories.deleted' | 'memories.conflict' | 'memories.stale-epoch';
  readonly currentVersion?: number;
  readonly currentEpoch?: number;
}

/** The error of a refusal; its members tell the client what to compare with. */
export function refused(refusal: Refusal): MemoriesError {
  return new MemoriesError(refusal.code, { members: refusalMembers(refusal) });
}

export function refusalMembers(refusal: Refusal): Readonly<Record<string, number>> {
  return {
    ...(refusal.currentVersion === undefined ? {} : { currentVersion: refusal.currentVersion }),
    ...(refusal.currentEpoch === undefined ? {} : { currentEpoch: refusal.currentEpoch }),
  };
}
