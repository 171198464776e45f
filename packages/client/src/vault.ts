/** The vault as a person uses it: sign in, unlock, remember, recall, forget. Everything is sealed and opened here, on the device. */
import { isUuid, newUuid, systemClock, type Clock, type Uuid } from '@strongroom/kernel';
import {
  createSpaceKey,
  sealSpaceName,
  type AccountKeys,
  type SecretBytes,
  type SecretText,
} from '@strongroom/sealing';
import {
  deriveUnlockKey,
  reauthenticate,
  signIn,
  signUp,
  unlockWith,
  type SignInOptions,
  type SignUpOptions,
  type Started,
} from './account.ts';
import {
  changePassword,
  checkDeletionCertificate,
  recover,
  type RecoverOptions,
  type Session,
} from './account-life.ts';
import type { Api } from './api.ts';
import { ClientError } from './errors.ts';
import type { ImportItem } from './import-item.ts';
import { importItems, type ImportOptions, type ImportResult } from './import.ts';
import type { RemoteAccount, RemoteSpace } from './internal/answers.ts';
import { readHistory } from './internal/history.ts';
import { sealDocument } from './internal/item-codec.ts';
import { indexKey, OpenSpace, type OpenedMemory, type SyncResult } from './internal/open-space.ts';
import type { DeletionCertificate, RemoteDeletionPlan } from './internal/people-calls.ts';
import { parseInvitationCode } from './invitation-code.ts';
import type { MemoryCache } from './memory-cache.ts';
import type { MemoryDocument } from './memory-document.ts';
import { SearchIndex } from './search-index.ts';
import type { Sharing } from './sharing.ts';
import { InMemoryTrustStore, type TrustStore } from './trust-store.ts';
import { VaultPeople } from './vault-people.ts';
import type { MemoryInput, OldVersion, Recalled, Space } from './vault-types.ts';

export interface VaultOptions {
  readonly api: Api;
  /** Of the account that will sign in. */
  readonly cache: MemoryCache;
  /** What this device knows of people's keys, of the same account; kept as long as the program runs when absent. */
  readonly trust?: TrustStore;
  /** Called with every new bearer token of the session, before anything else is asked under it: for whoever keeps it. */
  readonly onToken?: (token: string) => Promise<void> | void;
  readonly clock?: Clock;
}

/** Results of one recall when the caller does not say. */
const DEFAULT_RESULTS = 10;

export class Vault extends VaultPeople {
  #api: Api;
  readonly #cache: MemoryCache;
  readonly #trust: TrustStore;
  readonly #onToken: NonNullable<VaultOptions['onToken']>;
  readonly #clock: Clock;
  #account: RemoteAccount | null = null;
  #keys: AccountKeys | null = null;
  #index = new SearchIndex();
  #spaces = new Map<Uuid, OpenSpace>();

  constructor(options: VaultOptions) {
    super();
    this.#api = options.api;
    this.#cache = options.cache;
    this.#trust = options.trust ?? new InMemoryTrustStore();
    this.#onToken = options.onToken ?? (() => undefined);
    this.#clock = options.clock ?? systemClock;
  }

  /** With the session's token in it. */
  get api(): Api {
    return this.#api;
  }

  /** Null before `signUp`, `signIn` or `resume`. */
  get account(): RemoteAccount | null {
    return this.#account;
  }

  get locked(): boolean {
    return this.#keys === null;
  }

  /**
   * Answers with the bearer token (null for a cookie session) and the recovery code, which is shown this once. The inviter's key, where the
   * invitation came with it, counts as compared: it did not come through the server.
   */
  async signUp(options: SignUpOptions): Promise<{ readonly token: string | null; readonly recoveryCode: SecretText }> {
    const { token, inviter } = parseInvitationCode(options.invitation);
    const started = await signUp(this.#api, { ...options, invitation: token });
    this.#start(started);
    if (inviter !== null) {
      const since = new Date(this.#clock.now()).toISOString();
      await this.#trust.putKey(inviter.account, { publicKey: inviter.publicKey, compared: true, since });
    }
    return { token: started.started.token, recoveryCode: started.recoveryCode };
  }

  /** Signs in and unlocks. Answers with the bearer token, null for a cookie session. */
  async signIn(options: SignInOptions): Promise<{ readonly token: string | null }> {
    const started = await signIn(this.#api, options);
    this.#start(started);
    return { token: started.started.token };
  }

  #start({ started, keys }: Started): void {
    this.lock();
    this.#account = started.account;
    this.#keys = keys;
    if (started.token !== null) this.#api = this.#api.withToken(started.token);
  }

  /** Continues the session that the api's token or the browser's cookie stands for; the vault stays locked. */
  async resume(): Promise<RemoteAccount> {
    const account = await this.#api.account();
    if (this.#account !== null && this.#account.id !== account.id) this.lock();
    this.#account = account;
    return account;
  }

  /** Throws `client.wrong-password`. */
  async unlock(password: string): Promise<void> {
    const key = await this.deriveUnlockKey(password);
    key.wipe();
  }

  /**
   * Unlocks, and answers with the key that does so again through `unlockWith` until the password is changed: for a program that keeps
   * the vault open for a while. Whoever holds it can open everything; wipe it. Throws `client.wrong-password`.
   */
  async deriveUnlockKey(password: string): Promise<SecretBytes> {
    const key = await deriveUnlockKey(this.#account ?? (await this.resume()), password);
    try {
      await this.unlockWith(key);
    } catch (error) {
      key.wipe();
      throw error;
    }
    return key;
  }

  /** Does not wipe the key. Throws `client.wrong-password` for one of another account or of a former password. */
  async unlockWith(key: SecretBytes): Promise<void> {
    const account = this.#account ?? (await this.resume());
    const keys = await unlockWith(account, key);
    this.lock();
    this.#keys = keys;
  }

  /** Proves the password again for what needs it. Answers with the session's new bearer token, null for a cookie session. */
  async reauthenticate(password: string): Promise<{ readonly token: string | null }> {
    const account = this.#account ?? (await this.resume());
    const token = await reauthenticate(this.#api, account, password);
    await this.#renew(token);
    return { token };
  }

  async #renew(token: string | null): Promise<void> {
    if (token === null) return;
    this.#api = this.#api.withToken(token);
    await this.#onToken(token);
  }

  /**
   * Wraps the account's key anew; the vault stays open. Every other session ends. Answers with this session's new bearer token, null for a cookie
   * session. Throws `client.wrong-password` and `sealing.invalid-password`, and nothing was changed then.
   */
  async changePassword(current: string, next: string): Promise<{ readonly token: string | null }> {
    const account = this.#account ?? (await this.resume());
    let token: string | null = null;
    const session: Session = {
      api: () => this.#api,
      renew: (renewed) => {
        token = renewed;
        return this.#renew(renewed);
      },
    };
    this.#account = await changePassword(session, account, current, next);
    return { token };
  }

  /**
   * For whoever lost the password: sets a new one with the recovery code and unlocks. Answers with the bearer token and the new recovery code, which
   * is shown this once; the former is worthless, and every other session has ended.
   */
  async recover(
    options: RecoverOptions,
  ): Promise<{ readonly token: string | null; readonly recoveryCode: SecretText }> {
    const recovered = await recover(this.#api, options);
    this.#start(recovered);
    return { token: recovered.started.token, recoveryCode: recovered.recoveryCode };
  }

  /** Throws `authentication.email-in-use` and `authentication.wrong-secret`. */
  async changeEmail(email: string, password: string): Promise<RemoteAccount> {
    await this.reauthenticate(password);
    this.#account = await this.#api.changeEmail({ email });
    return this.#account;
  }

  /** How many of the account's other sessions were ended. */
  async endOtherSessions(): Promise<number> {
    return this.#api.endOtherSessions();
  }

  /** What `deleteAccount` would destroy, hand over and leave. */
  async deletionPlan(): Promise<RemoteDeletionPlan> {
    return this.#api.deletionPlan();
  }

  /**
   * Deletes the account with everything the plan names, and locks. `confirmation` is the account's e-mail address as somebody typed it. Answers
   * with a certificate to keep: `proveDeletion` finds it in the audit log. Throws `authentication.wrong-confirmation`,
   * `authorization.last-owner` and `memories.owner-needed`; nothing was changed then.
   */
  async deleteAccount(options: {
    readonly password: string;
    readonly confirmation: string;
    readonly deleteSpaces?: readonly Uuid[];
  }): Promise<DeletionCertificate> {
    const { password, confirmation, deleteSpaces = [] } = options;
    const account = this.#account ?? (await this.resume());
    await this.reauthenticate(password);
    const answer = await this.#api.deleteAccount({ confirmation, deleteSpaces: [...deleteSpaces] });
    for (const space of this.#spaces.keys()) await this.#leave(space);
    this.lock();
    this.#account = null;
    const certificate = checkDeletionCertificate(answer);
    if (certificate.account !== account.id) throw new ClientError('client.invalid-certificate');
    return certificate;
  }

  protected sharing(): Sharing {
    return { api: this.#api, keys: this.#unlocked(), trust: this.#trust, clock: this.#clock };
  }

  protected openSpaces(): readonly OpenSpace[] {
    return [...this.#spaces.values()];
  }

  protected refreshedSpace(space: Uuid): Promise<OpenSpace> {
    return this.#refreshed(space, this.#unlocked());
  }

  protected async changedSpace(remote: RemoteSpace): Promise<Space> {
    return spaceOf(await this.#take(remote, this.#unlocked()));
  }

  protected async leftSpace(space: Uuid): Promise<void> {
    if (this.#spaces.has(space)) await this.#leave(space);
  }

  /** Drops every key and everything opened. What the engine has not collected yet is out of reach. */
  lock(): void {
    this.#keys = null;
    this.#spaces = new Map();
    this.#index = new SearchIndex();
  }

  /** Ends the session on the server and locks. */
  async signOut(): Promise<void> {
    this.lock();
    this.#account = null;
    await this.#api.endSession('current');
  }

  async createSpace(name: string): Promise<Space> {
    const keys = this.#unlocked();
    const id = newUuid(this.#clock.now());
    const { spaceKey, wrapping } = await createSpaceKey(keys, id);
    const sealedName = await sealSpaceName(spaceKey, name);
    const remote = await this.#api.createSpace({ id, sealedName, epoch: 1, wrappedKey: wrapping });
    return spaceOf(await this.#take(remote, keys));
  }

  /** As the server has them now. */
  async listSpaces(): Promise<Space[]> {
    const keys = this.#unlocked();
    const found: OpenSpace[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#api.spaces({ cursor });
      for (const remote of page.items) found.push(await this.#take(remote, keys));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    const ids = new Set(found.map((space) => space.id));
    for (const id of this.#spaces.keys()) if (!ids.has(id)) await this.#leave(id);
    return found.map(spaceOf);
  }

  /** Brings this device's copy of a space up to date. Throws `client.rolled-back` for a server that contradicts itself. */
  async sync(space: Uuid, signal?: AbortSignal): Promise<SyncResult> {
    const open = await this.#space(space);
    const result = await open.sync(signal);
    if (!open.lacksKey) return result;
    // Somebody gave the space a new key, or shared a former one, since it was fetched.
    await this.#refreshed(space, this.#unlocked());
    const again = await open.sync(signal);
    return { ...again, changed: result.changed + again.changed, removed: result.removed + again.removed };
  }

  async remember(space: Uuid, input: MemoryInput): Promise<OpenedMemory> {
    const createdAt = new Date(this.#clock.now()).toISOString();
    const document: MemoryDocument = { ...written(input), createdAt };
    return this.#write(space, newUuid(this.#clock.now()), 0, document);
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
    const removed = await this.#api.deleteMemory(space, id, expectedVersion);
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
    return readHistory(await this.#space(space), this.#api, id);
  }

  /** The best answers of what this device has opened; `sync` first to see what is new. */
  async recall(
    query: string,
    options: { readonly limit?: number; readonly spaces?: readonly Uuid[] } = {},
  ): Promise<Recalled[]> {
    this.#unlocked();
    const { limit = DEFAULT_RESULTS, spaces } = options;
    const wanted = spaces === undefined ? undefined : new Set<string>(spaces);
    const found = this.#index.search(query, limit, (key) => wanted === undefined || wanted.has(key.split('/')[0]!));
    return found.flatMap(({ id: key, score }) => {
      const [space, id] = key.split('/') as [Uuid, Uuid];
      const memory = this.#spaces.get(space)?.memories.get(id);
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
    const account = this.#account!;
    return importItems(
      { space: await this.#space(space), api: this.#api, clock: this.#clock, author: account.id },
      items,
      options,
    );
  }

  async #write(space: Uuid, id: Uuid, expectedVersion: number, document: MemoryDocument): Promise<OpenedMemory> {
    const open = await this.#space(space);
    try {
      return await this.#seal(open, id, expectedVersion, document);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'memories.stale-epoch') throw error;
      // The key was changed: seal under the new one.
      return this.#seal(await this.#refreshed(space, this.#unlocked()), id, expectedVersion, document);
    }
  }

  async #seal(open: OpenSpace, id: Uuid, expectedVersion: number, document: MemoryDocument): Promise<OpenedMemory> {
    const space = open.id;
    const version = expectedVersion + 1;
    const key = open.currentKey();
    const token = await sealDocument(key, { id, version }, document);
    const { epoch } = key;
    const answer =
      expectedVersion === 0
        ? await this.#api.createMemory(space, { id, epoch, token })
        : await this.#api.updateMemory(space, id, { expectedVersion, epoch, token });
    if (answer.id !== id || answer.version !== version) throw new ClientError('client.bad-answer');
    open.acknowledge(id, version);
    const memory = { space, id, version, document, author: this.#account!.id, writtenAt: answer.writtenAt };
    open.put(memory);
    return memory;
  }

  #unlocked(): AccountKeys {
    if (this.#account === null) throw new ClientError('client.signed-out');
    if (this.#keys === null) throw new ClientError('client.locked');
    return this.#keys;
  }

  async #space(id: Uuid): Promise<OpenSpace> {
    const keys = this.#unlocked();
    return this.#spaces.get(id) ?? this.#refreshed(id, keys);
  }

  /** As the server has it now. */
  async #refreshed(id: Uuid, keys: AccountKeys): Promise<OpenSpace> {
    if (!isUuid(id)) throw new ClientError('client.unknown-space');
    const remote = await this.#api.space(id);
    if (remote.id !== id) throw new ClientError('client.bad-answer');
    return this.#take(remote, keys);
  }

  async #take(remote: RemoteSpace, keys: AccountKeys): Promise<OpenSpace> {
    const open =
      this.#spaces.get(remote.id) ?? new OpenSpace(remote, () => this.#api, this.#cache, this.#index, this.#trust);
    await open.refresh(remote, keys);
    // Locked, or taken by somebody else, while the keys were being opened.
    if (this.#keys !== keys) throw new ClientError('client.locked');
    const known = this.#spaces.get(remote.id);
    if (known !== undefined) return known;
    this.#spaces.set(remote.id, open);
    return open;
  }

  async #leave(space: Uuid): Promise<void> {
    for (const id of this.#spaces.get(space)!.memories.keys()) this.#index.remove(indexKey(space, id));
    this.#spaces.delete(space);
    await this.#cache.remove(space);
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
