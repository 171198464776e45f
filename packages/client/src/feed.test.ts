import { newUuid, type Uuid } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import type { Changes } from './api.ts';
import { checkChanges, type Seen } from './internal/feed.ts';

const [a, b, c] = [newUuid(), newUuid(), newUuid()];

const change = (id: Uuid, version: number, sequence: number, deleted = false): Changes['items'][number] => ({
  id,
  version,
  epoch: 1,
  token: deleted ? null : 'gAAAAA',
  author: deleted ? null : a,
  deleted,
  sequence,
  changedAt: '2026-11-22T10:00:00.000Z',
});
const page = (items: Changes['items'], sequence: number, next: string | null = null): Changes => ({
  items,
  next,
  sequence,
});
/** After change 5: a in version 2, b deleted in version 3. */
const seen = new Map<Uuid, Seen>([
  [a, { version: 2, deleted: false }],
  [b, { version: 3, deleted: true }],
]);
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a page of the change feed', () => {
  it.each<[string, Changes]>([
    ['nothing new', page([], 5)],
    ['a new version and a new memory', page([change(a, 3, 6), change(c, 1, 7)], 7)],
    ['skipped versions, since only the current one is shown', page([change(a, 9, 12)], 12)],
    ['a deletion', page([change(a, 3, 6, true)], 6)],
    ['more to come', page([change(a, 3, 6)], 9, '6')],
  ])('is taken with %s', (_name, changes) => {
    expect(() => checkChanges(changes, 5, seen)).not.toThrow();
  });

  it.each<[string, Changes]>([
    ['an older state of the space', page([], 4)],
    ['an older version as a new change', page([change(a, 1, 6)], 6)],
    ['the same version as a new change', page([change(a, 2, 6)], 6)],
    ['a deleted memory that is back', page([change(b, 4, 6)], 6)],
    ['a memory deleted again', page([change(b, 4, 6, true)], 6)],
  ])('shows a rollback with %s', (_name, changes) => {
    expect(() => checkChanges(changes, 5, seen)).toThrowError(code('client.rolled-back'));
  });

  it.each<[string, Changes]>([
    ['changes out of order', page([change(a, 3, 7), change(c, 1, 6)], 7)],
    ['one place twice', page([change(a, 3, 6), change(c, 1, 6)], 6)],
    ['a change from before', page([change(a, 3, 5)], 5)],
    ['a change beyond the end', page([change(a, 3, 8)], 7)],
    ['an end that leaves something out', page([change(a, 3, 6)], 7)],
    ['an empty end that leaves something out', page([], 7)],
    ['an empty page that goes on', page([], 7, '5')],
    ['a next that skips', page([change(a, 3, 6)], 9, '8')],
  ])('is a bad answer with %s', (_name, changes) => {
    expect(() => checkChanges(changes, 5, seen)).toThrowError(code('client.bad-answer'));
  });
});
