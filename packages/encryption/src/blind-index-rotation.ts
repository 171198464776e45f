/**
 * A blind index under a new key, without a moment in which a search misses anything. The index has two columns: one is live, the other is filled under the
 * new key version while every writer writes both; then queries look at both, the columns change roles, and the former one is emptied.
 *
 *     settled ──begin──▶ filling ──▶ filled ──switch──▶ emptying ──▶ settled
 *        ▲                  │           │
 *        └──────cancel──────┴───────────┘
 *
 *     const indexes = await indexes.read(transaction);
 *     insert: { …, ...indexes.values(keys, 'people', 'email', null, text) }      // both columns, null where nothing belongs
 *     search: indexes.matches(keys, 'people', 'email', null, text)               // column and value, to be joined by or
 */
import type { Bytes, Clock, Uuid } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { EncryptedColumn, EncryptedTable } from './encrypted-table.ts';
import type { Encryption } from './encryption.ts';
import { EncryptionError } from './errors.ts';
import {
  compareAndSwap,
  tableShape,
  walk,
  type RowKey,
  type TableShape,
  type WalkedRow,
} from './internal/batches/walk.ts';
import { fence } from './internal/rotation/fence.ts';
import { neededColumns, openTexts, tenantOf } from './internal/rotation/rewrite.ts';
import type { Sealer } from './sealer.ts';

/** The two columns of a blind index. Either may be null and, where values must be unique, each has a unique index of its own. */
export interface RotatedIndex {
  readonly table: string;
  readonly column: string;
  /** The live one before the first rotation, and the other. */
  readonly columns: readonly [string, string];
}

/** `filled`: every row was compared with its value; until then `cancel` is possible, from `switch` on only forward. */
export type IndexState = 'settled' | 'filling' | 'filled' | 'emptying';

export interface IndexStatus {
  readonly state: IndexState;
  readonly liveColumn: string;
  readonly liveVersion: number;
  /** While filling and filled the one that comes, while emptying the one that goes. */
  readonly otherColumn: string | null;
  readonly otherVersion: number | null;
}

export interface IndexRotationsOptions {
  readonly database: Database;
  readonly encryption: Encryption;
  readonly clock: Clock;
  readonly tables: readonly EncryptedTable[];
  readonly indexes: readonly RotatedIndex[];
  /** Rows of one transaction; see `RotationsOptions`. */
  readonly rowsAtOnce?: number | undefined;
}

/** What to write and where to look, as of one transaction. Normalises text by the column's rule. */
export interface IndexReader {
  /** For the row: a value for each of the two columns. `text`: null for no value. */
  values(
    sealer: Sealer,
    table: string,
    column: string,
    tenant: Uuid | null,
    text: string | null,
  ): Record<string, Bytes | null>;
  /** Rows with `text` have the value in one of these columns. */
  matches(
    sealer: Sealer,
    table: string,
    column: string,
    tenant: Uuid | null,
    text: string,
  ): readonly { readonly column: string; readonly value: Bytes }[];
}

/** All but `read` open transactions of their own. Each throws `encryption.column-not-encrypted` for an index that was not declared. */
export interface IndexRotations {
  /** In the transaction that writes or searches. */
  read(transaction: Transaction): Promise<IndexReader>;
  status(table: string, column: string): Promise<IndexStatus>;
  /** To the present key version, which must be another than the index's; throws `encryption.key-in-use` otherwise, `encryption.rotation-running` in any other state. */
  begin(table: string, column: string): Promise<void>;
  /**
   * Goes on from where it stopped: fills and compares, or empties. Resolves in `filled` or `settled`. A value that does not open leaves the index
   * `filling` with `encryption.cannot-open`; rows about erased people lose their index.
   */
  work(table: string, column: string, signal?: AbortSignal): Promise<IndexStatus>;
  /** The filled column becomes the live one. Throws `encryption.rotation-running` in any other state than `filled`. */
  switch(table: string, column: string): Promise<void>;
  /** Back to the former column, before the switch. Throws `encryption.rotation-running` after it. */
  cancel(table: string, column: string): Promise<void>;
}

interface Row {
  readonly table_name: string;
  readonly column_name: string;
  readonly live_column: string;
  readonly live_version: number;
  readonly other_column: string | null;
  readonly other_version: number | null;
  readonly state: IndexState;
  readonly cursor: RowKey | null;
}

interface Declared {
  readonly index: RotatedIndex;
  readonly table: EncryptedTable;
  readonly column: EncryptedColumn;
  readonly normalise: (text: string) => string;
}

export const createIndexRotations = (options: IndexRotationsOptions): IndexRotations =>
  new BlindIndexRotations(options);

class BlindIndexRotations implements IndexRotations {
  readonly #options: IndexRotationsOptions;
  readonly #declared: ReadonlyMap<string, Declared>;

  constructor(options: IndexRotationsOptions) {
    this.#options = options;
    this.#declared = new Map(
      options.indexes.map((index) => [`${index.table}.${index.column}`, declare(options.tables, index)]),
    );
  }

  async read(transaction: Transaction): Promise<IndexReader> {
    const { rows } = await sql<Row>`select * from blind_index_rotations`.execute(transaction);
    const found = new Map(rows.map((row) => [`${row.table_name}.${row.column_name}`, row]));
    const stateOf = (table: string, column: string): { declared: Declared; row: Row } => {
      const declared = this.#of(table, column);
      return { declared, row: found.get(`${table}.${column}`) ?? this.#initial(declared) };
    };
    return {
      values: (sealer, table, column, tenant, text) => {
        const { declared, row } = stateOf(table, column);
        const made: Record<string, Bytes | null> = Object.fromEntries(
          declared.index.columns.map((name) => [name, null]),
        );
        if (text === null) return made;
        for (const { name, version } of written(row)) {
          made[name] = sealer.blindIndex({ tenant, table, column }, declared.normalise(text), version);
        }
        return made;
      },
      matches: (sealer, table, column, tenant, text) => {
        const { declared, row } = stateOf(table, column);
        return searched(row).map(({ name, version }) => ({
          column: name,
          value: sealer.blindIndex({ tenant, table, column }, declared.normalise(text), version),
        }));
      },
    };
  }

  async status(table: string, column: string): Promise<IndexStatus> {
    const row = await this.#transaction((transaction) => this.#row(transaction, this.#of(table, column)));
    return statusOf(row);
  }

  async begin(table: string, column: string): Promise<void> {
    const declared = this.#of(table, column);
    await this.#transaction(async (transaction) => {
      // Also learns of the present key version, if another process made it.
      await this.#options.encryption.subjects(transaction, []);
      const row = await this.#row(transaction, declared);
      if (row.state !== 'settled') throw running(row);
      const { keyVersion } = this.#options.encryption;
      if (row.live_version === keyVersion) {
        throw new EncryptionError('encryption.key-in-use', {
          detail: `The index is under version ${keyVersion} already.`,
        });
      }
      const other = declared.index.columns.find((name) => name !== row.live_column)!;
      await this.#write(transaction, {
        ...row,
        other_column: other,
        other_version: keyVersion,
        state: 'filling',
        cursor: null,
      });
    });
  }

  async work(table: string, column: string, signal?: AbortSignal): Promise<IndexStatus> {
    const declared = this.#of(table, column);
    const { database } = this.#options;
    const row = await this.#transaction((transaction) => this.#row(transaction, declared));
    if (row.state !== 'filling' && row.state !== 'emptying') return statusOf(row);
    // Whoever wrote or searched by the state of before is through from here on.
    await fence(database, signal);
    const shape = await this.#transaction((transaction) => tableShape(transaction, table));
    for (let pass = row.cursor; ; pass = null) {
      const changed = await this.#pass(declared, shape, row, pass, signal);
      if (changed === 0 && pass === null) break;
    }
    const next: Row =
      row.state === 'filling'
        ? { ...row, state: 'filled', cursor: null }
        : { ...row, state: 'settled', other_column: null, other_version: null, cursor: null };
    await this.#transaction((transaction) => this.#move(transaction, declared, row.state, next));
    // Before the switch everybody has to look at both columns.
    if (next.state === 'filled') await fence(database, signal);
    return statusOf(next);
  }

  async switch(table: string, column: string): Promise<void> {
    const declared = this.#of(table, column);
    await fence(this.#options.database);
    await this.#transaction(async (transaction) => {
      const row = await this.#row(transaction, declared);
      if (row.state !== 'filled') throw running(row);
      await this.#write(transaction, {
        ...row,
        live_column: row.other_column!,
        live_version: row.other_version!,
        other_column: row.live_column,
        other_version: row.live_version,
        state: 'emptying',
        cursor: null,
      });
    });
  }

  async cancel(table: string, column: string): Promise<void> {
    const declared = this.#of(table, column);
    await this.#transaction(async (transaction) => {
      const row = await this.#row(transaction, declared);
      if (row.state !== 'filling' && row.state !== 'filled') throw running(row);
      await this.#write(transaction, { ...row, state: 'emptying', cursor: null });
    });
  }

  /** Through all rows; resolves with how many were changed. */
  async #pass(
    declared: Declared,
    shape: TableShape,
    row: Row,
    after: RowKey | null,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { database, rowsAtOnce } = this.#options;
    const { table, column } = declared;
    const other = row.other_column!;
    let [total, changed] = [0, 0];
    await walk({
      database,
      shape,
      columns: [...neededColumns({ table, columns: [column] }), other],
      after,
      rows: rowsAtOnce,
      signal,
      work: async (transaction, batch) => {
        const wanted =
          row.state === 'emptying'
            ? batch.rows.map(() => null)
            : await this.#indexesOf(transaction, declared, row, batch.rows);
        const swaps = batch.rows.flatMap(({ key, values }, index) => {
          const to = wanted[index]!;
          const from = values[other] as Uint8Array | null;
          if (from === null ? to === null : to !== null && Buffer.compare(from, to) === 0) return [];
          // Only while the value itself is still the one that was read.
          return [{ key, from: [values[column.column], from], to: [values[column.column], to] }];
        });
        changed = swaps.length;
        await compareAndSwap(transaction, shape, [column.column, other], swaps);
        await this.#move(transaction, declared, row.state, { ...row, cursor: batch.after });
      },
      committed: () => {
        total += changed;
      },
    });
    return total;
  }

  async #indexesOf(
    transaction: Transaction,
    { table, column, normalise }: Declared,
    row: Row,
    rows: readonly WalkedRow[],
  ): Promise<(Uint8Array | null)[]> {
    const { encryption } = this.#options;
    const texts = await openTexts(encryption, transaction, { table, column }, rows);
    return texts.map((text, index) => {
      if (text === null || text === 'erased') return null;
      const { values } = rows[index]!;
      if (text === 'damaged') {
        throw new EncryptionError('encryption.cannot-open', {
          detail: `It is ${table.table}.${column.column} of ${rows[index]!.key.join(' ')}.`,
        });
      }
      const place = { tenant: tenantOf(table, values), table: table.table, column: column.column };
      return encryption.blindIndex(place, normalise(text.text), row.other_version!);
    });
  }

  #of(table: string, column: string): Declared {
    const declared = this.#declared.get(`${table}.${column}`);
    if (declared === undefined) throw unknown(`${table}.${column}`);
    return declared;
  }

  /** Locked until the transaction ends. */
  async #row(transaction: Transaction, declared: Declared): Promise<Row> {
    const { table, column } = declared.index;
    const { rows } = await sql<Row>`
      select * from blind_index_rotations where table_name = ${table} and column_name = ${column} for update`.execute(
      transaction,
    );
    return rows[0] ?? this.#initial(declared);
  }

  /** Never rotated. */
  #initial({ index }: Declared): Row {
    return {
      table_name: index.table,
      column_name: index.column,
      live_column: index.columns[0],
      live_version: this.#options.encryption.lookupVersion,
      other_column: null,
      other_version: null,
      state: 'settled',
      cursor: null,
    };
  }

  /** Throws `encryption.rotation-running` when it is in another state than `from` by now. */
  async #move(transaction: Transaction, declared: Declared, from: IndexState, to: Row): Promise<void> {
    const row = await this.#row(transaction, declared);
    if (row.state !== from || row.other_column !== (to.other_column ?? row.other_column)) throw running(row);
    await this.#write(transaction, to);
  }

  async #write(transaction: Transaction, row: Row): Promise<void> {
    const cursor = row.cursor === null ? null : JSON.stringify(row.cursor);
    await sql`
      insert into blind_index_rotations (table_name, column_name, live_column, live_version, other_column, other_version, state, cursor, changed_at)
      values (${row.table_name}, ${row.column_name}, ${row.live_column}, ${row.live_version}, ${row.other_column}, ${row.other_version},
        ${row.state}, ${cursor}::jsonb, ${new Date(this.#options.clock.now())})
      on conflict (table_name, column_name) do update set live_column = excluded.live_column, live_version = excluded.live_version,
        other_column = excluded.other_column, other_version = excluded.other_version, state = excluded.state, cursor = excluded.cursor,
        changed_at = excluded.changed_at`.execute(transaction);
  }

  #transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#options.database.transaction(asSystem, work);
  }
}

interface Used {
  readonly name: string;
  readonly version: number;
}

const live = (row: Row): Used => ({ name: row.live_column, version: row.live_version });
const other = (row: Row): Used => ({ name: row.other_column!, version: row.other_version! });
/** Both from the beginning, so that filling comes to an end. */
const written = (row: Row): readonly Used[] =>
  row.state === 'filling' || row.state === 'filled' ? [live(row), other(row)] : [live(row)];
/** Both once others may have switched already, who write only the new one. */
const searched = (row: Row): readonly Used[] => (row.state === 'filled' ? [live(row), other(row)] : [live(row)]);

const statusOf = (row: Row): IndexStatus => ({
  state: row.state,
  liveColumn: row.live_column,
  liveVersion: row.live_version,
  otherColumn: row.other_column,
  otherVersion: row.other_version,
});

function declare(tables: readonly EncryptedTable[], index: RotatedIndex): Declared {
  const table = tables.find((one) => one.table === index.table);
  const column = table?.columns.find((one) => one.column === index.column);
  if (table === undefined || column?.blindIndex === undefined) throw unknown(`${index.table}.${index.column}`);
  return { index, table, column, normalise: column.blindIndex.normalise };
}

const running = ({ state }: Row): EncryptionError =>
  new EncryptionError('encryption.rotation-running', { detail: `The index is ${state}.` });

const unknown = (name: string): EncryptionError =>
  new EncryptionError('encryption.column-not-encrypted', {
    detail: `No blind index with two columns is declared for ${name}.`,
  });
