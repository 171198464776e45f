/** Erasing people by replacing the root above them; see docs/format/keys.md. What `keys status|rotate|shred` call. */
import { isUuid, StrongroomError, type Clock, type Uuid } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { EncryptionError } from './errors.ts';
import type { SlotState } from './internal/root.ts';
import type { RootKeyring } from './internal/root-keyring.ts';
import { expectBeneath } from './internal/tree/beneath.ts';
import { acknowledge, discard, moveTo, raiseRevision } from './internal/tree/finish.ts';
import { ensureTree } from './internal/tree/create-subjects.ts';
import { Lease } from './internal/tree/lease.ts';
import { mismatch, refuseOutdated, rootFor, type RootState, type Tree } from './internal/tree/load-subjects.ts';
import { realign } from './internal/tree/realign.ts';
import { stage } from './internal/tree/stage.ts';
import { isIndexVersion, readState } from './internal/tree/state.ts';
import { byteStrings, uuids } from './internal/tree/tables.ts';
import type {
  BeforeReplacing,
  KeyOptions,
  KeyProgress,
  KeyStatus,
  RotateOptions,
  RotateReport,
  ShredReport,
  SlotReport,
  TreeState,
} from './key-reports.ts';

/** People erased with one replacement of the root: bounds memory, and how long one transaction takes. */
const SUBJECTS_AT_ONCE = 256;

/** All functions open transactions of their own: never call them inside one. Each also throws storage's and the slots' errors. */
export interface KeyTree {
  /**
   * Erases these people: when it resolves with `complete`, nothing about them opens any more, whatever rows, logs or backups somebody kept.
   * Repeating it is harmless. Throws `encryption.shred-running` while another process replaces the root; whatever else it throws, each person is
   * either as before or in the ledger, never something in between.
   */
  shred(database: Database, subjects: readonly Uuid[], options?: KeyOptions): Promise<ShredReport>;
  /** A new key version for new values, and a new root for the tree. Values of former versions stay readable until `retire`. */
  rotate(database: Database, options?: RotateOptions): Promise<RotateReport>;
  /**
   * Forgets a key version. The caller has made sure that no value is left under it. Where blind indexes or keyed hashes need its secret, it stays for
   * them alone: no value opens under it any more. Throws `encryption.key-in-use` for the current version.
   */
  retire(database: Database, version: number): Promise<readonly SlotReport[]>;
  /**
   * Finishes what a crash or an unreachable slot left: rolls a replacement forward when a slot has the next root, otherwise back, and
   * writes slots that fell behind. Called at start and by a job. True when nothing is left to do.
   */
  recover(database: Database): Promise<boolean>;
  status(database: Database): Promise<KeyStatus>;
  /** Where the tree is, without asking the slots; `undefined` before the first person. */
  state(database: Database): Promise<TreeState | undefined>;
  /** Key versions under which values open. */
  openable(): readonly number[];
  /**
   * The tables of the tree were just restored from a copy: the root that is here counts from now on, though a later state of the same keys was once
   * stored elsewhere. A replacement that was being prepared when the copy was made is finished when that root is the prepared one, and dropped when
   * it is the one before. Throws `encryption.tree-mismatch` when the tables hang beneath neither.
   */
  realign(transaction: Transaction): Promise<void>;
  /** Which of these people were erased: what a restore asks before it keeps their rows. */
  shreddedOf(transaction: Transaction, subjects: readonly Uuid[]): Promise<ReadonlySet<Uuid>>;
}

type HashOf = (subject: Uuid) => Uint8Array;

export const keyTree = (tree: Tree, clock: Clock, hashOf: HashOf, beforeReplacing?: BeforeReplacing): KeyTree =>
  new RootedTree(tree, clock, hashOf, beforeReplacing);

class RootedTree implements KeyTree {
  readonly #tree: Tree;
  readonly #clock: Clock;
  readonly #hashOf: HashOf;
  readonly #beforeReplacing: BeforeReplacing;

  constructor(tree: Tree, clock: Clock, hashOf: HashOf, beforeReplacing: BeforeReplacing = () => Promise.resolve()) {
    this.#tree = tree;
    this.#clock = clock;
    this.#hashOf = hashOf;
    this.#beforeReplacing = beforeReplacing;
  }

  async shred(database: Database, subjects: readonly Uuid[], options: KeyOptions = {}): Promise<ShredReport> {
    const wanted = [...new Set(subjects)];
    if (!wanted.every(isUuid)) throw new TypeError('shred: every subject must be a UUIDv7');
    return this.#held(database, async (lease) => {
      const order = await this.#inTreeOrder(database, wanted);
      const total = order.length;
      let [rootOperations, wraps, done] = [0, 0, 0];
      let states: readonly SlotState[] | undefined;
      for (let offset = 0; offset < total; offset += SUBJECTS_AT_ONCE) {
        options.signal?.throwIfAborted();
        const batch = order.slice(offset, offset + SUBJECTS_AT_ONCE);
        const next = this.#tree.root.keyring.withNewTreeRoot();
        const replaced = await this.#replace(database, lease, next, batch, false, (step) => {
          options.progress?.({ step, done, total });
        });
        if (replaced !== undefined) {
          rootOperations += 1;
          wraps += replaced.wraps;
          states = replaced.states;
        }
        done += batch.length;
        options.progress?.({ step: 'moved', done, total });
      }
      const slots =
        states === undefined ? await this.#slotReports() : reports(states, this.#tree.root.keyring.revision);
      return {
        shredded: total,
        already: wanted.length - total,
        rootOperations,
        wraps,
        complete: slots.every(({ acknowledged }) => acknowledged),
        erased: slots.every(({ erasure }) => erasure !== 'none'),
        slots,
      };
    });
  }

  async rotate(database: Database, { progress, settle }: RotateOptions = {}): Promise<RotateReport> {
    return this.#held(database, async (lease) => {
      const { root } = this.#tree;
      const newest = (): number => Math.max(...root.keyring.listVersions().map(({ version }) => version));
      let wraps = 0;
      // A former call may have been cut off between the two halves.
      if (newest() === root.keyring.currentVersion) {
        const next = root.keyring.withNewTreeRoot().withNewVersion(this.#clock.now());
        const replaced = await this.#replace(database, lease, next, [], true, (step) => {
          progress?.({ step, done: 0, total: 2 });
        });
        wraps = replaced?.wraps ?? 0;
      }
      progress?.({ step: 'moved', done: 1, total: 2 });
      const wait = settle ?? (database.engine === 'postgresql' ? 5000 : 0);
      await new Promise((resolve) => setTimeout(resolve, wait));
      const slots = await this.#restate(database, root.keyring.withCurrent(newest()));
      await this.#acknowledged(database, slots);
      progress?.({ step: 'moved', done: 2, total: 2 });
      return {
        keyVersion: root.keyring.currentVersion,
        wraps,
        complete: slots.every(({ acknowledged }) => acknowledged),
        slots,
      };
    });
  }

  async retire(database: Database, version: number): Promise<readonly SlotReport[]> {
    return this.#held(database, async () => {
      const { keyring } = this.#tree.root;
      if (version === keyring.currentVersion) {
        throw new EncryptionError('encryption.key-in-use', { detail: `It is version ${version}.` });
      }
      const scheme = keyring.version(version)?.scheme;
      const isLookup = version === keyring.lookupVersion || (await isIndexVersion(database, version));
      if (scheme === undefined || (isLookup && scheme === 'lookup')) return this.#slotReports();
      const slots = await this.#restate(
        database,
        isLookup ? keyring.withLookupOnly(version) : keyring.without(version),
      );
      await this.#acknowledged(database, slots);
      return slots;
    });
  }

  async recover(database: Database): Promise<boolean> {
    const state = await readState(database);
    if (state === undefined) return true;
    const states = await this.#tree.root.reload();
    const { keyring } = this.#tree.root;
    refuseOutdated(this.#tree.root, state);
    if (state.pending_version !== null && keyring.treeVersion === state.pending_version) {
      await moveTo(this.#tree, database, keyring, this.#clock.now());
    } else if (state.held && database.engine !== 'pglite') {
      // Whoever is at it will finish, or lose the lease.
      return false;
    }
    await this.#fits(database);
    const behind = states.some(({ revision }) => revision !== keyring.revision);
    const open = state.pending_version !== null || state.acknowledged_version !== state.version;
    // Whoever stored it was cut off before saying so, and perhaps before the former keyring was overwritten.
    const isCutOff = keyring.revision > state.keyring_revision;
    if (!behind && !open && !isCutOff) return true;
    return Lease.hold(database, this.#tree.root, (lease) => this.#settle(database, lease));
  }

  async status(database: Database): Promise<KeyStatus> {
    const slots = await this.#slotReports();
    const { keyring } = this.#tree.root;
    const counts = await database.transaction(asSystem, async (transaction) => {
      const { rows } = await sql<{ subjects: number; nodes: number; shredded: number; shredding: number }>`
        select (select count(*) from subject_keys) as subjects, (select count(*) from key_nodes) as nodes,
          (select count(*) from shredded_subjects) as shredded,
          (select count(*) from subject_keys where shred_hash is not null) as shredding`.execute(transaction);
      return rows[0]!;
    });
    const state = await readState(database);
    return {
      keyVersion: keyring.currentVersion,
      lookupVersion: keyring.lookupVersion,
      revision: keyring.revision,
      versions: keyring.listVersions().map(({ version, createdAt, scheme }) => ({
        version,
        createdAt,
        isLookupOnly: scheme === 'lookup',
      })),
      tree: {
        version: state?.version ?? keyring.treeVersion,
        complete:
          state === undefined || (state.pending_version === null && state.acknowledged_version === state.version),
        ...counts,
      },
      slots,
    };
  }

  async state(database: Database): Promise<TreeState | undefined> {
    const state = await readState(database);
    if (state === undefined) return undefined;
    const isReplacing = state.pending_version !== null;
    return {
      version: state.version,
      isReplacing,
      isComplete: !isReplacing && state.acknowledged_version === state.version,
    };
  }

  openable(): readonly number[] {
    return this.#tree.root.keyring
      .listVersions()
      .flatMap(({ version, scheme }) => (scheme === 'lookup' ? [] : [version]));
  }

  async realign(transaction: Transaction): Promise<void> {
    await realign(this.#tree, transaction, this.#clock.now());
  }

  async shreddedOf(transaction: Transaction, subjects: readonly Uuid[]): Promise<ReadonlySet<Uuid>> {
    const hashes = subjects.map((subject) => this.#hashOf(subject));
    const { rows } = await sql<{ hash: Uint8Array }>`
      select hash from shredded_subjects where hash = any(${byteStrings(hashes)})`.execute(transaction);
    const found = new Set(rows.map(({ hash }) => Buffer.from(hash).toString('hex')));
    return new Set(subjects.filter((_, index) => found.has(Buffer.from(hashes[index]!).toString('hex'))));
  }

  /** With the lease, and with nothing left over from before. */
  async #held<Result>(database: Database, work: (lease: Lease) => Promise<Result>): Promise<Result> {
    await database.transaction(asSystem, (transaction) => ensureTree(this.#tree, transaction));
    return Lease.hold(database, this.#tree.root, async (lease) => {
      await this.#tree.root.reload();
      await this.#settle(database, lease);
      return work(lease);
    });
  }

  /** Rolls forward or back, and brings every slot to the present root. */
  async #settle(database: Database, lease: Lease): Promise<boolean> {
    const { root } = this.#tree;
    const state = await readState(database);
    if (state === undefined) return true;
    refuseOutdated(root, state);
    if (state.pending_version !== null && root.keyring.treeVersion === state.pending_version) {
      await moveTo(this.#tree, database, root.keyring, this.#clock.now());
    }
    const moved = (await readState(database)) ?? state;
    // Before anything is stored: the highest revision of all slots may be another installation's, and would be copied over the right root.
    await this.#fits(database);
    const isSettled = moved.pending_version === null && moved.acknowledged_version === moved.version;
    if (isSettled && moved.keyring_revision >= root.keyring.revision && (await this.#slotsAgree())) return true;
    // Raises every slot's generation: whoever still wants to store a root prepared before is refused from here on.
    const slots = await this.#restate(database, root.keyring.restated());
    if (moved.pending_version !== null) await discard(database, lease);
    await this.#acknowledged(database, slots);
    return slots.every(({ acknowledged }) => acknowledged);
  }

  async #slotsAgree(): Promise<boolean> {
    const states = await this.#tree.root.reload();
    return states.every(({ revision }) => revision === this.#tree.root.keyring.revision);
  }

  /** Throws `encryption.tree-mismatch` when tree and root do not belong together. */
  async #fits(database: Database): Promise<void> {
    await database.transaction(asSystem, async (transaction) => {
      const { rows } = await sql<RootState>`select version, keyring_revision from key_tree`.execute(transaction);
      const [state] = rows;
      if (state === undefined) return;
      const root = await rootFor(this.#tree, state);
      if (root === undefined) throw mismatch(this.#tree, state.version);
      await expectBeneath(this.#tree, transaction, state.version, root);
    });
  }

  /** The heart of it: prepare, store the root, move. `undefined` when no root had to be replaced. */
  async #replace(
    database: Database,
    lease: Lease,
    next: RootKeyring,
    subjects: readonly Uuid[],
    force: boolean,
    progress: (step: KeyProgress['step']) => void,
  ): Promise<{ wraps: number; states: readonly SlotState[] } | undefined> {
    const { root, keys } = this.#tree;
    const marked = subjects.map((id) => ({ id, hash: this.#hashOf(id) }));
    let staged: Awaited<ReturnType<typeof stage>>;
    try {
      const now = this.#clock.now();
      staged = await stage({ tree: this.#tree, database, lease, subjects: marked, next, now }, force);
      if (staged.wraps !== undefined) {
        const replacement = { version: next.treeVersion - 1, next: next.treeVersion };
        await lease.during(() => this.#beforeReplacing(replacement));
      }
    } catch (error) {
      // Nothing was stored: as if it had not begun. Should this fail as well, recovery does it.
      await discard(database, lease).catch(() => undefined);
      throw error;
    }
    if (staged.wraps === undefined) return undefined;
    progress('prepared');
    // The last moment at which a process that was held up learns that another one has taken over.
    await database.transaction(asSystem, (transaction) => lease.renew(transaction));
    root.prepare(next);
    const states = await root.replace(next);
    const [first] = states;
    if (first!.revision !== next.revision) {
      // Dropped only when the slot is known to hold the former root; otherwise recovery finds out.
      if (first!.unknown !== true) await discard(database, lease).catch(() => undefined);
      throw first!.failure;
    }
    progress('replaced');
    await moveTo(this.#tree, database, next, this.#clock.now());
    root.adopt(next);
    root.settle(next.treeVersion);
    keys.forget();
    await this.#acknowledged(database, reports(states, next.revision));
    return { wraps: staged.wraps, states };
  }

  /** Stores a keyring with the same tree root. Throws when the first slot does not take it. */
  async #restate(database: Database, next: RootKeyring): Promise<readonly SlotReport[]> {
    const { root } = this.#tree;
    const states = await root.replace(next);
    if (states[0]!.revision !== next.revision) throw states[0]!.failure;
    root.adopt(next);
    await raiseRevision(database, next.revision);
    return reports(states, next.revision);
  }

  async #acknowledged(database: Database, slots: readonly SlotReport[]): Promise<void> {
    if (slots.every(({ acknowledged }) => acknowledged)) {
      await acknowledge(database, this.#tree.root.keyring.treeVersion);
    }
  }

  async #slotReports(): Promise<readonly SlotReport[]> {
    const states = await this.#tree.root.reload();
    return reports(states, this.#tree.root.keyring.revision);
  }

  /** Without those already erased; who shares a path comes together. */
  async #inTreeOrder(database: Database, subjects: readonly Uuid[]): Promise<readonly Uuid[]> {
    return database.transaction(asSystem, async (transaction) => {
      const gone = await this.shreddedOf(transaction, subjects);
      const { rows } = await sql<{ subject: Uuid; leaf: Uuid | null }>`
        select found.subject, found.leaf from subject_keys as found left join key_nodes as node on node.id = found.leaf
        where found.subject = any(${uuids(subjects)}) order by node.parent, found.leaf`.execute(transaction);
      const placed = new Set(rows.map(({ subject }) => subject));
      return [...placed, ...subjects.filter((subject) => !placed.has(subject) && !gone.has(subject))];
    });
  }
}

const reports = (states: readonly SlotState[], revision: number): readonly SlotReport[] =>
  states.map(({ slot, revision: held, failure }) => ({
    name: slot.name,
    erasure: slot.erasure,
    acknowledged: failure === undefined && held === revision,
    ...(failure === undefined ? {} : { failure: failure instanceof StrongroomError ? failure.code : 'unknown' }),
  }));
