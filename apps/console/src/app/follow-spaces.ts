/** What others change shows up without a reload: spaces shared or taken away, roles, keys, and who is here. */
import type { Space } from '@strongroom/client';
import { useEffect } from 'react';
import { reachable, queries, vault } from './session.ts';

/** Milliseconds between two looks. Each is a line in the audit log, so they are few; a window that comes to the front looks at once. */
const LOOK_EVERY = 120_000;
/** Milliseconds: windows come to the front in bursts. */
const NOT_AGAIN_WITHIN = 3_000;

export function useFollowSpaces(): void {
  useEffect(() => {
    let last = performance.now();
    const look = (least: number): void => {
      if (document.visibilityState === 'hidden' || !reachable.get() || performance.now() - last < least) return;
      if (queries.getQueryState(['spaces'])?.status !== 'success') return;
      last = performance.now();
      void lookAtSpaces().catch(() => undefined);
      for (const about of ['members', 'invitations', 'space-members'])
        void queries.invalidateQueries({ queryKey: [about], refetchType: 'active' });
    };
    const timer = setInterval(() => look(LOOK_EVERY), LOOK_EVERY / 4);
    const now = () => look(NOT_AGAIN_WITHIN);
    window.addEventListener('focus', now);
    window.addEventListener('online', now);
    document.addEventListener('visibilitychange', now);
    return () => {
      clearInterval(timer);
      window.removeEventListener('focus', now);
      window.removeEventListener('online', now);
      document.removeEventListener('visibilitychange', now);
    };
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
