/** Encryption of single values in database columns, and the keyed hashes by which they are found. */
import { inspect } from 'node:util';
import { isUuid, systemClock, utf8, type Bytes, type Clock, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { Algorithm } from './algorithms.ts';
import { EncryptionError } from './errors.ts';
import { FieldSealer, KeySet } from './internal/field-sealer.ts';
import { hmacSha256 } from './internal/hkdf.ts';
import { LoadedKeys } from './internal/loaded-keys.ts';
import type { LoadedSubject } from './internal/loaded-subject.ts';
import { Root } from './internal/root.ts';
import { createSubjects, refuseErased } from './internal/tree/create-subjects.ts';
import { loadSubjects, type Tree } from './internal/tree/load-subjects.ts';
import { inOrder, TreeKeys } from './internal/tree/tree-keys.ts';
import type { BeforeReplacing } from './key-reports.ts';
import { keyTree, type KeyTree } from './key-tree.ts';
import type { ColumnPlace, Place } from './place.ts';
import type { RootSlot } from './root-slot.ts';
import type { Sealer, SubjectKeys } from './sealer.ts';

/**
 * Holds no key that inspection, JSON or structured cloning could reach. By itself it seals and opens what is about nobody; for values about
 * people `subjects` gives their keys.
 */
export interface Encryption extends Sealer {
  /** The key version under which new values are written. */
  readonly keyVersion: number;
  /** The key version of keyed hashes, and of blind indexes that were never rotated. */
  readonly lookupVersion: number;
  /**
   * The keys of these people, read in this transaction with one statement; everything else about them is synchronous then. `create`: those
   * who have none get one, in this transaction too; throws `encryption.subject-erased` for people who were erased.
   * Without `create` they are missing: `has` says so, and sealing or opening for them throws `encryption.subject-erased`.
   * Throws `encryption.root-outdated`, `encryption.tree-mismatch` or `encryption.tree-damaged`.
   *
   * Here a process learns that keys were rotated elsewhere. Where several processes share a database, seal and open values about nobody with the
   * result as well, for no people at all if need be.
   */
  subjects(
    transaction: Transaction,
    subjects: readonly Uuid[],
    options?: { readonly create?: boolean | undefined },
  ): Promise<SubjectKeys>;
  /** 32 bytes, HMAC-SHA-256 under a key of this installation that no other purpose shares. */
  keyedHash(purpose: string, input: Uint8Array): Bytes;
  /** Erasure of people, replacement of the root, and how the keys are doing. */
  readonly keyTree: KeyTree;
}

export interface EncryptionOptions {
  readonly slot: RootSlot;
  /** More places that hold the same root, for example an escrow. An erasure is complete when every one of them has acknowledged it. */
  readonly furtherSlots?: readonly RootSlot[] | undefined;
  /** Set when encrypted data exist: then an empty slot is `encryption.root-missing` instead of a new root key. */
  readonly mustExist?: boolean | undefined;
  /** Where copies of the key tree are made: each replacement of the root makes the former ones worthless. */
  readonly beforeReplacing?: BeforeReplacing | undefined;
  readonly clock?: Clock | undefined;
}

/** Reads the root key from its slot, or makes one there if the slot was never written. */
export async function createEncryption(options: EncryptionOptions): Promise<Encryption> {
  const { slot, furtherSlots = [], mustExist = false, beforeReplacing, clock = systemClock } = options;
  const root = await Root.open({ slots: [slot, ...furtherSlots], mustExist, clock });
  return new FieldEncryption(root, clock, beforeReplacing);
}

const LEDGER_PURPOSE = 'encryption.shredded-subject';

class FieldEncryption implements Encryption {
  readonly #root: Root;
  readonly #tree: Tree;
  readonly keyTree: KeyTree;
  #keys: KeySet;
  #sealer: FieldSealer;
  #revision = 0;

  constructor(root: Root, clock: Clock, beforeReplacing: BeforeReplacing | undefined) {
    this.#root = root;
    this.#tree = { root, keys: new TreeKeys() };
    this.keyTree = keyTree(this.#tree, clock, (subject) => this.#ledgerHash(subject), beforeReplacing);
    this.#keys = new KeySet(root.keyring);
    this.#sealer = this.#newSealer();
    this.#revision = root.keyring.revision;
  }

  get keyVersion(): number {
    return this.#root.keyring.currentVersion;
  }

  get lookupVersion(): number {
    return this.#root.keyring.lookupVersion;
  }

  seal(place: Place, plaintext: string | Uint8Array, algorithm?: Algorithm): Bytes {
    return this.#present().seal(place, plaintext, algorithm);
  }

  open(place: Place, value: Uint8Array): Bytes {
    return this.#noticing(() => this.#present().open(place, value));
  }

  openText(place: Place, value: Uint8Array): string {
    return this.#noticing(() => this.#present().openText(place, value));
  }

  blindIndex(place: ColumnPlace, normalised: string, keyVersion?: number): Bytes {
    return this.#present().blindIndex(place, normalised, keyVersion);
  }

  keyedHash(purpose: string, input: Uint8Array): Bytes {
    this.#present();
    return new Uint8Array(hmacSha256(this.#keys.hierarchy.hashKey(purpose), input));
  }

  async subjects(
    transaction: Transaction,
    subjects: readonly Uuid[],
    { create = false }: { readonly create?: boolean | undefined } = {},
  ): Promise<SubjectKeys> {
    const wanted = inOrder(subjects);
    if (!wanted.every(isUuid)) throw new TypeError('subjects: every subject must be a UUIDv7');
    const loaded = await loadSubjects(this.#tree, transaction, wanted);
    if (create) await this.#create(transaction, wanted, loaded);
    this.#present();
    return new LoadedKeys(this.#keys, loaded, wanted);
  }

  [inspect.custom](): string {
    return `Encryption { keyVersion: ${this.keyVersion} }`;
  }

  async #create(transaction: Transaction, wanted: readonly Uuid[], loaded: Map<Uuid, LoadedSubject>): Promise<void> {
    const missing = wanted.filter((subject) => !loaded.has(subject));
    if (missing.length === 0) return;
    const made = await createSubjects(this.#tree, transaction, missing);
    await refuseErased(
      transaction,
      missing.map((subject) => this.#ledgerHash(subject)),
    );
    for (const [subject, key] of made) loaded.set(subject, key);
    const contested = missing.filter((subject) => !made.has(subject));
    if (contested.length === 0) return;
    // Another transaction was first; it is committed by now.
    for (const [subject, key] of await loadSubjects(this.#tree, transaction, contested)) loaded.set(subject, key);
    if (contested.some((subject) => !loaded.has(subject))) throw new EncryptionError('encryption.subject-erased');
  }

  #ledgerHash(subject: Uuid): Uint8Array {
    return this.keyedHash(LEDGER_PURPOSE, utf8(subject));
  }

  /** The root is replaced now and then, here or by another process. */
  #present(): FieldSealer {
    const { keyring } = this.#root;
    if (keyring.revision !== this.#revision) {
      this.#keys = new KeySet(keyring);
      this.#sealer = this.#newSealer();
      this.#revision = keyring.revision;
    }
    return this.#sealer;
  }

  #newSealer(): FieldSealer {
    return new FieldSealer(this.#keys, () => undefined);
  }

  /** A value under a key version that another process has just made: the next attempt will know it. */
  #noticing<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (error instanceof EncryptionError && error.code === 'encryption.key-missing') {
        void this.#root.reload().catch(() => undefined);
      }
      throw error;
    }
  }
}
