/**
 * Judges a page of the change feed before anything of it is believed. The server cannot read memories, but it could show an old
 * state again, bring a deleted memory back or leave out what it acknowledged; each of these contradicts what this device saw before.
 */
import type { Uuid } from '@strongroom/kernel';
import type { Changes } from '../api.ts';
import { ClientError } from '../errors.ts';

/** Of every memory that the feed showed: its version, and whether it was a tombstone. */
export interface Seen {
  readonly version: number;
  readonly deleted: boolean;
}

/** Throws `client.rolled-back` or `client.bad-answer`. */
export function checkChanges(page: Changes, after: number, seen: ReadonlyMap<Uuid, Seen>): void {
  if (page.sequence < after) throw new ClientError('client.rolled-back');
  let last = after;
  for (const { id, version, sequence } of page.items) {
    if (sequence <= last || sequence > page.sequence) throw bad('sequence');
    last = sequence;
    const before = seen.get(id);
    if (before === undefined) continue;
    if (before.deleted || version <= before.version) throw new ClientError('client.rolled-back');
  }
  // The latest change of a space is always some memory's current state: a last page that ends before it leaves something out.
  if (page.next === null ? last !== page.sequence : page.items.length === 0 || page.next !== String(last)) {
    throw bad('next');
  }
}

const bad = (name: string): ClientError => new ClientError('client.bad-answer', { detail: `Check "${name}".` });
