/** A space as an unlocked device has it: keys, opened memories, and how far it follows the server. */
import type { Uuid } from '@strongroom/kernel';
import type { AccountKeys, SpaceKey } from '@strongroom/sealing';
import type { Api } from '../api.ts';
import { ClientError } from '../errors.ts';
import type { MemoryCache, SealedMemory } from '../memory-cache.ts';
import type { MemoryDocument } from '../memory-document.ts';
import type { SearchIndex } from '../search-index.ts';
import type { TrustStore } from '../trust-store.ts';
import type { RemoteChange, RemoteSpace } from './answers.ts';
import { checkChanges, type Seen } from './feed.ts';
import { openDocuments } from './item-codec.ts';
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

export class OpenSpace {
  readonly id: Uuid;
  /** The session's token changes when the password is proved again. */
  readonly #api: () => Api;
  readonly #cache: MemoryCache;
  readonly #index: SearchIndex;
  #remote: RemoteSpace;
  readonly #keys: SpaceKeys;
  #lacksKey = false;
  readonly #opened = new Map<Uuid, OpenedMemory>();
  readonly #unreadable = new Map<Uuid, string>();
  readonly #seen = new Map<Uuid, Seen>();
  /** Versions that the server acknowledged to this device and that its feed must therefore show. */
  readonly #acknowledged = new Map<Uuid, number>();
  /** Up to where the feed was followed; null before the cache was read. */
  #position: number | null = null;
  #running: Promise<unknown> = Promise.resolve();

  constructor(remote: RemoteSpace, api: () => Api, cache: MemoryCache, index: SearchIndex, trust: TrustStore) {
    this.id = remote.id;
    this.#remote = remote;
    this.#api = api;
    this.#cache = cache;
    this.#index = index;
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

  /** Follows the change feed to its end. Runs one at a time. */
  sync(signal?: AbortSignal): Promise<SyncResult> {
    const run = this.#running.then(() => this.#sync(signal));
    this.#running = run.catch(() => undefined);
    return run;
  }

  async #sync(signal: AbortSignal | undefined): Promise<SyncResult> {
    this.#lacksKey = false;
    if (this.#position === null) await this.#load();
    const due = new Map(this.#acknowledged);
    let changed = 0;
    let removed = 0;
    for (;;) {
      const after = this.#position!;
      const page = await this.#api().changes(this.id, { after, limit: PAGE_ITEMS, signal });
      checkChanges(page, after, this.#seen);
      const sealed = page.items.map(sealedOf);
      const position = sealed.at(-1)?.sequence ?? after;
      if (sealed.length > 0) await this.#cache.write(this.id, sealed, position);
      await this.#take(sealed);
      this.#position = position;
      removed += page.items.filter((item) => item.deleted).length;
      changed += page.items.filter((item) => !item.deleted).length;
      if (page.next === null) break;
    }
    this.#checkAcknowledged(due);
    const unreadable = [...this.#unreadable].map(([id, code]) => ({ id, code }));
    return { changed, removed, unreadable };
  }

  async #load(): Promise<void> {
    const { sequence, memories } = await this.#cache.read(this.id);
    await this.#take(memories);
    this.#position = sequence;
  }

  async #take(memories: readonly SealedMemory[]): Promise<void> {
    for (const { id, version, token } of memories) this.#seen.set(id, { version, deleted: token === null });
    const byEpoch = Map.groupBy(memories, (memory) => memory.epoch);
    for (const [epoch, group] of byEpoch) await this.#open(epoch, group);
  }

  async #open(epoch: number, memories: readonly SealedMemory[]): Promise<void> {
    const present: (SealedMemory & { token: string; author: Uuid })[] = [];
    for (const memory of memories) {
      const { id, token, author } = memory;
      if (token === null || author === null) this.drop(id);
      else present.push({ ...memory, token, author });
    }
    const key = this.#keys.get(epoch);
    if (key === undefined && present.length > 0) this.#lacksKey = true;
    const missing = new ClientError('client.cannot-open');
    const documents = key === undefined ? present.map(() => missing) : await openDocuments(key, present);
    for (const [index, memory] of present.entries()) {
      const document = documents[index]!;
      const { id, version, author, changedAt: writtenAt } = memory;
      if (document instanceof ClientError) {
        this.drop(id);
        this.#unreadable.set(id, document.code);
      } else this.put({ space: this.id, id, version, document, author, writtenAt });
    }
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
    this.#index.put(indexKey(this.id, memory.id), memory.document);
  }

  drop(id: Uuid): void {
    this.#unreadable.delete(id);
    this.#opened.delete(id);
    this.#index.remove(indexKey(this.id, id));
  }
}

/** Ids are unique among honest writers only; a server could use one in two spaces. */
export const indexKey = (space: Uuid, id: Uuid): string => `${space}/${id}`;

const sealedOf = ({ id, version, epoch, token, author, sequence, changedAt }: RemoteChange): SealedMemory => ({
  id,
  version,
  epoch,
  token,
  author,
  sequence,
  changedAt,
});
