/**
 * A space as sealed blocks. Every memory lies in one block. What changed moves to the last block, and the block where it was is written
 * anew without it, in one step: no block holds what is deleted or replaced. A block is named after its newest change when it was
 * made, so those with greater names hold newer ones.
 *
 *   block = wrapBytes(account key, "device-block", space, end; pad(JSON of its memories))
 *   head  = wrapBytes(account key, "device-head", space; pad(JSON of {position, blocks: [end, …]}))
 *   index = wrapBytes(account key, "device-index", space, sequence; bytes of the index)
 *
 * Whoever can write to the disk can put all of an older state back, as with a copied disk; the feed then brings it up to date. Taking single
 * blocks away is found by the head; an older form of a single block holds nothing that a later block does not replace.
 */
import { fromUtf8, utf8, type Bytes, type Uuid } from '@strongroom/kernel';
import {
  pad,
  SealingError,
  unpad,
  unwrapBytes,
  wrapBytes,
  type AccountKeys,
  type WrapContext,
} from '@strongroom/sealing';
import type { BlockCache, KeptSpace, SealedBlock } from '../block-cache.ts';
import { SearchIndex } from '../search-index.ts';
import type { KnownMemory, LoadedCopy, SpaceCopy } from './space-copy.ts';

/** Memories of one block, and characters of their texts: what one change writes anew. */
const BLOCK_MEMORIES = 500;
const BLOCK_CHARACTERS = 1_000_000;
/** Changes after which the kept index is replaced; until then they are indexed at the next visit. */
const FEW_CHANGES = 200;

interface Head {
  readonly position: number;
  readonly blocks: readonly number[];
}

export class BlockCopy implements SpaceCopy {
  readonly #cache: BlockCache;
  readonly #space: Uuid;
  readonly #keys: AccountKeys;
  readonly #memories = new Map<Uuid, KnownMemory>();
  /** Ids by the name of their block. */
  #blocks = new Map<number, Set<Uuid>>();
  readonly #blockOf = new Map<Uuid, number>();
  #position = 0;
  #loaded = false;
  /** Of the kept state that this one lies over; null when somebody else wrote another. */
  #stamp: string | null = null;
  #kept = true;
  #changesSinceIndex = 0;
  #removedSinceIndex = false;

  constructor(cache: BlockCache, space: Uuid, keys: AccountKeys) {
    this.#cache = cache;
    this.#space = space;
    this.#keys = keys;
  }

  async load(): Promise<LoadedCopy> {
    if (this.#loaded) return { position: this.#position, memories: once([...this.#memories.values()]), index: null };
    this.#loaded = true;
    const kept = await this.#cache.read(this.#space);
    this.#kept = kept !== null;
    const opened = kept === null ? null : await this.#openKept(kept);
    if (kept === null || opened === null) return { position: 0, memories: once([]), index: null };
    const { head, blocks } = opened;
    this.#stamp = kept.stamp;
    this.#position = head.position;
    const index = await this.#openIndex(kept);
    return { position: head.position, memories: this.#takeAll(blocks, index?.sequence ?? 0), index };
  }

  /** Null for nothing, and for what is not usable: it stays until something as new replaces it. */
  async #openKept(kept: KeptSpace): Promise<{ head: Head; blocks: readonly OpenedBlock[] } | null> {
    if (kept.head === null) this.#stamp = kept.stamp;
    const head = kept.head === null ? null : await this.#openHead(kept.head, kept.blocks);
    const blocks = head === null ? null : await this.#openAll(kept.blocks);
    return head === null || blocks === null ? null : { head, blocks };
  }

  async save(memories: readonly KnownMemory[], position: number): Promise<void> {
    if (!this.#kept) return;
    const changed = this.#place(latestOf(memories));
    this.#position = position;
    for (const { token, document } of memories) {
      this.#changesSinceIndex += 1;
      if (token === null && document === undefined) this.#removedSinceIndex = true;
    }
    if (this.#stamp !== null && (await this.#write(this.#stamp, changed)) !== 'overtaken') return;
    // Somebody else wrote: theirs stays when it is further, and is replaced whole otherwise.
    await this.#write(null, { written: [...this.#blocks.keys()], removed: [] });
  }

  async saveIndex(index: SearchIndex, position: number): Promise<void> {
    const few = Math.max(FEW_CHANGES, index.size / 20);
    // Words of what was deleted do not stay, not even sealed.
    if (!this.#kept || this.#stamp === null || (this.#changesSinceIndex < few && !this.#removedSinceIndex)) return;
    this.#changesSinceIndex = 0;
    this.#removedSinceIndex = false;
    const bytes = await wrapBytes(this.#keys.wrappingKey, this.#indexContext(position), index.encode());
    await this.#cache.writeIndex(this.#space, { sequence: position, bytes });
  }

  async remove(): Promise<void> {
    this.#kept = false;
    await this.#cache.remove(this.#space);
  }

  /** Which blocks must be written, and which are no more. */
  #place(memories: readonly KnownMemory[]): Placed {
    const before = new Set(this.#blocks.keys());
    const written = new Set<number>();
    for (const { id } of memories) {
      const block = this.#blockOf.get(id);
      if (block === undefined) continue;
      this.#blocks.get(block)!.delete(id);
      this.#blockOf.delete(id);
      written.add(block);
    }
    let tail = this.#tail();
    for (const memory of memories) {
      const { id, sequence } = memory;
      // What is open needs no token any more.
      this.#memories.set(id, memory.document === undefined ? memory : { ...memory, token: null });
      const length = lengthOf(memory);
      if (tail.ids.size >= BLOCK_MEMORIES || tail.characters + length > BLOCK_CHARACTERS) {
        tail = { end: 0, ids: new Set(), characters: 0 };
      }
      tail.ids.add(id);
      tail.characters += length;
      // The block's name grows with it.
      if (tail.end !== 0) this.#blocks.delete(tail.end);
      written.delete(tail.end);
      tail.end = sequence;
      this.#blocks.set(sequence, tail.ids);
      written.add(sequence);
    }
    for (const end of written) {
      const ids = this.#blocks.get(end);
      if (ids === undefined || ids.size === 0) {
        this.#blocks.delete(end);
        written.delete(end);
      } else for (const id of ids) this.#blockOf.set(id, end);
    }
    const removed = [...before].filter((end) => !this.#blocks.has(end));
    return { written: [...written], removed };
  }

  #tail(): { end: number; readonly ids: Set<Uuid>; characters: number } {
    const end = Math.max(0, ...this.#blocks.keys());
    const ids = this.#blocks.get(end) ?? new Set();
    let characters = 0;
    for (const id of ids) characters += lengthOf(this.#memories.get(id)!);
    return { end, ids, characters };
  }

  async #write(expects: string | null, { written, removed }: Placed): Promise<'written' | 'overtaken' | 'gone'> {
    const put = await Promise.all(written.map((end) => this.#sealBlock(end)));
    const head: Head = { position: this.#position, blocks: [...this.#blocks.keys()].toSorted(byNumber) };
    const stamp = crypto.randomUUID();
    const outcome = await this.#cache.write(this.#space, {
      expects,
      stamp,
      sequence: this.#position,
      head: await this.#seal(['device-head', this.#space], head),
      put,
      remove: removed,
    });
    this.#stamp = outcome === 'written' ? stamp : null;
    this.#kept = outcome !== 'gone';
    return outcome;
  }

  async #sealBlock(end: number): Promise<SealedBlock> {
    const memories = [...this.#blocks.get(end)!].map((id) => this.#memories.get(id)!);
    return { end, bytes: await this.#seal(this.#blockContext(end), memories) };
  }

  #seal(context: WrapContext, content: unknown): Promise<Bytes> {
    return wrapBytes(this.#keys.wrappingKey, context, pad(utf8(JSON.stringify(content))));
  }

  async #open(context: WrapContext, bytes: Bytes): Promise<unknown> {
    const padded = await unwrapBytes(this.#keys.wrappingKey, context, bytes);
    return JSON.parse(fromUtf8(unpad(padded)));
  }

  /** Null for one that does not open, or that names other blocks than there are. */
  async #openHead(head: Bytes, blocks: readonly SealedBlock[]): Promise<Head | null> {
    const opened = (await nullIfClosed(this.#open(['device-head', this.#space], head))) as Head | null;
    const same = opened?.blocks.length === blocks.length && blocks.every(({ end }) => opened.blocks.includes(end));
    return same ? opened : null;
  }

  /** Null when one does not open: a copy with a gap is none. */
  async #openAll(blocks: readonly SealedBlock[]): Promise<readonly OpenedBlock[] | null> {
    const sorted = blocks.toSorted((left, right) => left.end - right.end);
    const opened = await Promise.all(
      sorted.map(async ({ end, bytes }) => ({
        end,
        content: await nullIfClosed(unwrapBytes(this.#keys.wrappingKey, this.#blockContext(end), bytes)),
      })),
    );
    return opened.every((block): block is OpenedBlock => block.content !== null) ? opened : null;
  }

  async *#takeAll(blocks: readonly OpenedBlock[], indexed: number): AsyncGenerator<readonly KnownMemory[]> {
    for (const { end, content } of blocks) {
      const memories = JSON.parse(fromUtf8(unpad(content))) as readonly KnownMemory[];
      for (const memory of memories) {
        this.#memories.set(memory.id, memory);
        this.#blockOf.set(memory.id, end);
        if (memory.sequence > indexed) this.#changesSinceIndex += 1;
      }
      this.#blocks.set(end, new Set(memories.map(({ id }) => id)));
      yield memories;
    }
  }

  async #openIndex({ index }: KeptSpace): Promise<LoadedCopy['index']> {
    if (index === null) return null;
    const opened = unwrapBytes(this.#keys.wrappingKey, this.#indexContext(index.sequence), index.bytes);
    const bytes = await nullIfClosed(opened);
    const decoded = bytes === null ? null : SearchIndex.decode(bytes);
    return decoded && { index: decoded, sequence: index.sequence };
  }

  #blockContext(end: number): WrapContext {
    return ['device-block', this.#space, String(end)];
  }

  #indexContext(sequence: number): WrapContext {
    return ['device-index', this.#space, String(sequence)];
  }
}

interface Placed {
  readonly written: readonly number[];
  readonly removed: readonly number[];
}

interface OpenedBlock {
  readonly end: number;
  readonly content: Bytes;
}

const lengthOf = ({ token, document }: KnownMemory): number => document?.text.length ?? token?.length ?? 0;

/** Of a memory that changed while the feed was followed, the last state only. */
function latestOf(memories: readonly KnownMemory[]): KnownMemory[] {
  const latest = new Map(memories.map((memory) => [memory.id, memory]));
  return memories.filter((memory) => latest.get(memory.id) === memory);
}

const byNumber = (left: number, right: number): number => left - right;

/** What does not open was damaged, or belongs to another account: as if it were not there. */
async function nullIfClosed<Opened>(opening: Promise<Opened>): Promise<Opened | null> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof SealingError) return null;
    throw error;
  }
}

async function* once(memories: readonly KnownMemory[]): AsyncGenerator<readonly KnownMemory[]> {
  yield memories;
}
