/**
 * Deleting with a way back. The server forgets a deleted memory for good, so the delete is not sent until a few seconds have passed
 * without an undo. What waits is hidden everywhere; locking and closing the page send it at once; a crash leaves the memory alone.
 */
import type { Uuid } from '@strongroom/kernel';
import { createStore, type Store } from './store.ts';

export interface PendingDeletion {
  readonly space: Uuid;
  readonly id: Uuid;
  readonly version: number;
  readonly heading: string;
}

/** Milliseconds to change one's mind. */
export const GRACE = 8_000;

export interface PendingDeletionsOptions {
  /** Deletes on the server. */
  readonly remove: (deletion: PendingDeletion) => Promise<void>;
  /** Deletes while the page goes away: must not need the worker, and nobody reads the answer. */
  readonly removeLater: (deletion: PendingDeletion) => void;
  readonly onRemoved: (deletion: PendingDeletion) => void;
  /** It is there still, and shown again. */
  readonly onFailed: (deletion: PendingDeletion, error: unknown) => void;
  readonly grace?: number;
}

export interface PendingDeletions {
  /** Ids that are hidden. */
  readonly hidden: Store<ReadonlySet<Uuid>>;
  start(deletion: PendingDeletion): void;
  /** False when it was too late. */
  undo(id: Uuid): boolean;
  /** Sends everything that waits now, and resolves when it is done or has failed. */
  flush(): Promise<void>;
  /** For the page's last moment. */
  flushLater(): void;
}

export function createPendingDeletions(options: PendingDeletionsOptions): PendingDeletions {
  const { remove, removeLater, onRemoved, onFailed, grace = GRACE } = options;
  const hidden = createStore<ReadonlySet<Uuid>>(new Set());
  const waiting = new Map<
    Uuid,
    { readonly deletion: PendingDeletion; readonly timer: ReturnType<typeof setTimeout> }
  >();
  /** Sent, not answered. */
  const underWay = new Set<Promise<void>>();

  const show = (id: Uuid): void => hidden.set(new Set([...hidden.get()].filter((other) => other !== id)));

  function take(id: Uuid): PendingDeletion | null {
    const found = waiting.get(id);
    if (found === undefined) return null;
    clearTimeout(found.timer);
    waiting.delete(id);
    return found.deletion;
  }

  function send(id: Uuid): void {
    const deletion = take(id);
    if (deletion === null) return;
    const sending = remove(deletion)
      .then(
        () => onRemoved(deletion),
        (error: unknown) => onFailed(deletion, error),
      )
      .finally(() => {
        show(id);
        underWay.delete(sending);
      });
    underWay.add(sending);
  }

  return {
    hidden,
    start(deletion) {
      const { id } = deletion;
      if (waiting.has(id)) return;
      hidden.set(new Set([...hidden.get(), id]));
      waiting.set(id, { deletion, timer: setTimeout(() => send(id), grace) });
    },
    undo(id) {
      if (take(id) === null) return false;
      show(id);
      return true;
    },
    async flush() {
      for (const id of waiting.keys()) send(id);
      await Promise.all(underWay);
    },
    flushLater() {
      for (const id of waiting.keys()) {
        const deletion = take(id);
        if (deletion !== null) removeLater(deletion);
      }
    },
  };
}
