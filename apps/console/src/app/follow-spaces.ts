/** What others change shows up without a reload: spaces shared or taken away, roles, keys, and who is here. */
import type { Space } from '@strongroom/client';
import { useEffect } from 'react';
import { lookAgain } from './look-again.ts';
import { reachable, queries, vault } from './session.ts';

/** Milliseconds between two looks, at first. */
const LOOK_EVERY = 120_000;

export function useFollowSpaces(): void {
  useEffect(() => {
    const look = async (): Promise<boolean> => {
      if (queries.getQueryState(['spaces'])?.status !== 'success') return false;
      for (const about of ['members', 'invitations', 'space-members'])
        void queries.invalidateQueries({ queryKey: [about], refetchType: 'active' });
      const before = JSON.stringify(queries.getQueryData(['spaces']));
      return JSON.stringify(await lookAtSpaces()) !== before;
    };
    return lookAgain({ shortest: LOOK_EVERY, look, reachable: reachable.get }).stop;
  }, []);
}

/** Reads the list again, and drops what this page holds of spaces that are no longer in it. */
export async function lookAtSpaces(): Promise<readonly Space[]> {
  const spaces = await vault('spaces');
  forgetOthers(spaces);
  queries.setQueryData(['spaces'], spaces);
  return spaces;
}

function forgetOthers(spaces: readonly Space[]): void {
  const known = new Set<unknown>(spaces.map(({ id }) => id));
  const before = queries.getQueryData<readonly Space[]>(['spaces']) ?? [];
  for (const { id } of before) {
    if (known.has(id)) continue;
    for (const about of ['rows', 'memory', 'search', 'space-members']) queries.removeQueries({ queryKey: [about, id] });
  }
}
