import type { Uuid } from '@strongroom/kernel';
import type { OpenedMemory } from './internal/open-space.ts';
import type { MemoryDocument } from './memory-document.ts';

export interface Space {
  readonly id: Uuid;
  /** Null when it does not open. */
  readonly name: string | null;
  /** `owner`, `admin`, `member`, `viewer` or `guest`. */
  readonly role: string;
  /** RFC 3339 UTC. */
  readonly createdAt: string;
}

/** What somebody writes; the rest of the document is filled in. */
export interface MemoryInput {
  readonly text: string;
  readonly title?: string;
  readonly kind?: string;
  readonly tags?: readonly string[];
}

export interface Recalled extends OpenedMemory {
  /** Higher is better; comparable within one answer only. */
  readonly score: number;
}

/** A version that can no longer be read keeps its place in the history. */
export interface OldVersion {
  readonly version: number;
  readonly author: Uuid;
  readonly writtenAt: string;
  readonly document: MemoryDocument | null;
}
