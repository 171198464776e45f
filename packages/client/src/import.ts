/** Stores imported items: sealed here, sent in batches, none twice. */
import { isUuid, type Clock, type Uuid } from '@strongroom/kernel';
import type { Api } from './api.ts';
import { ClientError } from './errors.ts';
import type { ImportItem } from './import-item.ts';
import { digestOf, importIdentity } from './internal/import-identity.ts';
import { sealDocument } from './internal/item-codec.ts';
import type { OpenSpace } from './internal/open-space.ts';
import type { MemoryDocument } from './memory-document.ts';

export interface ImportOptions {
  /** Called after each batch. */
  readonly onProgress?: (progress: ImportResult) => void;
  readonly signal?: AbortSignal;
}

export interface ImportResult {
  readonly created: number;
  /** The original changed since it was imported. */
  readonly updated: number;
  /** There already, as the original has it. */
  readonly unchanged: number;
  /** Imported once and deleted here since: not brought back. */
  readonly deleted: number;
  /** Items that cannot be stored, by their key, with the reason. */
  readonly failed: readonly { readonly key: string; readonly code: string }[];
}

interface Target {
  readonly space: OpenSpace;
  readonly api: Api;
  readonly clock: Clock;
  /** The account that imports. */
  readonly author: Uuid;
}

/** Items of one batch: the server's maximum. */
export const BATCH_ITEMS = 100;
/** Characters of one batch's tokens; leaves room for the other fields below the server's 1 MiB. */
export const BATCH_CHARACTERS = 1_000_000;
/** Characters of a batch item besides its token. */
const ITEM_FRAME = 160;
/** How often a batch is judged again after somebody else changed the same memories in between. */
const ATTEMPTS = 5;

/** An original with its place in the space. */
interface Placed {
  readonly item: ImportItem;
  readonly id: Uuid;
  readonly digest: string;
}

interface Sealed extends Placed {
  readonly expectedVersion: number;
  readonly epoch: number;
  readonly token: string;
  readonly document: MemoryDocument;
}

export async function importItems(
  target: Target,
  items: Iterable<ImportItem> | AsyncIterable<ImportItem>,
  options: ImportOptions,
): Promise<ImportResult> {
  await target.space.sync(options.signal);
  const run = new ImportRun(target, options);
  const identify = await importIdentity(target.space.firstKey());
  const occurrences = new Map<string, number>();
  let pending: Placed[] = [];
  for await (const item of items) {
    const name = JSON.stringify([item.source, item.key]);
    const number = (occurrences.get(name) ?? 0) + 1;
    occurrences.set(name, number);
    // Two originals of one key are two memories, told apart by their order.
    const id =
      ownId(target.space, item) ?? (await identify(item.source, number === 1 ? item.key : `${item.key}#${number}`));
    pending.push({ item, id, digest: item.digest ?? (await digestOf(item)) });
    if (pending.length === BATCH_ITEMS) {
      await run.store(pending);
      pending = [];
    }
  }
  if (pending.length > 0) await run.store(pending);
  return run.result;
}

/** An exported memory that is imported where it came from is the memory itself, as it is there today. */
function ownId(space: OpenSpace, { exported }: ImportItem): Uuid | undefined {
  if (exported === undefined || !isUuid(exported)) return undefined;
  const isKnown = space.memories.has(exported) || space.isDeleted(exported) || space.unreadable(exported) !== undefined;
  return isKnown ? exported : undefined;
}

class ImportRun {
  readonly #target: Target;
  readonly #options: ImportOptions;
  #result: ImportResult = { created: 0, updated: 0, unchanged: 0, deleted: 0, failed: [] };

  constructor(target: Target, options: ImportOptions) {
    this.#target = target;
    this.#options = options;
  }

  get result(): ImportResult {
    return this.#result;
  }

  async store(placed: readonly Placed[]): Promise<void> {
    this.#options.signal?.throwIfAborted();
    const open = placed.filter((original) => !this.#isSettled(original));
    const sealed = await Promise.all(open.map((original) => this.#seal(original)));
    for (const batch of batches(sealed.filter((item) => item !== null))) await this.#send(batch, ATTEMPTS);
    this.#options.onProgress?.(this.#result);
  }

  /** Counts what needs no writing. */
  #isSettled({ item, id, digest }: Placed): boolean {
    const { space } = this.#target;
    const known = space.memories.get(id);
    if (known !== undefined && (id === item.exported || known.document.source?.digest === digest))
      this.#count('unchanged');
    else if (space.isDeleted(id)) this.#count('deleted');
    else if (space.unreadable(id) !== undefined) this.#fail(item, space.unreadable(id)!);
    else return false;
    return true;
  }

  async #seal(original: Placed): Promise<Sealed | null> {
    const { space, clock } = this.#target;
    const { item, id, digest } = original;
    const known = space.memories.get(id);
    const expectedVersion = known?.version ?? 0;
    const { source: name, key: originalKey, title, text, kind, tags, details } = item;
    const document: MemoryDocument = {
      text,
      ...(title === undefined ? {} : { title }),
      ...(kind === undefined ? {} : { kind }),
      tags,
      source: { name, key: originalKey, digest, details },
      createdAt: item.createdAt ?? known?.document.createdAt ?? new Date(clock.now()).toISOString(),
    };
    const key = space.currentKey();
    try {
      const token = await sealDocument(key, { id, version: expectedVersion + 1 }, document);
      return { ...original, expectedVersion, epoch: key.epoch, token, document };
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.#fail(item, error.code);
      return null;
    }
  }

  async #send(batch: readonly Sealed[], attempts: number): Promise<void> {
    const { space, api, author } = this.#target;
    const items = batch.map(({ id, expectedVersion, epoch, token }) => ({ id, expectedVersion, epoch, token }));
    let written;
    try {
      written = await api.writeBatch(space.id, { items }, this.#options.signal);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'memories.batch-conflict' || attempts === 1) throw error;
      // Another import of the same, or an earlier attempt of this one, was there first. Look again what is left to do.
      await space.sync(this.#options.signal);
      const open = batch.filter((original) => !this.#isSettled(original));
      const sealed = await Promise.all(open.map((original) => this.#seal(original)));
      const again = sealed.filter((item) => item !== null);
      if (again.length > 0) await this.#send(again, attempts - 1);
      return;
    }
    for (const [index, { id, expectedVersion, document }] of batch.entries()) {
      const answer = written[index];
      const version = expectedVersion + 1;
      if (answer?.id !== id || answer.version !== version) throw new ClientError('client.bad-answer');
      space.acknowledge(id, version);
      space.put({ space: space.id, id, version, document, author, writtenAt: answer.writtenAt });
      this.#count(expectedVersion === 0 ? 'created' : 'updated');
    }
  }

  #count(what: 'created' | 'updated' | 'unchanged' | 'deleted'): void {
    this.#result = { ...this.#result, [what]: this.#result[what] + 1 };
  }

  #fail({ key }: ImportItem, code: string): void {
    this.#result = { ...this.#result, failed: [...this.#result.failed, { key, code }] };
  }
}

/** In order, each below the server's limits. */
function batches(items: readonly Sealed[]): Sealed[][] {
  const found: Sealed[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const size = item.token.length + ITEM_FRAME;
    if (characters + size > BATCH_CHARACTERS) {
      found.push([]);
      characters = 0;
    }
    found.at(-1)!.push(item);
    characters += size;
  }
  return found;
}
