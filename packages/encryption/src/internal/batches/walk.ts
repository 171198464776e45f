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
import { cells, type TypedColumn } from './cells.ts';

/** Rows of one transaction. On PGlite nobody else is served meanwhile, so a batch is some ten milliseconds there. */
const ROWS_AT_ONCE = { pglite: 100, postgresql: 500 } as const;
/** Bytes of the values of one transaction, so that rows of a megabyte are taken a few at a time; several copies of them are in memory. At least one row. */
const BYTES_AT_ONCE = 4 << 20;

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
  /** The columns that were asked for, by name; may have more. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface Batch {
  /** Not empty, unless the batch is repeated and all its rows were deleted meanwhile. */
  readonly rows: readonly WalkedRow[];
  /** The key of the last row: where a later walk goes on. */
  readonly after: RowKey;
}

export type Turn = () => Promise<void>;

export interface WalkOptions {
  readonly database: Database;
  readonly shape: TableShape;
  /** Columns to read besides the key. */
  readonly columns: readonly string[];
  /** Begins after this key; `null` or left out: at the beginning. */
  readonly after?: RowKey | null | undefined;
  /** Rows of one transaction; 100 on PGlite, 500 on PostgreSQL. Fewer where they are long: 4 MiB of values, and the one that passes that. */
  readonly rows?: number | undefined;
  /** The part of the time that the walk may be at work, above 0 up to 1, the default: the throttle. */
  readonly share?: number | undefined;
  /** Looked at between batches; an aborted walk throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Batches under way at one time, 1 unless said otherwise; always 1 on PGlite, which has one session, and for a walk that is throttled.
   * The next batch is read, and its work begun, while the database still writes the one before.
   */
  readonly atOnce?: number | undefined;
  /**
   * Called with the rows of one batch in the transaction that read them, as the system role. May be called again for the same rows when the
   * database asks for a repetition, so it has no effect but through `transaction`.
   *
   * `turn` resolves when every batch before this one was committed, and rejects when that failed. Where several are under way, nothing is written before
   * it: a batch that held locks while it waited could be part of a deadlock that the database cannot see.
   */
  readonly work: (transaction: Transaction, batch: Batch, turn: Turn) => Promise<void>;
  /** After each batch was committed, in their order. */
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
  const { database, signal, share = 1, atOnce = 1 } = options;
  if (!(share > 0 && share <= 1)) throw new TypeError('walk: share must be above 0 and at most 1');
  const most = database.engine === 'pglite' || share < 1 ? 1 : atOnce;
  const open: Promise<number>[] = [];
  let after = options.after ?? null;
  let before: Promise<unknown> = Promise.resolve();
  let seen = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const started = performance.now();
      const batch = begin(options, after, before);
      before = batch.done;
      open.push(batch.done);
      const last = await batch.read;
      if (last === undefined) break;
      after = last;
      if (open.length >= most) seen += await open.shift()!;
      const rest = ((performance.now() - started) * (1 - share)) / share;
      if (rest > 0) await delay(rest, undefined, { signal });
    }
    while (open.length > 0) seen += await open.shift()!;
    return seen;
  } finally {
    // Nobody who asks whether the walk has ended finds a transaction of it.
    await Promise.allSettled(open);
  }
}

interface Begun {
  /** The key of the last row, or `undefined` when there is none left; as soon as the rows were read. */
  readonly read: Promise<RowKey | undefined>;
  /** The number of rows, when they are committed. */
  readonly done: Promise<number>;
}

/** One batch, which goes to its end by itself. */
function begin(options: WalkOptions, after: RowKey | null, before: Promise<unknown>): Begun {
  const { promise: read, resolve } = Promise.withResolvers<RowKey | undefined>();
  const turn = async (): Promise<void> => void (await before);
  let until: RowKey | undefined;
  const run = async (): Promise<number> => {
    const batch = await options.database.transaction(asSystem, async (transaction) => {
      // When the database asks for a repetition, the next batch has begun behind the last row that was there the first time.
      const rows = await readRows(transaction, options, after, until);
      until ??= rows.at(-1)?.key;
      resolve(until);
      if (until === undefined) return undefined;
      const found = { rows, after: until };
      await options.work(transaction, found, turn);
      return found;
    });
    await before;
    if (batch === undefined) return 0;
    options.committed?.(batch);
    return batch.rows.length;
  };
  const done = run();
  // Whoever waits for it gets the error; until then it is nobody's.
  done.catch(() => undefined);
  return { read: Promise.race([read, done.then(() => read)]), done };
}

/** The rows behind `after`: up to the usual number of them and of bytes, or all up to `until`. */
async function readRows(
  transaction: Transaction,
  { database, shape, columns, rows: most = ROWS_AT_ONCE[database.engine] }: WalkOptions,
  after: RowKey | null,
  until: RowKey | undefined,
): Promise<readonly WalkedRow[]> {
  // With the table's name, so that none is taken for one of the names given here.
  const column = (name: string) => sql.id(shape.table, name);
  const key = sql.join(shape.key.map(({ name }) => column(name)));
  const keyNames = shape.key.map(({ name, type }) => (TEXTS.has(type) ? name : `text of ${name}`));
  const keyTexts = shape.key.map(({ name }, index) => sql`${column(name)}::text as ${sql.id(keyNames[index]!)}`);
  const wanted = columns.filter((name) => !keyNames.includes(name));
  const keyOf = (row: RowKey) => sql.join(shape.key.map(({ type }, index) => typed(row[index], type)));
  const behind = after === null ? sql`true` : sql`(${key}) > (${keyOf(after)})`;
  const end = until === undefined ? sql`true` : sql`(${key}) <= (${keyOf(until)})`;
  const size = wanted.map((name) => sql`coalesce(${sizeOf(shape, name)}, 0)`);
  const packed = wanted.filter((name) => shape.columns.get(name)?.type === 'bytea');
  const plain = [...keyNames, ...wanted.filter((name) => !packed.includes(name))];
  // The database knows how long a value is without reading it. Values of bytes come in one piece, with the first row: as text each, reading them would
  // cost as much as all else that is done with a row in this thread. No column has the names given here.
  const { rows } = await sql<Record<string, unknown>>`
    with batch as materialized (
      select * from (
        select *, sum("bytes of row") over (order by "place of row") - "bytes of row" as "bytes before" from (
          select ${sql.join([...keyTexts, ...wanted.map(column)])}, row_number() over (order by ${key}) as "place of row",
            ${sql.join([sql`0::bigint`, ...size], sql` + `)} as "bytes of row"
          from ${sql.table(shape.table)} where ${behind} and ${end} order by ${key} ${until === undefined ? sql`limit ${most}` : sql``}
        ) as "first"
      ) as "sized" where ${until === undefined ? sql`"bytes before" < ${BYTES_AT_ONCE}` : sql`true`}
    ) select ${sql.join([...plain.map((name) => sql.id(name)), ...packed.flatMap(pieces)])} from batch order by "place of row"`.execute(
    transaction,
  );
  for (const name of packed) unpack(rows, name);
  // Texts by the cast above, and a primary key is never null.
  return rows.map((values): WalkedRow => ({ key: keyNames.map((name) => values[name] as string), values }));
}

const pieces = (name: string): readonly RawBuilder<unknown>[] => [
  sql`octet_length(${sql.id(name)}) as ${sql.id(`length of ${name}`)}`,
  sql`case "place of row" when 1 then (select string_agg(${sql.id(name)}, '' order by "place of row") from batch) end as ${sql.id(`all of ${name}`)}`,
];

/** Puts the column's values in their place, as views. */
function unpack(rows: readonly Record<string, unknown>[], name: string): void {
  const all = rows[0]?.[`all of ${name}`] as Uint8Array | null | undefined;
  let offset = 0;
  for (const row of rows) {
    const length = row[`length of ${name}`] as number | null;
    row[name] = length === null ? null : (all?.subarray(offset, offset + length) ?? null);
    offset += length ?? 0;
  }
}

/** Bytes of a value in SQL; of types that are neither bytes nor text, as they are stored. */
function sizeOf({ table, columns }: TableShape, name: string): RawBuilder<unknown> {
  const type = columns.get(name)?.type;
  return sql`${sql.raw(type === 'bytea' || type === 'text' ? 'octet_length' : 'pg_column_size')}(${sql.id(table, name)})`;
}

/** Types whose values are what PostgreSQL prints. */
const TEXTS: ReadonlySet<string> = new Set(['uuid', 'text']);

const typed = (value: unknown, type: string): RawBuilder<unknown> => sql`${value}::${sql.raw(type)}`;

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
  const changed = columns.map((name, index) => {
    const column = shape.columns.get(name);
    if (column === undefined) throw new TypeError(`walk: "${shape.table}" has no column "${name}"`);
    const [from, to] = [swaps.map((swap) => swap.from[index]), swaps.map((swap) => swap.to[index])];
    return { name, from: cells('swap', `from_${index}`, column, from), to: cells('swap', `to_${index}`, column, to) };
  });
  const keys = shape.key.map((column, index) => {
    const values = swaps.map(({ key }) => key[index]);
    return { name: column.name, is: cells('swap', `key_${index}`, column, values) };
  });
  const arrays = [...keys.map(({ is }) => is), ...changed.flatMap(({ from, to }) => [from, to])].flatMap(
    (one) => one.arrays,
  );
  const set = changed.map(({ name, to }) => sql`${sql.id(name)} = ${to.value}`);
  const same = [
    ...keys.map(({ name, is }) => sql`${sql.id('row', name)} = ${is.value}`),
    ...changed.map(({ name, from }) => sql`${sql.id('row', name)} is not distinct from ${from.value}`),
  ];
  const { numAffectedRows } = await sql`
    update ${sql.table(shape.table)} as ${sql.id('row')} set ${sql.join(set)}
    from unnest(${sql.join(arrays.map(({ array }) => array))}) as swap (${sql.join(arrays.map(({ name }) => sql.id(name)))})
    where ${sql.join(same, sql` and `)}`.execute(transaction);
  return Number(numAffectedRows ?? 0n);
}
