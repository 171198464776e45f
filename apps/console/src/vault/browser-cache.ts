/**
 * The sealed memories of one account in IndexedDB, so that the next visit asks for changes only. Several tabs share it. It is a
 * convenience: whatever goes wrong with it (no room, private window, deleted by another tab) the vault works without.
 */
import type { CachedSpace, MemoryCache, SealedMemory } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { deleteDatabase, finished, openDatabase, settled } from './requests.ts';

/** What is known of a kept space. `generation` changes when the space is dropped, so that nobody goes on writing into a gap. */
interface Kept {
  readonly generation: string;
  readonly sequence: number;
}

const SPACES = 'spaces';
const MEMORIES = 'memories';

const nameOf = (account: Uuid): string => `strongroom.${account}`;

export class BrowserCache implements MemoryCache {
  readonly #onProblem: () => void;
  #database: Promise<IDBDatabase> | null = null;
  #account: Uuid | null = null;
  /** Up to where this tab knows the kept space to be without gaps; absent after a failure: nothing more is written then. */
  readonly #followed = new Map<Uuid, Kept>();

  /** `onProblem` is told once or more often when the browser does not keep what it should. */
  constructor(onProblem: () => void) {
    this.#onProblem = onProblem;
  }

  /** To be called before anything is read or written: one cache belongs to one account. */
  use(account: Uuid): void {
    if (this.#account === account) return;
    this.#account = account;
    this.#database = null;
    this.#followed.clear();
  }

  async read(space: Uuid): Promise<CachedSpace> {
    try {
      const database = await this.#open();
      const transaction = database.transaction([SPACES, MEMORIES], 'readwrite');
      const done = finished(transaction);
      const spaces = transaction.objectStore(SPACES);
      const kept = keptOf(await settled(spaces.get(space)));
      const memories: unknown[] =
        kept === null ? [] : await settled(transaction.objectStore(MEMORIES).getAll(allOf(space)));
      const whole = kept !== null && memories.every(isSealedMemory);
      const now: Kept = whole ? kept : { generation: crypto.randomUUID(), sequence: 0 };
      if (!whole) {
        transaction.objectStore(MEMORIES).delete(allOf(space));
        spaces.put(now, space);
      }
      await done;
      this.#followed.set(space, now);
      return { sequence: now.sequence, memories: whole ? memories : [] };
    } catch {
      this.#giveUp(space);
      return { sequence: 0, memories: [] };
    }
  }

  async write(space: Uuid, memories: readonly SealedMemory[], sequence: number): Promise<void> {
    const mine = this.#followed.get(space);
    if (mine === undefined) return;
    try {
      const database = await this.#open();
      const transaction = database.transaction([SPACES, MEMORIES], 'readwrite');
      const done = finished(transaction);
      const spaces = transaction.objectStore(SPACES);
      const store = transaction.objectStore(MEMORIES);
      const kept = keptOf(await settled(spaces.get(space)));
      if (kept === null || kept.generation !== mine.generation || kept.sequence < mine.sequence) {
        // Another tab dropped it: what this one would add has no beginning.
        this.#followed.delete(space);
        await done;
        return;
      }
      for (const memory of memories) {
        const key = [space, memory.id];
        // Where another tab is further, its newer state stays.
        const other =
          kept.sequence > mine.sequence ? ((await settled(store.get(key))) as SealedMemory | undefined) : undefined;
        if (other === undefined || other.sequence < memory.sequence) store.put(memory, key);
      }
      spaces.put({ generation: kept.generation, sequence: Math.max(kept.sequence, sequence) } satisfies Kept, space);
      await done;
      this.#followed.set(space, { generation: kept.generation, sequence });
    } catch {
      this.#giveUp(space);
    }
  }

  async remove(space: Uuid): Promise<void> {
    this.#followed.delete(space);
    try {
      const database = await this.#open();
      const transaction = database.transaction([SPACES, MEMORIES], 'readwrite');
      const done = finished(transaction);
      transaction.objectStore(SPACES).delete(space);
      transaction.objectStore(MEMORIES).delete(allOf(space));
      await done;
    } catch {
      this.#onProblem();
    }
  }

  /** Deletes everything kept for the account. */
  async clear(): Promise<void> {
    if (this.#account === null) return;
    const database = await this.#database?.catch(() => null);
    database?.close();
    this.#database = null;
    this.#followed.clear();
    await deleteDatabase(nameOf(this.#account)).catch(() => this.#onProblem());
  }

  #open(): Promise<IDBDatabase> {
    if (this.#account === null) throw new Error('The cache belongs to nobody yet.');
    this.#database ??= openDatabase(nameOf(this.#account), [SPACES, MEMORIES]);
    return this.#database;
  }

  #giveUp(space: Uuid): void {
    this.#followed.delete(space);
    this.#onProblem();
  }
}

/** Keys are [space, id]: an array sorts behind every string, so this bound holds all ids. */
const allOf = (space: Uuid): IDBKeyRange => IDBKeyRange.bound([space], [space, []]);

function keptOf(value: unknown): Kept | null {
  if (typeof value !== 'object' || value === null) return null;
  const { generation, sequence } = value as Partial<Kept>;
  return typeof generation === 'string' && Number.isSafeInteger(sequence) ? { generation, sequence: sequence! } : null;
}

function isSealedMemory(value: unknown): value is SealedMemory {
  if (typeof value !== 'object' || value === null) return false;
  const { id, version, epoch, token, author, sequence, changedAt } = value as Partial<SealedMemory>;
  return (
    typeof id === 'string' &&
    [version, epoch, sequence].every((number) => Number.isSafeInteger(number)) &&
    (token === null || typeof token === 'string') &&
    (author === null || typeof author === 'string') &&
    typeof changedAt === 'string'
  );
}
