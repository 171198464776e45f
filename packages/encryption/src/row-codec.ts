/**
 * The rows of one declared table, sealed on the way in and open on the way out.
 *
 *     const people = rowCodec(dataMap, 'people', {
 *       row: ['id'],
 *       subject: 'id',
 *       columns: { email: sealed.text({ index: 'email_index' }), photo: sealed.bytes(), settings: sealed.json<Settings>() },
 *     });
 *
 *     const rows = people.with(await encryption.subjects(transaction, [id], { create: true }));
 *     rows.seal({ id, email: 'ada@example.org' });   // { id, email: Uint8Array, email_index: Uint8Array }
 *     rows.open(stored);                             // { id, email: string, … }
 *
 * The data map says which columns are encrypted, about whom and with which index; the codec adds what a row is called and what a value is when
 * open. What does not agree with the data map is a TypeError when the module loads.
 */
import {
  systemClock,
  type Bytes,
  type Clock,
  type DataMap,
  type TableDeclaration,
  type Uuid,
} from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { Algorithm } from './algorithms.ts';
import { columnCodec, type ColumnCodec, type SealableColumn } from './column-codec.ts';
import type { Encryption } from './encryption.ts';
import { declaredTableSubjects, declareTable, type DeclaredTable, type Fields } from './internal/codec/declaration.ts';
import type { RotatedIndexes } from './internal/codec/indexes.ts';
import { RowCipher, type ReadState, type SearchMatch } from './internal/codec/rows.ts';
import type {
  ColumnMove,
  FromOf,
  IndexOf,
  SealedColumn,
  SealedColumns,
  ValueOf,
} from './internal/codec/sealed-column.ts';
import { readPhases } from './internal/migration/state.ts';
import type { Sealer, SubjectKeys } from './sealer.ts';

export type { SearchMatch } from './internal/codec/rows.ts';
export type { SealedColumn } from './internal/codec/sealed-column.ts';

interface ColumnOptions<From extends string> {
  /** The column naming the person the value is about, where it is not the table's; `null`: nobody. */
  readonly subject?: string | null;
  /** For new values; AES-256-GCM. */
  readonly algorithm?: Algorithm;
  /** For a column whose values stand in the clear in another column and are being encrypted; see `columnMigration`. */
  readonly moving?: ColumnMove<From>;
}

interface TextOptions<Index extends string | undefined, From extends string> extends ColumnOptions<From> {
  /** The blind index column, as the data map names it. */
  readonly index?: Index;
}

function make<Value, Index extends string | undefined, From extends string>(
  as: SealedColumn['as'],
  { index, subject, algorithm, moving }: TextOptions<Index, From>,
): SealedColumn<Value, Index, From> {
  // Left out is undefined, which is what the type parameter is then.
  return {
    as,
    index: index as Index,
    subject,
    algorithm,
    moving,
  };
}

/** What an encrypted column holds. */
export const sealed = {
  text: <const Index extends string | undefined = undefined, const From extends string = never>(
    options: TextOptions<Index, From> = {},
  ): SealedColumn<string, NoInfer<Index>, NoInfer<From>> => make('text', options),
  bytes: <const From extends string = never>(
    options: ColumnOptions<From> = {},
  ): SealedColumn<Uint8Array, undefined, NoInfer<From>> => make('bytes', options),
  /** Written with `JSON.stringify`. The type is what the program last wrote, not checked again. */
  json: <Value, const From extends string = never>(
    options: ColumnOptions<From> = {},
  ): SealedColumn<Value, undefined, NoInfer<From>> => make('json', options),
};

type Flat<Type> = { [Name in keyof Type]: Type[Name] } & {};

/** A row as the program sees it: without what only the codec fills, so that it can be sealed again. */
export type OpenRow<Columns extends object, Stored> = Flat<{
  [
    Name in Exclude<keyof Stored, FromOf<Columns[keyof Columns]> | IndexOf<Columns[keyof Columns]>>
  ]: Name extends keyof Columns ? ValueOf<Columns[Name]> | Extract<Stored[Name], null> : Stored[Name];
}>;

type Sealed<Column, Value> =
  | Uint8Array
  | Extract<Value, null | undefined>
  | ([FromOf<Column>] extends [never] ? never : null);

/** A row as it is stored. */
export type StoredRow<Columns extends object, Open> = Flat<
  { [Name in keyof Open]: Name extends keyof Columns ? Sealed<Columns[Name], Open[Name]> : Open[Name] } & {
    [Name in keyof Open & keyof Columns as IndexOf<Columns[Name]>]: Sealed<Columns[Name], Open[Name]>;
  } & { [Name in keyof Open & keyof Columns as FromOf<Columns[Name]>]: Open[Name] | null }
>;

/** Values of a row before they are sealed: the encrypted columns have their types, the others are the caller's. */
type OpenValues<Columns extends object> = {
  readonly [Name in keyof Columns]?: ValueOf<Columns[Name]> | null | undefined;
};

type StoredValues<Columns extends object> = { readonly [Name in keyof Columns]?: Uint8Array | null };

/** Rows with the keys at hand: synchronous, good for one transaction. */
export interface Rows<Columns extends object, PlaceColumn extends string> {
  /**
   * The row with its encrypted columns sealed and their blind indexes added; `null` stays `null`, others are passed on.
   * Throws `encryption.place-unknown` when a column is missing that says where a value belongs, `encryption.query-refused` for an index column
   * filled by hand, `encryption.phase-unknown` and `encryption.migration-expired` for a column that is being encrypted, and as `Sealer.seal`.
   */
  seal<Row extends OpenValues<Columns> & { readonly [Name in PlaceColumn]: unknown }>(
    row: Row,
  ): StoredRow<Columns, Row>;
  /** What to write into the row that `at` names. */
  change<Row extends OpenValues<Columns>>(
    at: { readonly [Name in PlaceColumn]: unknown },
    changed: Row,
  ): StoredRow<Columns, Row>;
  /**
   * Opens the encrypted columns that were read. Throws `encryption.plaintext-refused` for a value that was never sealed,
   * `encryption.cannot-open` and whatever else `Sealer.open` throws, and for places and phases as `seal`.
   */
  open<Row extends StoredValues<Columns> & { readonly [Name in PlaceColumn]: unknown }>(
    row: Row,
  ): OpenRow<Columns, Row>;
  /**
   * Where to look for text in any spelling that the column's rule makes the same: a row with it has one of these values in one of these columns. One
   * pair, unless the index is being rotated. While plaintext counts it is that which is compared, as it is spelled.
   */
  matches(column: keyof Columns & string, tenant: Uuid | null, text: string): readonly SearchMatch[];
}

type PlaceOf<Table extends TableDeclaration, RowColumn extends string, Subject extends string | null> =
  | RowColumn
  | Extract<Subject, string>
  | (Table['scope'] extends 'tenant' ? 'tenant_id' : never);

type IndexedOf<Columns> = {
  [Name in keyof Columns]: IndexOf<Columns[Name]> extends never ? never : Name;
}[keyof Columns] &
  string;

interface ReadOptions {
  /** The state of index rotations in this transaction (`IndexRotations.read`), where an index of the table takes part in them. */
  readonly indexes?: RotatedIndexes | undefined;
  /** For the last day of a column that is being encrypted. */
  readonly clock?: Clock | undefined;
}

interface LoadOptions extends ReadOptions {
  readonly create?: boolean | undefined;
}

export interface OpenOptions extends ReadOptions {
  /** What happens to rows about people who were erased: they are refused with `encryption.subject-erased`, which is the rule, or left out. */
  readonly erased?: 'refuse' | 'leave-out' | undefined;
}

/** Enough of a row to find the people it is about. */
type PlacedValues<Columns extends object, PlaceColumn extends string> = {
  readonly [Name in keyof Columns]?: unknown;
} & {
  readonly [Name in PlaceColumn]: unknown;
};

export interface RowCodec<
  Columns extends object = SealedColumns,
  PlaceColumn extends string = string,
  IndexedColumn extends string = never,
> {
  readonly table: string;
  /** For types alone. */
  readonly columns?: Columns;
  /** `sealer`: the loaded keys of the people the rows are about. Tables with a column that is being encrypted need `load`. */
  with(sealer: Sealer, indexes?: RotatedIndexes): Rows<Columns, PlaceColumn>;
  /**
   * The keys of these people, and how far the columns are that are being encrypted, read in this transaction: what `with` needs said for it. `create`: as
   * for `Encryption.subjects`.
   */
  load(
    encryption: Encryption,
    transaction: Transaction,
    people: readonly Uuid[],
    options?: LoadOptions,
  ): Promise<Rows<Columns, PlaceColumn>>;
  /** The people whose keys these rows need. */
  subjectsOf(rows: readonly PlacedValues<Columns, PlaceColumn>[]): readonly Uuid[];
  /**
   * Opens what a query found, with one more statement for the keys.
   */
  openAll<Row extends StoredValues<Columns> & { readonly [Name in PlaceColumn]: unknown }>(
    encryption: Encryption,
    transaction: Transaction,
    rows: readonly Row[],
    options?: OpenOptions,
  ): Promise<readonly OpenRow<Columns, Row>[]>;
  /** What to look for in the index column, 32 bytes, from text in any spelling that the column's rule makes the same. */
  blindIndex(sealer: Sealer, column: IndexedColumn, tenant: Uuid | null, text: string): Bytes;
}

/** What this package's other parts read of a codec. */
export const declaredOf = new WeakMap<object, DeclaredTable>();

export function rowCodec<
  const Map extends DataMap,
  Table extends keyof Map & string,
  const RowColumn extends keyof Map[Table]['columns'] & string,
  const Columns extends { readonly [Name in SealableColumn<Map[Table]>]?: SealedColumn },
  const Subject extends (keyof Map[Table]['columns'] & string) | null = null,
>(
  dataMap: Map,
  table: Table,
  told: {
    /** The columns of the primary key, made by the program: a value is bound to the row that they name. */
    readonly row: readonly RowColumn[];
    /** The column naming the person whom the values are about; left out or `null`: nobody. */
    readonly subject?: Subject;
    readonly columns: Columns;
  },
): RowCodec<Columns, PlaceOf<Map[Table], RowColumn, Subject>, IndexedOf<Columns>> {
  const declared = declareTable(dataMap, table, {
    row: told.row,
    subject: told.subject ?? null,
    columns: told.columns as SealedColumns,
  });
  const codec: RowCodec<Columns, PlaceOf<Map[Table], RowColumn, Subject>, IndexedOf<Columns>> = {
    table,
    with: (sealer, indexes) => rowsWith(declared, sealer, { indexes }),
    load: async (encryption, transaction, people, { create, clock = systemClock, indexes } = {}) => {
      const phases = await readPhases(transaction, declared, clock.now());
      return rowsWith(declared, await encryption.subjects(transaction, people, { create }), { phases, indexes });
    },
    subjectsOf: (rows) => subjectsOf(declared, rows),
    openAll: async <Row>(
      encryption: Encryption,
      transaction: Transaction,
      rows: readonly Row[],
      options?: OpenOptions,
    ): Promise<readonly OpenRow<Columns, Row>[]> => {
      const opened = await openAll(declared, encryption, transaction, rows as readonly Fields[], options);
      return opened as readonly OpenRow<Columns, Row>[];
    },
    blindIndex: (sealer, column, tenant, text) => {
      const columns: ColumnCodec<string> = columnCodec(sealer, { [table]: declared.declaration }, table);
      return columns.blindIndex(column, tenant, text);
    },
  };
  declaredOf.set(codec, declared);
  return codec;
}

async function openAll(
  declared: DeclaredTable,
  encryption: Encryption,
  transaction: Transaction,
  fields: readonly Fields[],
  { erased = 'refuse', clock = systemClock }: OpenOptions = {},
): Promise<readonly Fields[]> {
  const phases = await readPhases(transaction, declared, clock.now());
  const keys = await encryption.subjects(transaction, subjectsOf(declared, fields));
  const readable = erased === 'refuse' ? fields : fields.filter((row) => !isErased(declared, keys, row));
  const cipher = new RowCipher(declared, keys, { phases });
  return readable.map((row) => cipher.open(row));
}

/** The typed face of a RowCipher. */
function rowsWith<Columns extends object, PlaceColumn extends string>(
  declared: DeclaredTable,
  sealer: Sealer,
  state: ReadState,
): Rows<Columns, PlaceColumn> {
  const cipher = new RowCipher(declared, sealer, state);
  return {
    seal: <Row>(row: Row) => cipher.seal(row as Fields, row as Fields) as StoredRow<Columns, Row>,
    change: <Row>(at: Fields, changed: Row) => cipher.seal(at, changed as Fields) as StoredRow<Columns, Row>,
    matches: (column, tenant, text) => cipher.matches(column, tenant, text),
    open: <Row>(row: Row) => cipher.open(row as Fields) as OpenRow<Columns, Row>,
  };
}

/** The people named by the places of these rows' values. */
function subjectsOf(declared: DeclaredTable, rows: readonly Fields[]): readonly Uuid[] {
  const names = [...declared.columns.keys()];
  return [...new Set(rows.flatMap((row) => declaredTableSubjects(declared, row, names)))];
}

function isErased(declared: DeclaredTable, keys: SubjectKeys, row: Fields): boolean {
  return subjectsOf(declared, [row]).some((subject) => !keys.has(subject));
}
