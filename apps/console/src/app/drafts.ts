/**
 * What somebody is writing and has not saved. It outlives changes of page and the lock, in this page's memory only: losing it would be
 * worse than keeping what the person at this keyboard typed. Signing out drops it.
 */
import type { Uuid } from '@strongroom/kernel';

export interface Draft {
  readonly title: string;
  readonly text: string;
  readonly kind: string;
  readonly tags: string;
  /** The version that was on the screen when the writing began; 0 for a new memory. */
  readonly baseVersion: number;
}

const drafts = new Map<string, Draft>();

const keyOf = (space: Uuid, memory: Uuid | null): string => `${space}/${memory ?? 'new'}`;

export const readDraft = (space: Uuid, memory: Uuid | null): Draft | null => drafts.get(keyOf(space, memory)) ?? null;

export function keepDraft(space: Uuid, memory: Uuid | null, draft: Draft): void {
  drafts.set(keyOf(space, memory), draft);
}

export function dropDraft(space: Uuid, memory: Uuid | null): void {
  drafts.delete(keyOf(space, memory));
}

export const hasDrafts = (): boolean => drafts.size > 0;

export const dropAllDrafts = (): void => drafts.clear();
