/** A space as an unlocked device has it: keys, opened memories, and how far it follows the server. */
import type { Uuid } from '@strongroom/kernel';
import type { AccountKeys, SpaceKey } from '@strongroom/sealing';
import type { Api } from '../api.ts';
import { ClientError } from '../errors.ts';
import type { MemoryDocument } from '../memory-document.ts';
import { SearchIndex } from '../search-index.ts';
import type { TrustStore } from '../trust-store.ts';
import type { RemoteChange, RemoteSpace } from './answers.ts';
import { checkChanges, type Seen } from './feed.ts';
import { openDocuments } from './item-codec.ts';
import type { KnownMemory, SpaceCopy } from './space-copy.ts';
import { SpaceKeys, type PendingKey } from './space-keys.ts';

export type { PendingKey } from './space-keys.ts';

export interface OpenedMemory {
  readonly space: Uuid;
  readonly id: Uuid;
  readonly version: number;
  readonly document: MemoryDocument;
  readonly author: Uuid;
  /** When this version was stored, as the server says. RFC 3339 UTC. */
  readonly writtenAt: string;
}

export interface SyncResult {
  /** Memories that are new or changed on this device. */
  readonly changed: number;
  readonly removed: number;
  /** Memories that the server has but that do not open, with the reason. */
  readonly unreadable: readonly { readonly id: Uuid; readonly code: string }[];
}

/** Changes of one page: the server's maximum. */
export const PAGE_ITEMS = 200;
/** Changes that are put into the device's copy together while the feed is followed. */
const SAVE_ITEMS = 1000;

export class OpenSpace {
  readonly id: Uuid;
  /** The session's token changes when the password is proved again. */
  readonly #api: () => Api;
  readonly #copy: SpaceCopy;
  #index = new SearchIndex();
  #remote: RemoteSpace;
  readonly #keys: SpaceKeys;
  #lacksKey = false;
  readonly #opened = new Map<Uuid, OpenedMemory>();
  readonly #unreadable = new Map<Uuid, string>();
  readonly #seen = new Map<Uuid, Seen>();
  /** Versions that the server acknowledged to this device and that its feed must therefore show. */
  readonly #acknowledged = new Map<Uuid, number>();
  /** Up to where the feed was followed; null before the device's copy was read. */
  #position: number | null = null;
  #running: Promise<unknown> = Promise.resolve();

  constructor(remote: RemoteSpace, api: () => Api, copy: SpaceCopy, trust: TrustStore) {
    this.id = remote.id;
    this.#remote = remote;
    this.#api = api;
    this.#copy = copy;
    this.#keys = new SpaceKeys(api, trust);
  }

  get remote(): RemoteSpace {
    return this.#remote;
  }

  /** Null when the name does not open. */
  get name(): string | null {
    return this.#keys.name;
  }

  get memories(): ReadonlyMap<Uuid, OpenedMemory> {
    return this.#opened;
  }

  /** Over `memories`. */
  get index(): SearchIndex {
    return this.#index;
  }

  /** The reason why a memory that exists is not among `memories`: `client.cannot-open` or `client.unknown-format`. */
  unreadable(id: Uuid): string | undefined {
    return this.#unreadable.get(id);
  }

  isDeleted(id: Uuid): boolean {
    return this.#seen.get(id)?.deleted === true;
  }

  /** A key that waits for its sender to be known. */
  get pending(): PendingKey | null {
    return this.#keys.pending;
  }

  /** For sharing keys further. */
  get keys(): SpaceKeys {
    return this.#keys;
  }

  /** True when the feed showed something under a key that is not here. */
  get lacksKey(): boolean {
    return this.#lacksKey;
  }

  /** Takes over what the server says of the space now, and opens keys that are new. Throws `client.rolled-back`. */
  async refresh(remote: RemoteSpace, keys: AccountKeys): Promise<void> {
    const more = await this.#keys.refresh(remote, keys);
    this.#remote = remote;
    // What was sealed under a new key may have been followed already and found closed: open it from the cache.
    if (more) this.#position = null;
  }

  /** The key to seal under. Throws `client.cannot-open`. */
  currentKey(): SpaceKey {
    return this.keyOf(this.#remote.epoch);
  }

  keyOf(epoch: number): SpaceKey {
    const key = this.#keys.get(epoch);
    if (key === undefined) throw new ClientError('client.cannot-open', { detail: 'A key of its space is missing.' });
    return key;
  }

  /** The oldest key of the space that this account holds: what must stay the same when keys change is derived from it. */
  firstKey(): SpaceKey {
    return this.keyOf(Math.min(...this.#keys.epochs));
  }

  /** Opens what this device keeps, without asking the server. */
  load(): Promise<void> {
    return this.#inTurn(() => this.#load());
  }

  /** Follows the change feed to its end. Runs one at a time. */
  sync(signal?: AbortSignal): Promise<SyncResult> {
    const result = this.#inTurn(() => this.#sync(signal));
    // Nobody waits for it.
    void this.#inTurn(() => this.#copy.saveIndex(this.#index, this.#position ?? 0)).catch(() => undefined);
    return result;
  }

  /** Forgets what this device keeps. */
  forget(): Promise<void> {
    return this.#copy.remove();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const run = this.#running.then(work);
    this.#running = run.catch(() => undefined);
    return run;
  }

  async #sync(signal: AbortSignal | undefined): Promise<SyncResult> {
    this.#lacksKey = false;
    await this.#load();
    const due = new Map(this.#acknowledged);
    let changed = 0;
    let removed = 0;
    let unsaved: KnownMemory[] = [];
    const save = async (): Promise<void> => {
      const memories = unsaved;
      unsaved = [];
      if (memories.length > 0) await this.#copy.save(memories, this.#position!);
    };
    try {
      for (;;) {
        const after = this.#position!;
        const page = await this.#api().changes(this.id, { after, limit: PAGE_ITEMS, signal });
        checkChanges(page, after, this.#seen);
        unsaved.push(...(await this.#take(page.items.map(sealedOf))));
        this.#position = page.items.at(-1)?.sequence ?? after;
        removed += page.items.filter((item) => item.deleted).length;
        changed += page.items.filter((item) => !item.deleted).length;
        if (page.next === null) break;
        if (unsaved.length >= SAVE_ITEMS) await save();
      }
    } finally {
      await save();
    }
    this.#checkAcknowledged(due);
    const unreadable = [...this.#unreadable].map(([id, code]) => ({ id, code }));
    return { changed, removed, unreadable };
  }

  async #load(): Promise<void> {
    if (this.#position !== null) return;
    const { position, memories, index } = await this.#copy.load();
    // Nothing was opened before: what is indexed already need not be indexed again.
    const ready = index !== null && this.#opened.size === 0 ? index : null;
    if (ready !== null) this.#index = ready.index;
    for await (const some of memories) await this.#take(some, ready?.sequence ?? 0);
    if (ready !== null) for (const id of this.#index.ids()) if (!this.#opened.has(id as Uuid)) this.#index.remove(id);
    this.#position = position;
  }

  /** Answers with the same, opened where that was possible. Those up to `indexed` are in the index as they are. */
  async #take(memories: readonly KnownMemory[], indexed = 0): Promise<KnownMemory[]> {
    for (const { id, version, token, document } of memories)
      this.#seen.set(id, { version, deleted: token === null && document === undefined });
    const byEpoch = Map.groupBy(
      memories.filter(({ document }) => document === undefined),
      (memory) => memory.epoch,
    );
    const opened = new Map<Uuid, MemoryDocument>();
    for (const [epoch, group] of byEpoch) {
      for (const [id, document] of await this.#open(epoch, group)) opened.set(id, document);
    }
    return memories.map((memory) => {
      const { id, version, sequence, author, changedAt: writtenAt } = memory;
      const document = memory.document ?? opened.get(id);
      if (document === undefined || author === null) return memory;
      const whole = { space: this.id, id, version, document, author, writtenAt };
      if (sequence <= indexed && this.#index.has(id)) this.#opened.set(id, whole);
      else this.put(whole);
      return { ...memory, document };
    });
  }

  async #open(epoch: number, memories: readonly KnownMemory[]): Promise<(readonly [Uuid, MemoryDocument])[]> {
    const present: (KnownMemory & { token: string })[] = [];
    for (const memory of memories) {
      const { id, token, author } = memory;
      if (token === null || author === null) this.drop(id);
      else present.push({ ...memory, token });
    }
    const key = this.#keys.get(epoch);
    if (key === undefined && present.length > 0) this.#lacksKey = true;
    const missing = new ClientError('client.cannot-open');
    const documents = key === undefined ? present.map(() => missing) : await openDocuments(key, present);
    return present.flatMap(({ id }, index) => {
      const document = documents[index]!;
      if (!(document instanceof ClientError)) return [[id, document] as const];
      this.drop(id);
      this.#unreadable.set(id, document.code);
      return [];
    });
  }

  /** Throws when the server lost, or hides, what it had said it stored before the feed was asked. */
  #checkAcknowledged(due: ReadonlyMap<Uuid, number>): void {
    for (const [id, version] of due) {
      if ((this.#seen.get(id)?.version ?? 0) < version) throw new ClientError('client.rolled-back');
      if (this.#acknowledged.get(id) === version) this.#acknowledged.delete(id);
    }
  }

  /** Remembers that the server acknowledged a version to this device. */
  acknowledge(id: Uuid, version: number): void {
    this.#acknowledged.set(id, version);
  }

  put(memory: OpenedMemory): void {
    this.#unreadable.delete(memory.id);
    this.#opened.set(memory.id, memory);
    this.#index.put(memory.id, memory.document);
  }

  drop(id: Uuid): void {
    this.#unreadable.delete(id);
    this.#opened.delete(id);
    this.#index.remove(id);
  }
}

const sealedOf = ({ id, version, epoch, token, author, sequence, changedAt }: RemoteChange): KnownMemory => ({
  id,
  version,
  epoch,
  token,
  author,
  sequence,
  changedAt,
});
