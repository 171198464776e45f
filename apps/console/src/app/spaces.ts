/** Reading spaces and their memories through the worker, kept fresh by what happens here and elsewhere. */
import { useQuery } from '@tanstack/react-query';
import type { OpenedMemory, Space } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { useEffect } from 'react';
import { useMessages } from '../messages/messages.ts';
import type { Row } from '../vault/protocol.ts';
import { lookAtSpaces } from './follow-spaces.ts';
import { lookAgain } from './look-again.ts';
import { createStore, useStore } from './store.ts';
import { VaultError } from './vault-connection.ts';
import { isUnreachable, onTabMessage, queries, reachable, refreshSpace, vault, vaultWithProgress } from './session.ts';

/** Memories of a space that have been opened so far; null when it is not being opened. */
const openedSoFar = createStore<number | null>(null);
/** Memories of the last synced space that do not open. */
const unreadableCount = createStore(0);

export const useSpaces = () => useQuery({ queryKey: ['spaces'], queryFn: readSpaces });

/** Milliseconds until the server is asked for what this device has shown already: first results come first. */
const ASK_LATER = 300;

/** First what this device keeps, then, soon, what the server says. */
async function readSpaces(): Promise<readonly Space[]> {
  const known = queries.getQueryData<readonly Space[]>(['spaces']);
  const kept = known === undefined ? await vault('keptSpaces') : [];
  if (kept.length > 0) {
    askLater(['spaces']);
    return kept;
  }
  try {
    return await lookAtSpaces();
  } catch (error) {
    if (known === undefined || !isUnreachable(error)) throw error;
    return known;
  }
}

/** Spaces that are shown as this device keeps them: the server was not asked yet what changed. */
const notAsked = new Set<Uuid>();

function askLater(queryKey: readonly string[]): void {
  setTimeout(() => void queries.invalidateQueries({ queryKey }), ASK_LATER);
}

/**
 * Opens a space: first what this device keeps, then, soon, what changed since. Without a server the first part is shown, if there is one.
 */
async function openRows(space: Uuid): Promise<readonly Row[]> {
  const shown = queries.getQueryData<readonly Row[]>(['rows', space]);
  if (shown === undefined && (await vault('openKept', space)) > 0) {
    notAsked.add(space);
    askLater(['rows', space]);
    return vault('rows', space);
  }
  const onProgress = async ({ done }: { done: number }): Promise<void> => {
    if (done === 0) return;
    openedSoFar.set(done);
    const known = queries.getQueryData<readonly Row[]>(['rows', space])?.length ?? 0;
    // Early rows so that reading can begin; not each time, since every look sorts them all.
    if (known === 0 || done > known * 2) queries.setQueryData(['rows', space], await vault('rows', space));
  };
  try {
    const result = await vaultWithProgress(
      (progress) => void onProgress(progress).catch(() => undefined),
      'sync',
      space,
    );
    unreadableCount.set(result.unreadable);
    notAsked.delete(space);
    if (shown !== undefined) {
      if (result.changed + result.removed === 0) return shown;
      void queries.invalidateQueries({ queryKey: ['memory', space] });
      void queries.invalidateQueries({ queryKey: ['search', space] });
    }
  } catch (error) {
    if (!isUnreachable(error)) throw error;
  } finally {
    openedSoFar.set(null);
  }
  return vault('rows', space);
}

export const useRows = (space: Uuid) => useQuery({ queryKey: ['rows', space], queryFn: () => openRows(space) });

/** Milliseconds between two looks for what others wrote, at first; a tab that changed something tells at once. */
const LOOK_EVERY = 60_000;

/** Follows the space while somebody looks at it. */
export function useFollow(space: Uuid): void {
  useEffect(() => {
    // The strip at the top says that the server is away; what is wrong with the space itself, the next visit says.
    const look = async (): Promise<boolean> => {
      if (queries.getQueryState(['rows', space])?.status !== 'success') return false;
      const { changed, removed, unreadable } = await vault('sync', space);
      unreadableCount.set(unreadable);
      if (changed + removed === 0) return false;
      await refreshSpace(space);
      return true;
    };
    const watch = lookAgain({ shortest: LOOK_EVERY, look, reachable: reachable.get });
    onTabMessage.changed = (changed) => {
      if (changed === space) watch.now();
    };
    return () => {
      watch.stop();
      onTabMessage.changed = () => undefined;
    };
  }, [space]);
}

async function readMemory(space: Uuid, id: Uuid): Promise<OpenedMemory> {
  try {
    return await vault('memory', space, id);
  } catch (error) {
    const unknown = error instanceof VaultError && error.code === 'client.unknown-memory';
    if (!unknown || !notAsked.has(space)) throw error;
    // Written elsewhere since this device looked last.
    await vault('sync', space);
    return vault('memory', space, id);
  }
}

export const useMemory = (space: Uuid, id: Uuid) => {
  const rows = useRows(space);
  return useQuery({
    queryKey: ['memory', space, id],
    queryFn: () => readMemory(space, id),
    enabled: rows.isSuccess,
  });
};

/** How a space is called; its name may not open. */
export function useSpaceName(): (space: Pick<Space, 'name' | 'pending'> | undefined) => string {
  const { common, members, sharing } = useMessages();
  return (space) => {
    if (space === undefined || space.name !== null) return space?.name ?? common.unnamedSpace;
    return space.pending === null ? common.unnamedSpace : sharing.waiting(space.pending.displayName ?? members.gone);
  };
}

export async function createSpace(name: string): Promise<Space> {
  const created = await vault('createSpace', name);
  await queries.invalidateQueries({ queryKey: ['spaces'] });
  return created;
}

export const useOpenedSoFar = (): number | null => useStore(openedSoFar);
export const useUnreadableCount = (): number => useStore(unreadableCount);
