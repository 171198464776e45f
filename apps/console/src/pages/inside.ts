/** What stands behind the door, so that it can be fetched while a password is typed or hashed, and not before. */
import { fetchAllMessages } from '../messages/messages.ts';

/** The frame of the open vault. Resolves when it can be shown. */
export async function fetchShell() {
  const [{ Shell }] = await Promise.all([import('./shell.tsx'), fetchAllMessages()]);
  return Shell;
}

/** The frame, what shows notes, and the pages that nearly everybody sees first. A failure is met again by whoever shows them. */
export function prepareInside(): void {
  const parts = [fetchShell(), import('../design/toasts.tsx'), import('./start.tsx'), import('./space.tsx')];
  for (const part of parts) part.catch(() => undefined);
}
