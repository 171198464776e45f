/**
 * The sealed copy of one account's vault in IndexedDB, so that the next visit asks for changes only and opens without the server. Several tabs
 * share it. It is a convenience: whatever goes wrong with it (no room, private window, deleted by another tab) the vault works without.
 */
import type {
  BlockCache,
  BlockChange,
  BlockOutcome,
  KeptIndex,
  KeptProfile,
  KeptSpace,
  SealedBlock,
} from '@strongroom/client';
import type { Bytes, Uuid } from '@strongroom/kernel';
import { deleteDatabase, finished, openDatabase, settled } from './requests.ts';

/** `spaces`: by space, what `Kept` says. */
const SPACES = 'spaces';
/** Bytes by [space, end]. */
const BLOCKS = 'blocks';
/** By space. */
const INDEXES = 'indexes';
/** One entry. */
const PROFILE = 'profile';
/** Version of the stores; an older one is emptied, since everything in it is on the server too. */
const VERSION = 2;

interface Kept {
  readonly stamp: string;
  readonly sequence: number;
  readonly head: Bytes | null;
}

const nameOf = (account: Uuid): string => `strongroom.${account}`;

export class BrowserCache implements BlockCache {
  readonly kind = 'blocks';
  readonly #onProblem: () => void;
  #database: Promise<IDBDatabase> | null = null;
  #account: Uuid | null = null;

  /** `onProblem` is told once or more often when the browser does not keep what it should. */
  constructor(onProblem: () => void) {
    this.#onProblem = onProblem;
  }

  /** To be called before anything is read or written: one cache belongs to one account. */
  use(account: Uuid): void {
    if (this.#account === account) return;
    this.#account = account;
    this.#database = null;
  }

  read(space: Uuid): Promise<KeptSpace | null> {
    return this.#orElse(null, async (database) => {
      const transaction = database.transaction([SPACES, BLOCKS, INDEXES], 'readwrite');
      const done = finished(transaction);
      const spaces = transaction.objectStore(SPACES);
      const blocks = transaction.objectStore(BLOCKS);
      const [known, ends, contents, index] = await Promise.all([
        settled<unknown>(spaces.get(space)),
        settled(blocks.getAllKeys(allOf(space))),
        settled<unknown[]>(blocks.getAll(allOf(space))),
        settled<unknown>(transaction.objectStore(INDEXES).get(space)),
      ]);
      const kept = isKept(known) ? known : { stamp: crypto.randomUUID(), sequence: 0, head: null };
      if (kept !== known) spaces.put(kept satisfies Kept, space);
      await done;
      return { ...kept, blocks: contents.flatMap((bytes, at) => blockOf(ends[at], bytes)), index: indexOf(index) };
    });
  }

  write(space: Uuid, change: BlockChange): Promise<BlockOutcome> {
    return this.#orElse<BlockOutcome>('gone', async (database) => {
      const { expects, stamp, sequence, head, put, remove } = change;
      const transaction = database.transaction([SPACES, BLOCKS], 'readwrite');
      const done = finished(transaction);
      const spaces = transaction.objectStore(SPACES);
      const blocks = transaction.objectStore(BLOCKS);
      const kept: unknown = await settled(spaces.get(space));
      const outcome = !isKept(kept)
        ? 'gone'
        : (expects === null ? kept.sequence > sequence : kept.stamp !== expects)
          ? 'overtaken'
          : 'written';
      if (outcome === 'written') {
        if (expects === null) blocks.delete(allOf(space));
        for (const end of remove) blocks.delete([space, end]);
        for (const { end, bytes } of put) blocks.put(bytes, [space, end]);
        spaces.put({ stamp, sequence, head } satisfies Kept, space);
      }
      await done;
      return outcome;
    });
  }

  writeIndex(space: Uuid, index: KeptIndex | null): Promise<void> {
    return this.#orElse(undefined, async (database) => {
      const transaction = database.transaction([SPACES, INDEXES], 'readwrite');
      const done = finished(transaction);
      const kept: unknown = await settled(transaction.objectStore(SPACES).get(space));
      const indexes = transaction.objectStore(INDEXES);
      if (index === null) indexes.delete(space);
      // Not for a space that another tab has dropped.
      else if (isKept(kept)) indexes.put(index, space);
      await done;
    });
  }

  remove(space: Uuid): Promise<void> {
    return this.#orElse(undefined, async (database) => {
      const transaction = database.transaction([SPACES, BLOCKS, INDEXES], 'readwrite');
      const done = finished(transaction);
      transaction.objectStore(SPACES).delete(space);
      transaction.objectStore(BLOCKS).delete(allOf(space));
      transaction.objectStore(INDEXES).delete(space);
      await done;
    });
  }

  readProfile(): Promise<KeptProfile | null> {
    return this.#orElse(null, async (database) => {
      const kept: unknown = await settled(database.transaction(PROFILE).objectStore(PROFILE).get(PROFILE));
      return isProfile(kept) ? kept : null;
    });
  }

  writeProfile(profile: KeptProfile): Promise<void> {
    return this.#orElse(undefined, async (database) => {
      const transaction = database.transaction(PROFILE, 'readwrite');
      const done = finished(transaction);
      transaction.objectStore(PROFILE).put(profile, PROFILE);
      await done;
    });
  }

  /** Forgets spaces that are not among these: somebody was taken out of them while this device was not looking. */
  async keepOnly(spaces: readonly Uuid[]): Promise<void> {
    const kept = await this.#orElse([], (database) =>
      settled(database.transaction(SPACES).objectStore(SPACES).getAllKeys()),
    );
    for (const space of kept) if (!spaces.some((id) => id === space)) await this.remove(space as Uuid);
  }

  /** Deletes everything kept for the account. */
  async clear(): Promise<void> {
    if (this.#account === null) return;
    const database = await this.#database?.catch(() => null);
    database?.close();
    this.#database = null;
    await deleteDatabase(nameOf(this.#account)).catch(() => this.#onProblem());
  }

  /** Nothing here may keep the vault from working. */
  async #orElse<Result>(otherwise: Result, work: (database: IDBDatabase) => Promise<Result>): Promise<Result> {
    if (this.#account === null) throw new Error('The cache belongs to nobody yet.');
    try {
      this.#database ??= openDatabase(nameOf(this.#account), [SPACES, BLOCKS, INDEXES, PROFILE], VERSION);
      return await work(await this.#database);
    } catch {
      this.#onProblem();
      return otherwise;
    }
  }
}

/** Keys are [space, end]: an array sorts behind every number, so this bound holds all blocks. */
const allOf = (space: Uuid): IDBKeyRange => IDBKeyRange.bound([space], [space, []]);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isBytes = (value: unknown): value is Bytes => value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;

function isKept(value: unknown): value is Kept {
  if (!isRecord(value)) return false;
  const { stamp, sequence, head } = value;
  return typeof stamp === 'string' && Number.isSafeInteger(sequence) && (head === null || isBytes(head));
}

function blockOf(key: IDBValidKey | undefined, bytes: unknown): SealedBlock[] {
  const end = Array.isArray(key) ? key[1] : undefined;
  return typeof end === 'number' && isBytes(bytes) ? [{ end, bytes }] : [];
}

function indexOf(value: unknown): KeptIndex | null {
  if (!isRecord(value)) return null;
  const { sequence, bytes } = value;
  return typeof sequence === 'number' && isBytes(bytes) ? { sequence, bytes } : null;
}

function isProfile(value: unknown): value is KeptProfile {
  return isRecord(value) && typeof value['record'] === 'string' && isBytes(value['sealed']);
}
