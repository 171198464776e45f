/**
 * Rewriting a table while it is in use: a walk along its primary key in short transactions, and compare-and-swap for what was computed from a
 * row. Used by rotation and by the migration of a plaintext column.
 *
 * The shape of a run:
 *
 *     const shape = await database.transaction(asSystem, (transaction) => tableShape(transaction, 'people'));
 *     await walk({ database, shape, columns: ['email'], after: savedCursor, signal, share: 0.5,
 *       work: async (transaction, { rows, after }) => {
 *         const changed = await compareAndSwap(transaction, shape, ['email'], rows.map(({ key, values }) =>
 *           ({ key, from: [values.email], to: [renewed(values.email)] })));
 *         await saveCursor(transaction, after);    // in the transaction of the batch: a crash repeats nothing and skips nothing
 *       } });
 *
 * A row that a writer changed between the read and the swap is left alone: writers write the new form already. That, and rows inserted behind
 * the cursor, is what the final scan is for (`walk` once more, from the beginning, only reading).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql, type RawBuilder } from 'kysely';

/** Rows of one transaction. On PGlite nobody else is served meanwhile, so a batch is some ten milliseconds there. */
const ROWS_AT_ONCE = { pglite: 100, postgresql: 500 } as const;

interface TypedColumn {
  readonly name: string;
  /** As PostgreSQL writes it, for casts. */
  readonly type: string;
}

/** What has to be known of a table to walk along it. */
export interface TableShape {
  readonly table: string;
  /** The primary key's columns in their order. */
  readonly key: readonly TypedColumn[];
  /** Every column of the table by its name, the key's too. */
  readonly columns: ReadonlyMap<string, TypedColumn>;
}

/** A row's primary key, each column as the text PostgreSQL prints. As a whole it is a JSON value that can be stored. */
export type RowKey = readonly string[];

export interface WalkedRow {
  readonly key: RowKey;
  /** The columns that were asked for, by name. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface Batch {
  /** Not empty. */
  readonly rows: readonly WalkedRow[];
  /** The key of the last row: where a later walk goes on. */
  readonly after: RowKey;
}

export interface WalkOptions {
  readonly database: Database;
  readonly shape: TableShape;
  /** Columns to read besides the key. */
  readonly columns: readonly string[];
  /** Begins after this key; `null` or left out: at the beginning. */
  readonly after?: RowKey | null | undefined;
  /** Rows of one transaction; 100 on PGlite, 500 on PostgreSQL. */
  readonly rows?: number | undefined;
  /** The part of the time that the walk may be at work, above 0 up to 1, the default: the throttle. */
  readonly share?: number | undefined;
  /** Looked at between batches; an aborted walk throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called with the rows of one batch in the transaction that read them, as the system role. May be called again for the same rows when the
   * database asks for a repetition, so it has no effect but through `transaction`.
   */
  readonly work: (transaction: Transaction, batch: Batch) => Promise<void>;
  /** After each batch was committed. */
  readonly committed?: ((batch: Batch) => void) | undefined;
}

/** Throws a TypeError for a table that does not exist or has no primary key. */
export async function tableShape(transaction: Transaction, table: string): Promise<TableShape> {
  const { rows } = await sql<{ name: string; type: string; place: number | null }>`
    select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
      array_position(i.indkey::int2[], a.attnum) as place
    from pg_class c join pg_attribute a on a.attrelid = c.oid
      left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where c.relnamespace = 'public'::regnamespace and c.relname = ${table} and a.attnum > 0 and not a.attisdropped
    order by place, a.attnum`.execute(transaction);
  const key = rows.filter(({ place }) => place !== null).map(({ name, type }) => ({ name, type }));
  if (key.length === 0) throw new TypeError(`walk: "${table}" is no table with a primary key`);
  return { table, key, columns: new Map(rows.map(({ name, type }) => [name, { name, type }])) };
}

/** Number of rows, for progress. */
export async function countRows(transaction: Transaction, shape: TableShape): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(shape.table)}`.execute(
    transaction,
  );
  return rows[0]!.count;
}

/** Calls `work` for every row that is there, batch by batch in the order of the key. Resolves with the number of rows. */
export async function walk(options: WalkOptions): Promise<number> {
  const { database, signal, share = 1, work, committed } = options;
  if (!(share > 0 && share <= 1)) throw new TypeError('walk: share must be above 0 and at most 1');
  let after = options.after ?? null;
  let seen = 0;
  for (;;) {
    signal?.throwIfAborted();
    const started = performance.now();
    const from = after;
    const batch = await database.transaction(asSystem, async (transaction) => {
      const found = await nextBatch(transaction, options, from);
      if (found !== undefined) await work(transaction, found);
      return found;
    });
    if (batch === undefined) return seen;
    committed?.(batch);
    seen += batch.rows.length;
    after = batch.after;
    const rest = ((performance.now() - started) * (1 - share)) / share;
    if (rest > 0) await delay(rest, undefined, { signal });
  }
}

async function nextBatch(
  transaction: Transaction,
  { database, shape, columns, rows: size = ROWS_AT_ONCE[database.engine] }: WalkOptions,
  after: RowKey | null,
): Promise<Batch | undefined> {
  const key = sql.join(shape.key.map(({ name }) => sql.ref(name)));
  const texts = sql.join(shape.key.map(({ name }) => sql`${sql.ref(name)}::text`));
  const wanted = columns.map((name, index) => sql`${sql.ref(name)} as ${sql.id(`value_${index}`)}`);
  const beyond =
    after === null
      ? sql`true`
      : sql`(${key}) > (${sql.join(shape.key.map(({ type }, index) => typed(after[index], type)))})`;
  const { rows } = await sql<Record<string, unknown>>`
    select ${sql.join([sql`json_build_array(${texts}) as walked_key`, ...wanted])}
    from ${sql.table(shape.table)} where ${beyond} order by ${key} limit ${size}`.execute(transaction);
  if (rows.length === 0) return undefined;
  const walked = rows.map((row): WalkedRow => ({
    // Texts by the cast above, and a primary key is never null.
    key: row['walked_key'] as RowKey,
    values: Object.fromEntries(columns.map((name, index) => [name, row[`value_${index}`]])),
  }));
  return { rows: walked, after: walked.at(-1)!.key };
}

const typed = (value: unknown, type: string): RawBuilder<unknown> => sql`${value}::${sql.raw(type)}`;

const list = (values: readonly unknown[], { type }: TypedColumn): RawBuilder<unknown> =>
  sql`${values}::${sql.raw(type)}[]`;

export interface Swap {
  readonly key: RowKey;
  /** What the columns must still hold, in the order of `columns`. */
  readonly from: readonly unknown[];
  readonly to: readonly unknown[];
}

/**
 * Writes `to` into `columns` of every row that still holds `from`; one statement. Resolves with the number of rows written. Columns of json
 * cannot be compared (jsonb can); its values are passed as text.
 */
export async function compareAndSwap(
  transaction: Transaction,
  shape: TableShape,
  columns: readonly string[],
  swaps: readonly Swap[],
): Promise<number> {
  if (swaps.length === 0) return 0;
  const changed = columns.map((name) => {
    const column = shape.columns.get(name);
    if (column === undefined) throw new TypeError(`walk: "${shape.table}" has no column "${name}"`);
    return column;
  });
  const lists = [
    ...shape.key.map((column, index) =>
      list(
        swaps.map(({ key }) => key[index]),
        column,
      ),
    ),
    ...changed.map((column, index) =>
      list(
        swaps.map(({ from }) => from[index]),
        column,
      ),
    ),
    ...changed.map((column, index) =>
      list(
        swaps.map(({ to }) => to[index]),
        column,
      ),
    ),
  ];
  const names = [
    ...shape.key.map((_, index) => sql.id(`key_${index}`)),
    ...changed.map((_, index) => sql.id(`from_${index}`)),
    ...changed.map((_, index) => sql.id(`to_${index}`)),
  ];
  const set = changed.map(({ name }, index) => sql`${sql.id(name)} = ${sql.id('swap', `to_${index}`)}`);
  const same = [
    ...shape.key.map(({ name }, index) => sql`${sql.id('row', name)} = ${sql.id('swap', `key_${index}`)}`),
    ...changed.map(
      ({ name }, index) => sql`${sql.id('row', name)} is not distinct from ${sql.id('swap', `from_${index}`)}`,
    ),
  ];
  const { numAffectedRows } = await sql`
    update ${sql.table(shape.table)} as ${sql.id('row')} set ${sql.join(set)}
    from unnest(${sql.join(lists)}) as swap (${sql.join(names)})
    where ${sql.join(same, sql` and `)}`.execute(transaction);
  return Number(numAffectedRows ?? 0n);
}
