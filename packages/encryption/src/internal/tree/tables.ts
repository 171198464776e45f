/** The key tree's tables. Statements are written out as SQL: most of them touch many rows at once. */
import type { Uuid } from '@strongroom/kernel';
import { sql, type RawBuilder } from 'kysely';
import type { WrapPlace } from './wrapping-key.ts';

/** Keys beneath one node. Three levels of 128 (root, branches, leaves) hold 1,000,000 people with 62 branches: at most 62 + 128 + 127 wraps for one erasure. */
export const FAN_OUT = 128;

/** Levels as stored: a branch hangs beneath the root, a leaf beneath a branch, people beneath leaves. */
export const LEVEL = { leaf: 1, branch: 2 } as const;

export interface WrappedRow {
  readonly id: Uuid;
  readonly wrapped: Uint8Array;
  readonly version: number;
}

export interface LeafRow extends WrappedRow {
  readonly parent: Uuid;
}

export const branchPlace = ({ id, version }: Pick<WrappedRow, 'id' | 'version'>): WrapPlace => ({
  kind: 'branch',
  id,
  parent: null,
  version,
});

export const leafPlace = ({ id, parent, version }: Pick<LeafRow, 'id' | 'parent' | 'version'>): WrapPlace => ({
  kind: 'leaf',
  id,
  parent,
  version,
});

export const subjectPlace = (subject: Uuid, leaf: Uuid, version: number): WrapPlace => ({
  kind: 'subject',
  id: subject,
  parent: leaf,
  version,
});

export const uuids = (ids: readonly Uuid[]): RawBuilder<unknown> => sql`${ids}::uuid[]`;
export const byteStrings = (values: readonly Uint8Array[]): RawBuilder<unknown> => sql`${values}::bytea[]`;
