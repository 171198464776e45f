/** What runs in the threads that checking-threads.ts starts. It keeps nothing from one page to the next. */
import { parentPort } from 'node:worker_threads';
import { checkPage, type FromThread, packEntries, type ToThread } from './check-page.ts';
import { peopleIn, storedEntries, type StoredEntry } from './read-events.ts';

let stored: readonly StoredEntry[] = [];

parentPort!.on('message', (message: ToThread) => {
  if ('page' in message) {
    stored = storedEntries(message.page, 'missing');
    parentPort!.postMessage({ people: peopleIn(stored) } satisfies FromThread, []);
    return;
  }
  const entries = packEntries(checkPage(stored, message.keys));
  stored = [];
  const { indexes, states, leafHashes, computed } = entries;
  const moved = [indexes.buffer, states.buffer, leafHashes.buffer, computed.buffer];
  parentPort!.postMessage({ entries } satisfies FromThread, moved);
});
