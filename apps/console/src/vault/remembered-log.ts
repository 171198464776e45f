/** The audit log as this device verified it last. It belongs to the installation, not to an account: signing out keeps it. */
import type { RememberedLog, RememberedLogStore } from '@strongroom/client';
import { finished, openDatabase, settled } from './requests.ts';

const DATABASE = 'strongroom.device';
const STORE = 'audit';
const KEY = 'log';

/** Falls back to this visit's memory where the browser keeps nothing. */
export class BrowserLogStore implements RememberedLogStore {
  #known: RememberedLog | null = null;

  async read(): Promise<RememberedLog | null> {
    try {
      const database = await openDatabase(DATABASE, [STORE]);
      const kept: unknown = await settled(database.transaction(STORE).objectStore(STORE).get(KEY));
      database.close();
      if (isRemembered(kept)) this.#known = kept;
    } catch {
      // Private windows and full disks: the comparison with an earlier visit is lost, everything else is checked.
    }
    return this.#known;
  }

  async write(log: RememberedLog): Promise<void> {
    this.#known = log;
    try {
      const database = await openDatabase(DATABASE, [STORE]);
      const transaction = database.transaction(STORE, 'readwrite');
      const done = finished(transaction);
      transaction.objectStore(STORE).put(log, KEY);
      await done;
      database.close();
    } catch {
      // As above.
    }
  }
}

function isRemembered(value: unknown): value is RememberedLog {
  if (typeof value !== 'object' || value === null) return false;
  const { keys, size, root } = value as Partial<RememberedLog>;
  return Array.isArray(keys) && Number.isSafeInteger(size) && typeof root === 'string';
}
