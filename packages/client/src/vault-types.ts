import type { Uuid } from '@strongroom/kernel';
import type { OpenedMemory, PendingKey } from './internal/open-space.ts';
import type { MemoryDocument } from './memory-document.ts';

export interface Space {
  readonly id: Uuid;
  /** Null when it does not open. */
  readonly name: string | null;
  /** `owner`, `admin`, `member`, `viewer` or `guest`. */
  readonly role: string;
  /** RFC 3339 UTC. */
  readonly createdAt: string;
  /** A key that somebody shared and that stays closed until their fingerprint was compared: see `Vault.trust`. */
  readonly pending: PendingKey | null;
  /** Somebody left who knows the current key: an owner or admin should call `Vault.rotateSpace`. */
  readonly rotationDue: boolean;
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

/** How this device knows the key of somebody: `accepted` without comparing, `changed` when the server shows another one than before. */
export type Trust = 'self' | 'compared' | 'accepted' | 'unknown' | 'changed';

export interface Person {
  readonly account: Uuid;
  readonly displayName: string | null;
  readonly role: string;
  /** Null when the server shows no usable key. */
  readonly fingerprint: string | null;
  readonly trust: Trust;
}

export interface SpacePerson extends Person {
  /** Epochs of the space's keys that the person holds. */
  readonly epochs: readonly number[];
}
