/** What an unlocked vault does with spaces and memories. Everything is sealed and opened here, on the device. */
import { isUuid, newUuid, type Uuid } from '@strongroom/kernel';
import { createSpaceKey, sealSpaceName, type AccountKeys } from '@strongroom/sealing';
import type { Api } from './api.ts';
import { ClientError } from './errors.ts';
import type { ImportItem } from './import-item.ts';
import { importItems, type ImportOptions, type ImportResult } from './import.ts';
import type { RemoteAccount, RemoteSpace } from './internal/answers.ts';
import { readHistory } from './internal/history.ts';
import { copyOf } from './internal/copy-of.ts';
import { sealDocument } from './internal/item-codec.ts';
import { keepProfile, keptProfile } from './internal/kept-profile.ts';
import { OpenSpace, type OpenedMemory, type SyncResult } from './internal/open-space.ts';
import type { DeviceCache } from './internal/space-copy.ts';
import type { MemoryDocument } from './memory-document.ts';
import { SearchIndex } from './search-index.ts';
import { VaultPeople } from './vault-people.ts';
import type { MemoryInput, OldVersion, Recalled, Space } from './vault-types.ts';

/** Results of one recall when the caller does not say. */
const DEFAULT_RESULTS = 10;

/** Every verb throws `client.signed-out` or `client.locked` for a vault that is not open. */
export abstract class VaultMemories extends VaultPeople {
  readonly #cache: DeviceCache;
  #spaces = new Map<Uuid, OpenSpace>();

  protected constructor(cache: DeviceCache) {
    super();
    this.#cache = cache;
  }

  /** With the session's token in it. */
  abstract get api(): Api;
  abstract get account(): RemoteAccount | null;
  abstract get locked(): boolean;

  async createSpace(name: string): Promise<Space> {
    const { keys, clock } = this.sharing();
    const id = newUuid(clock.now());
    const { spaceKey, wrapping } = await createSpaceKey(keys, id);
    const sealedName = await sealSpaceName(spaceKey, name);
    const remote = await this.api.createSpace({ id, sealedName, epoch: 1, wrappedKey: wrapping });
    return spaceOf(await this.#take(remote, keys));
  }

  /** As this device saw them last, without asking the server; empty where it keeps nothing. `sync` and `listSpaces` bring them up to date. */
  async keptSpaces(): Promise<Space[]> {
    const { keys } = this.sharing();
    const found: OpenSpace[] = [];
    for (const remote of (await keptProfile(this.#cache, keys))?.spaces ?? []) {
      try {
        found.push(this.#spaces.get(remote.id) ?? (await this.#take(remote, keys)));
      } catch (error) {
        // This device has seen a later state of it: the server has to be asked.
        if (!(error instanceof ClientError) || error.code !== 'client.rolled-back') throw error;
      }
    }
    return found.map(spaceOf);
  }

  /** Opens what this device keeps of a space, without asking the server. Answers with the number of memories. */
  async openKept(space: Uuid): Promise<number> {
    if (!this.#spaces.has(space)) await this.keptSpaces();
    const open = this.#spaces.get(space);
    if (open === undefined) return 0;
    await open.load();
    return open.memories.size;
  }

  /** As the server has them now. */
  async listSpaces(): Promise<Space[]> {
    const { keys } = this.sharing();
    const found: OpenSpace[] = [];
    const remotes: RemoteSpace[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.api.spaces({ cursor });
      for (const remote of page.items) found.push(await this.#take(remote, keys));
      remotes.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    const ids = new Set(found.map((space) => space.id));
    for (const id of this.#spaces.keys()) if (!ids.has(id)) await this.leftSpace(id);
    const { account } = this;
    if (account !== null) await keepProfile(this.#cache, keys, { account, spaces: remotes });
    return found.map(spaceOf);
  }

  /** Brings this device's copy of a space up to date. Throws `client.rolled-back` for a server that contradicts itself. */
  async sync(space: Uuid, signal?: AbortSignal): Promise<SyncResult> {
    const open = await this.#space(space);
    const result = await open.sync(signal);
    if (!open.lacksKey) return result;
    // Somebody gave the space a new key, or shared a former one, since it was fetched.
    await this.refreshedSpace(space);
    const again = await open.sync(signal);
    return { ...again, changed: result.changed + again.changed, removed: result.removed + again.removed };
  }

  /** With an `id` of the caller's (`newUuid`), they can ask for it when the answer was lost on the way. */
  async remember(space: Uuid, input: MemoryInput, options: { readonly id?: Uuid } = {}): Promise<OpenedMemory> {
    const { clock } = this.sharing();
    const createdAt = new Date(clock.now()).toISOString();
    const document: MemoryDocument = { ...written(input), createdAt };
    return this.#write(space, options.id ?? newUuid(clock.now()), 0, document);
  }

  /**
   * Replaces text, title, kind and tags; where the memory came from and when it was first written stay. Throws `memories.conflict` with
   * `members.currentVersion` when somebody else was first: `sync`, show both, and decide again.
   */
  async update(space: Uuid, id: Uuid, expectedVersion: number, input: MemoryInput): Promise<OpenedMemory> {
    const { source, createdAt } = (await this.get(space, id)).document;
    const document = { ...written(input), ...(source === undefined ? {} : { source }), createdAt };
    return this.#write(space, id, expectedVersion, document);
  }

  /** Deletes it with all its versions. Throws `memories.conflict` like `update`; deleting twice is fine. */
  async forget(space: Uuid, id: Uuid, expectedVersion: number): Promise<void> {
    const open = await this.#space(space);
    const removed = await this.api.deleteMemory(space, id, expectedVersion);
    open.acknowledge(id, removed.version);
    open.drop(id);
  }

  /** From this device's copy; throws `client.unknown-memory`, or why it does not open. */
  async get(space: Uuid, id: Uuid): Promise<OpenedMemory> {
    const open = await this.#space(space);
    const memory = open.memories.get(id);
    if (memory !== undefined) return memory;
    const code = open.unreadable(id);
    if (code === 'client.cannot-open' || code === 'client.unknown-format') throw new ClientError(code);
    throw new ClientError('client.unknown-memory');
  }

  /** All of a space that this device has opened, newest first. */
  async list(space: Uuid): Promise<OpenedMemory[]> {
    const memories = [...(await this.#space(space)).memories.values()];
    return memories.toSorted(
      (left, right) => compare(right.document.createdAt, left.document.createdAt) || compare(right.id, left.id),
    );
  }

  /** The history, newest first, from the server. */
  async versions(space: Uuid, id: Uuid): Promise<OldVersion[]> {
    return readHistory(await this.#space(space), this.api, id);
  }

  /** The best answers of what this device has opened; `sync` first to see what is new. */
  async recall(
    query: string,
    options: { readonly limit?: number; readonly spaces?: readonly Uuid[] } = {},
  ): Promise<Recalled[]> {
    this.sharing();
    const { limit = DEFAULT_RESULTS, spaces } = options;
    const searched = [...this.#spaces.values()].filter(({ id }) => spaces === undefined || spaces.includes(id));
    const spaceOfIndex = new Map(searched.map((open) => [open.index, open]));
    const found = SearchIndex.searchAll([...spaceOfIndex.keys()], query, limit);
    return found.flatMap(({ id, score, index }) => {
      const memory = spaceOfIndex.get(index)?.memories.get(id as Uuid);
      return memory === undefined ? [] : [{ ...memory, score }];
    });
  }

  /**
   * Stores what an importer read. May be stopped and run again at any time, and again with a newer export: what is there already is not
   * stored twice, what changed in the original becomes a new version, and what was deleted here stays deleted.
   */
  async import(
    space: Uuid,
    items: Iterable<ImportItem> | AsyncIterable<ImportItem>,
    options: ImportOptions = {},
  ): Promise<ImportResult> {
    const { keys, clock } = this.sharing();
    return importItems({ space: await this.#space(space), api: this.api, clock, author: keys.account }, items, options);
  }

  async #write(space: Uuid, id: Uuid, expectedVersion: number, document: MemoryDocument): Promise<OpenedMemory> {
    const open = await this.#space(space);
    try {
      return await this.#seal(open, id, expectedVersion, document);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'memories.stale-epoch') throw error;
      // The key was changed: seal under the new one.
      return this.#seal(await this.refreshedSpace(space), id, expectedVersion, document);
    }
  }

  async #seal(open: OpenSpace, id: Uuid, expectedVersion: number, document: MemoryDocument): Promise<OpenedMemory> {
    const { keys } = this.sharing();
    const space = open.id;
    const version = expectedVersion + 1;
    const key = open.currentKey();
    const token = await sealDocument(key, { id, version }, document);
    const { epoch } = key;
    const answer =
      expectedVersion === 0
        ? await this.api.createMemory(space, { id, epoch, token })
        : await this.api.updateMemory(space, id, { expectedVersion, epoch, token });
    if (answer.id !== id || answer.version !== version) throw new ClientError('client.bad-answer');
    open.acknowledge(id, version);
    const memory = { space, id, version, document, author: keys.account, writtenAt: answer.writtenAt };
    open.put(memory);
    return memory;
  }

  protected openSpaces(): readonly OpenSpace[] {
    return [...this.#spaces.values()];
  }

  protected async refreshedSpace(id: Uuid): Promise<OpenSpace> {
    const { api, keys } = this.sharing();
    if (!isUuid(id)) throw new ClientError('client.unknown-space');
    const remote = await api.space(id);
    if (remote.id !== id) throw new ClientError('client.bad-answer');
    return this.#take(remote, keys);
  }

  protected async changedSpace(remote: RemoteSpace): Promise<Space> {
    return spaceOf(await this.#take(remote, this.sharing().keys));
  }

  protected async leftSpace(space: Uuid): Promise<void> {
    const left = this.#spaces.get(space);
    if (left === undefined) return;
    this.#spaces.delete(space);
    await left.forget();
  }

  /** Drops everything opened, and what this device keeps of it stays. */
  protected closeSpaces(): void {
    this.#spaces = new Map();
  }

  async #space(id: Uuid): Promise<OpenSpace> {
    this.sharing();
    return this.#spaces.get(id) ?? this.refreshedSpace(id);
  }

  async #take(remote: RemoteSpace, keys: AccountKeys): Promise<OpenSpace> {
    const open =
      this.#spaces.get(remote.id) ??
      new OpenSpace(remote, () => this.api, copyOf(this.#cache, remote.id, keys), this.sharing().trust);
    await open.refresh(remote, keys);
    // Locked, or taken by somebody else, while the keys were being opened.
    if (this.locked || this.sharing().keys !== keys) throw new ClientError('client.locked');
    const known = this.#spaces.get(remote.id);
    if (known !== undefined) return known;
    this.#spaces.set(remote.id, open);
    return open;
  }
}

const spaceOf = ({ name, pending, remote }: OpenSpace): Space => ({
  id: remote.id,
  name,
  role: remote.role,
  createdAt: remote.createdAt,
  pending,
  rotationDue: remote.rotationDue,
});

function written({ text, title, kind, tags = [] }: MemoryInput): Omit<MemoryDocument, 'createdAt'> {
  return { text, ...(title === undefined ? {} : { title }), ...(kind === undefined ? {} : { kind }), tags };
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
