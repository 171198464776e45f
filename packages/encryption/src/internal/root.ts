/** The root in memory, and the slots it lives in. */
import { systemClock, type Clock } from '@strongroom/kernel';
import { EncryptionError } from '../errors.ts';
import type { RootSlot } from '../root-slot.ts';
import { RootKeyring } from './root-keyring.ts';
import { WrappingKey } from './tree/wrapping-key.ts';

export interface RootOptions {
  readonly slots: readonly RootSlot[];
  readonly mustExist: boolean;
  readonly clock?: Clock | undefined;
}

/** What became of one slot. */
export interface SlotState {
  readonly slot: RootSlot;
  /** Revision of the keyring it holds; `undefined` when it is empty or cannot be read. */
  readonly revision: number | undefined;
  readonly failure?: unknown;
  /** It failed while it was written, and nobody can tell what it holds. */
  readonly unknown?: true;
}

export class Root {
  readonly #slots: readonly RootSlot[];
  readonly #generations = new Map<RootSlot, number>();
  /** By version of the tree: while a root is being replaced, the database may still be at the former one. */
  #treeKeys = new Map<number, WrappingKey>();
  #keyring: RootKeyring;
  /** False until a keyring came out of a slot: before that the one in memory is a proposal. */
  #isRead = false;
  #reloading: Promise<readonly SlotState[]> | undefined;

  private constructor(slots: readonly RootSlot[], keyring: RootKeyring) {
    this.#slots = slots;
    this.#keyring = keyring;
    this.prepare(keyring);
  }

  /** Reads the root from its slots, or makes one there if none was ever written. Throws `encryption.root-…`. */
  static async open({ slots, mustExist, clock = systemClock }: RootOptions): Promise<Root> {
    if (slots[0] === undefined) throw new TypeError('encryption: a root needs at least one slot');
    const root = new Root(slots, RootKeyring.create(clock.now()));
    const states = await root.#read();
    if (states.some(({ revision }) => revision !== undefined)) return root;
    const broken = states.find(({ failure }) => failure !== undefined);
    if (broken !== undefined) throw broken.failure;
    if (mustExist) {
      const names = slots.map(({ name }) => name).join(', ');
      throw new EncryptionError('encryption.root-missing', { detail: `It was expected in: ${names}.` });
    }
    await root.#makeFirst();
    return root;
  }

  get keyring(): RootKeyring {
    return this.#keyring;
  }

  get slots(): readonly RootSlot[] {
    return this.#slots;
  }

  /** `undefined` for a version of the tree whose root is not, or no longer, in memory. */
  treeKey(version: number): WrappingKey | undefined {
    return this.#treeKeys.get(version);
  }

  /** Reads every slot and takes over the highest revision. Callers at the same time share one reading. */
  reload(): Promise<readonly SlotState[]> {
    this.#reloading ??= this.#read().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** From now on the tree opens under this keyring's root too. */
  prepare(keyring: RootKeyring): void {
    this.#treeKeys.set(keyring.treeVersion, new WrappingKey(keyring.treeSecret()));
  }

  /** The keyring counts from now on. */
  adopt(keyring: RootKeyring): void {
    this.prepare(keyring);
    this.#keyring = keyring;
  }

  /** The database is at this version of the tree: a former root is forgotten. True when there was one. */
  settle(version: number): boolean {
    const former = [...this.#treeKeys.keys()].filter((other) => other < version);
    for (const other of former) this.#treeKeys.delete(other);
    return former.length > 0;
  }

  /**
   * Stores `next` in every slot, one after the other; answers what each did. Ends with the first slot when that does not take it: nothing was
   * changed then, unless it says `unknown`.
   */
  async replace(next: RootKeyring): Promise<readonly SlotState[]> {
    const states: SlotState[] = [];
    for (const slot of this.#slots) {
      const state = await this.#store(slot, next);
      states.push(state);
      if (states.length === 1 && state.revision !== next.revision) break;
    }
    return states;
  }

  async #store(slot: RootSlot, next: RootKeyring): Promise<SlotState> {
    const material = next.encode();
    const generation = this.#generations.get(slot) ?? 0;
    try {
      await slot.store(material, generation);
      this.#generations.set(slot, generation + 1);
      return { slot, revision: next.revision };
    } catch (failure) {
      const found = await this.#load(slot);
      if (found.failure !== undefined) {
        return { slot, revision: undefined, failure: unknownOutcome(slot, found.failure), unknown: true };
      }
      return { slot, revision: found.keyring?.revision, failure };
    } finally {
      material.fill(0);
    }
  }

  async #read(): Promise<readonly SlotState[]> {
    const found = await Promise.all(this.#slots.map((slot) => this.#load(slot)));
    let best: RootKeyring | undefined;
    for (const { keyring } of found) {
      if (keyring !== undefined && (best === undefined || keyring.revision > best.revision)) best = keyring;
    }
    if (best !== undefined && (!this.#isRead || best.revision > this.#keyring.revision)) {
      // The keyring that was only proposed leaves nothing behind.
      if (!this.#isRead) this.#treeKeys.clear();
      this.#isRead = true;
      this.adopt(best);
    }
    return found.map(({ slot, keyring, failure }) => ({
      slot,
      revision: keyring?.revision,
      ...(failure === undefined ? {} : { failure }),
    }));
  }

  async #load(slot: RootSlot): Promise<{ slot: RootSlot; keyring?: RootKeyring; failure?: unknown }> {
    try {
      const stored = await slot.load();
      this.#generations.set(slot, stored?.generation ?? 0);
      if (stored === undefined) return { slot };
      try {
        return { slot, keyring: RootKeyring.decode(stored.material) };
      } finally {
        stored.material.fill(0);
      }
    } catch (failure) {
      return { slot, failure };
    }
  }

  async #makeFirst(): Promise<void> {
    const [first] = this.#slots;
    const states = await this.replace(this.#keyring);
    const failed = states.find(({ failure }) => failure !== undefined);
    // Two processes started at once; the one that came first made the key for both.
    if (failed !== undefined && !isConflict(failed.failure)) throw failed.failure;
    // What counts is what the slot gives back, not what was handed to it.
    const [read] = await this.reload();
    if (read?.revision === undefined) {
      throw (
        read?.failure ?? new EncryptionError('encryption.root-unavailable', { detail: `${first!.name} stays empty.` })
      );
    }
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof EncryptionError && error.code === 'encryption.root-conflict';

const unknownOutcome = (slot: RootSlot, cause: unknown): EncryptionError =>
  new EncryptionError('encryption.root-unavailable', {
    detail: `${slot.name} failed while it was being written and cannot be read.`,
    cause,
  });
