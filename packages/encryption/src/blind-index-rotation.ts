/**
 * A blind index under a new key, without a moment in which a search misses anything. The index has two columns: one is live, the other is filled under the
 * new key version while every writer writes both; then queries look at both, the columns change roles, and the former one is emptied.
 *
 *     settled ──begin──▶ filling ──▶ filled ──switch──▶ emptying ──▶ settled
 *        ▲                  │           │
 *        └──────cancel──────┴───────────┘
 *
 * `run` goes all the way, for a job; `work` and `switch` are its steps, for whoever wants to look in between.
 *
 *     const reader = await indexes.read(transaction);
 *     insert: { …, ...reader.values(keys, 'people', 'email', null, text) }      // both columns, null where nothing belongs
 *     search: reader.matches(keys, 'people', 'email', null, text)               // column and value, to be joined by or
 */
import { StrongroomError, type Clock } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import type { EncryptedTable } from './encrypted-table.ts';
import type { Encryption } from './encryption.ts';
import { EncryptionError } from './errors.ts';
import { countRows, tableShape } from './internal/batches/walk.ts';
import { indexPass } from './internal/index-rotation/pass.ts';
import {
  declareIndex,
  indexReader,
  unknownIndex,
  type DeclaredIndex,
  type IndexReader,
  type RotatedIndex,
} from './internal/index-rotation/reader.ts';
import {
  lockIndex,
  moveIndex,
  neverRotated,
  readIndexes,
  reportOf,
  running,
  writeIndex,
  type IndexReport,
  type IndexRow,
  type IndexState,
} from './internal/index-rotation/record.ts';
import { fence } from './internal/rotation/fence.ts';

export type { IndexReader, RotatedIndex } from './internal/index-rotation/reader.ts';
export type { IndexReport, IndexState } from './internal/index-rotation/record.ts';

/** Called in the transaction in which a rotation begins or ends, for the audit log. */
export type IndexRotationRecorder = (
  transaction: Transaction,
  moment: 'begun' | 'ended',
  report: IndexReport,
) => Promise<void>;

export interface IndexRotationsOptions {
  readonly database: Database;
  readonly encryption: Encryption;
  readonly clock: Clock;
  readonly tables: readonly EncryptedTable[];
  readonly indexes: readonly RotatedIndex[];
  readonly record?: IndexRotationRecorder | undefined;
  /** Called when a rotation was begun or cancelled: `run` has something to do. */
  readonly nudge?: (() => void) | undefined;
  /** Rows of one transaction; see `RotationsOptions`. */
  readonly rowsAtOnce?: number | undefined;
}

/** All but `read` open transactions of their own. Each throws `encryption.column-not-encrypted` for an index that was not declared. */
export interface IndexRotations {
  /** In the transaction that writes or searches. */
  read(transaction: Transaction): Promise<IndexReader>;
  /** Every declared index. */
  list(): Promise<readonly IndexReport[]>;
  status(table: string, column: string): Promise<IndexReport>;
  /**
   * To the present key version, which must be another than the index's; throws `encryption.key-in-use` otherwise, `encryption.rotation-running` in any other state.
   * `share`: the part of the time that the rotation may be at work, above 0 up to 1, the default.
   */
  begin(table: string, column: string, options?: { readonly share?: number | undefined }): Promise<IndexReport>;
  /**
   * Goes on from where it stopped: fills and compares, or empties. Resolves in `filled` or `settled`. A value that does not open leaves the index
   * `filling` with `encryption.cannot-open`; rows about erased people lose their index.
   */
  work(table: string, column: string, signal?: AbortSignal): Promise<IndexReport>;
  /** The filled column becomes the live one. Throws `encryption.rotation-running` in any other state than `filled`. */
  switch(table: string, column: string): Promise<IndexReport>;
  /** Back to the former column, before the switch. Throws `encryption.rotation-running` after it. */
  cancel(table: string, column: string): Promise<IndexReport>;
  /**
   * Brings every rotation that was begun to its end, from wherever it stopped. Any number of processes may call it; a job does. What fails is tried again at
   * the next call and does not keep others waiting; the first error is thrown in the end.
   */
  run(signal?: AbortSignal): Promise<void>;
}

export const createIndexRotations = (options: IndexRotationsOptions): IndexRotations =>
  new BlindIndexRotations(options);

class BlindIndexRotations implements IndexRotations {
  readonly #options: IndexRotationsOptions;
  readonly #declared: ReadonlyMap<string, DeclaredIndex>;

  constructor(options: IndexRotationsOptions) {
    this.#options = options;
    this.#declared = new Map(
      options.indexes.map((index) => [`${index.table}.${index.column}`, declareIndex(options.tables, index)]),
    );
  }

  async read(transaction: Transaction): Promise<IndexReader> {
    const found = await this.#rows(transaction);
    return indexReader((table, column) => {
      const declared = this.#of(table, column);
      return { declared, row: found.get(`${table}.${column}`) ?? this.#initial(declared) };
    });
  }

  async list(): Promise<readonly IndexReport[]> {
    const found = await this.#transaction((transaction) => this.#rows(transaction));
    return [...this.#declared].map(([name, declared]) => reportOf(found.get(name) ?? this.#initial(declared)));
  }

  async status(table: string, column: string): Promise<IndexReport> {
    const declared = this.#of(table, column);
    return reportOf(await this.#transaction((transaction) => this.#row(transaction, declared)));
  }

  async begin(
    table: string,
    column: string,
    { share = 1 }: { readonly share?: number | undefined } = {},
  ): Promise<IndexReport> {
    if (!(share > 0 && share <= 1)) throw new TypeError('index rotation: share must be above 0 and at most 1');
    const declared = this.#of(table, column);
    const report = await this.#transaction(async (transaction) => {
      // Also learns of the present key version, if another process made it.
      await this.#options.encryption.subjects(transaction, []);
      const row = await this.#row(transaction, declared);
      if (row.state !== 'settled') throw running(row);
      const { keyVersion } = this.#options.encryption;
      if (row.live_version === keyVersion) {
        throw new EncryptionError('encryption.key-in-use', {
          detail: `The index is under version ${keyVersion} already, which is the present one. Rotate the keys first.`,
        });
      }
      const other = declared.index.columns.find((name) => name !== row.live_column)!;
      const begun: IndexRow = {
        ...row,
        other_column: other,
        other_version: keyVersion,
        share,
        changed: 0,
        outcome: null,
        started_at: this.#now(),
        finished_at: null,
        ...(await this.#walkFromTheStart(transaction, table, 'filling')),
      };
      await writeIndex(transaction, begun, this.#now());
      await this.#options.record?.(transaction, 'begun', reportOf(begun));
      return reportOf(begun);
    });
    this.#options.nudge?.();
    return report;
  }

  async work(table: string, column: string, signal?: AbortSignal): Promise<IndexReport> {
    const declared = this.#of(table, column);
    const { database } = this.#options;
    let row = await this.#transaction((transaction) => this.#row(transaction, declared));
    const { state } = row;
    if (state !== 'filling' && state !== 'emptying') return reportOf(row);
    // Whoever wrote or searched by the state of before is through from here on.
    await fence(database, signal);
    const shape = await this.#transaction((transaction) => tableShape(transaction, table));
    for (;;) {
      const after = await indexPass({ ...this.#options, declared, shape, begun: row, signal });
      if (after.wrong_in_pass === 0) break;
      row = await this.#transaction(async (transaction) => {
        const next = { ...after, ...(await this.#walkFromTheStart(transaction, table, state)) };
        await moveIndex(transaction, state, next, this.#now());
        return next;
      });
    }
    const report = await this.#transaction(async (transaction) => {
      const now = this.#now();
      const latest = (await lockIndex(transaction, table, column)) ?? row;
      const next: IndexRow =
        state === 'filling'
          ? { ...latest, state: 'filled', cursor: null }
          : { ...latest, state: 'settled', other_column: null, other_version: null, cursor: null, finished_at: now };
      await moveIndex(transaction, state, next, now);
      if (next.state === 'settled') await this.#options.record?.(transaction, 'ended', reportOf(next));
      return reportOf(next);
    });
    // Before the switch everybody has to look at both columns.
    if (report.state === 'filled') await fence(database, signal);
    return report;
  }

  async switch(table: string, column: string): Promise<IndexReport> {
    const declared = this.#of(table, column);
    await fence(this.#options.database);
    return this.#transaction(async (transaction) => {
      const row = await this.#row(transaction, declared);
      if (row.state !== 'filled') throw running(row);
      const next: IndexRow = {
        ...row,
        live_column: row.other_column!,
        live_version: row.other_version!,
        other_column: row.live_column,
        other_version: row.live_version,
        outcome: 'complete',
        ...(await this.#walkFromTheStart(transaction, table, 'emptying')),
      };
      await writeIndex(transaction, next, this.#now());
      return reportOf(next);
    });
  }

  async cancel(table: string, column: string): Promise<IndexReport> {
    const declared = this.#of(table, column);
    const report = await this.#transaction(async (transaction) => {
      const row = await this.#row(transaction, declared);
      if (row.state !== 'filling' && row.state !== 'filled') throw running(row);
      const next: IndexRow = {
        ...row,
        outcome: 'cancelled',
        ...(await this.#walkFromTheStart(transaction, table, 'emptying')),
      };
      await writeIndex(transaction, next, this.#now());
      return reportOf(next);
    });
    this.#options.nudge?.();
    return report;
  }

  async run(signal?: AbortSignal): Promise<void> {
    const errors: unknown[] = [];
    for (const declared of this.#declared.values()) {
      try {
        await this.#runOne(declared.index, signal);
      } catch (error) {
        if (signal?.aborted === true) throw error;
        await this.#recordFailure(declared, error);
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  async #runOne({ table, column }: RotatedIndex, signal: AbortSignal | undefined): Promise<void> {
    while ((await this.work(table, column, signal)).state === 'filled') {
      signal?.throwIfAborted();
      await this.switch(table, column);
    }
  }

  /** So that whoever asks how far it is learns why it does not go on. */
  async #recordFailure(declared: DeclaredIndex, error: unknown): Promise<void> {
    if (!(error instanceof StrongroomError)) return;
    const { code } = error;
    await this.#transaction(async (transaction) => {
      const row = await this.#row(transaction, declared);
      if (row.state !== 'settled') await writeIndex(transaction, { ...row, failure: code }, this.#now());
    }).catch(() => undefined);
  }

  #of(table: string, column: string): DeclaredIndex {
    const declared = this.#declared.get(`${table}.${column}`);
    if (declared === undefined) throw unknownIndex(`${table}.${column}`);
    return declared;
  }

  async #rows(transaction: Transaction): Promise<ReadonlyMap<string, IndexRow>> {
    const rows = await readIndexes(transaction);
    return new Map(rows.map((row) => [`${row.table_name}.${row.column_name}`, row]));
  }

  /** Locked until the transaction ends. */
  async #row(transaction: Transaction, declared: DeclaredIndex): Promise<IndexRow> {
    const { table, column } = declared.index;
    return (await lockIndex(transaction, table, column)) ?? this.#initial(declared);
  }

  #initial({ index: { table, column, columns } }: DeclaredIndex): IndexRow {
    return neverRotated({ table, column, live: columns[0] }, this.#options.encryption.lookupVersion);
  }

  /** What changes in the index's row when a walk of that state begins, or begins again. */
  async #walkFromTheStart(
    transaction: Transaction,
    table: string,
    state: IndexState,
  ): Promise<Pick<IndexRow, 'state' | 'cursor' | 'seen' | 'total' | 'wrong_in_pass' | 'failure'>> {
    const total = await countRows(transaction, await tableShape(transaction, table));
    return { state, cursor: null, seen: 0, total, wrong_in_pass: 0, failure: null };
  }

  #now(): Date {
    return new Date(this.#options.clock.now());
  }

  #transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#options.database.transaction(asSystem, work);
  }
}

/** Key versions that indexes are under, or on their way to, and whose keys are gone: nobody would be found. After a restore, for which the root of its time is needed then. */
export async function missingIndexVersions(
  transaction: Transaction,
  encryption: Encryption,
): Promise<readonly number[]> {
  const missing = new Set<number>();
  for (const row of await readIndexes(transaction)) {
    for (const version of [row.live_version, row.other_version ?? row.live_version]) {
      try {
        encryption.blindIndex({ tenant: null, table: row.table_name, column: row.column_name }, '', version);
      } catch (error) {
        if (!(error instanceof EncryptionError) || error.code !== 'encryption.key-missing') throw error;
        missing.add(version);
      }
    }
  }
  return [...missing];
}
