/** One batch of rows: opens every value, and seals those of former key versions or algorithms anew. */
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { EncryptedColumn, EncryptedTable } from '../../encrypted-table.ts';
import type { Encryption } from '../../encryption.ts';
import { EncryptionError } from '../../errors.ts';
import type { SharedPlace, SubjectKeys } from '../../sealer.ts';
import { compareAndSwap, type Swap, type TableShape, type Turn, type WalkedRow } from '../batches/walk.ts';
import type { Renewal, Renewer, ValuePlace } from './renew.ts';

export interface RewriteTarget {
  readonly table: EncryptedTable;
  readonly shape: TableShape;
  /** Those of the table's columns that are in the scope. */
  readonly columns: readonly EncryptedColumn[];
  /** Only rows of this tenant. */
  readonly tenant: Uuid | null;
  /** Values are under this version at least afterwards. */
  readonly keyVersion: number;
}

export interface RewriteResult {
  /** Values written anew. */
  readonly rewritten: number;
  /** Values of rows that somebody else changed meanwhile. */
  readonly leftToWriters: number;
  /** Values that opened under the version, or a later one. */
  readonly authenticated: number;
  /** Values about people whose keys are gone: nobody can read them, whatever their version. */
  readonly erased: number;
  /** Values that do not open, as `table.column key`. */
  readonly damaged: readonly string[];
}

/** The columns to read besides the primary key. */
export const neededColumns = ({ table, columns }: Pick<RewriteTarget, 'table' | 'columns'>): readonly string[] => [
  ...new Set([
    ...(table.tenant === null ? [] : [table.tenant]),
    ...table.row,
    ...columns.flatMap(({ column, subject }) => [column, ...[subject ?? []].flat()]),
  ]),
];

export interface RewriteOptions {
  readonly encryption: Encryption;
  readonly renewer: Renewer;
  /** Nothing is written before. */
  readonly turn: Turn;
}

/** In the transaction that read the rows. */
export async function rewrite(
  transaction: Transaction,
  target: RewriteTarget,
  all: readonly WalkedRow[],
  { encryption, renewer, turn }: RewriteOptions,
): Promise<RewriteResult> {
  const { table, shape, columns, keyVersion, tenant } = target;
  const rows = tenant === null ? all : all.filter(({ values }) => values[table.tenant!] === tenant);
  const people = rows.flatMap(({ values }) => columns.flatMap((column) => peopleOf(column, values)));
  const keys = await encryption.subjects(transaction, people);
  // Otherwise values would be written under a version that is about to go.
  if (encryption.keyVersion < keyVersion) throw new EncryptionError('encryption.root-outdated');
  const { cells, places, values, erased } = collect(keys, target, rows);
  const renewed = await renewer(keys, { table: table.table, keyVersion, places, values });
  let authenticated = 0;
  const damaged: string[] = [];
  const changes = new Map<WalkedRow, Map<string, Uint8Array>>();
  for (const [index, { row, column }] of cells.entries()) {
    const to = renewed[index]!;
    if (to === 'authenticated') authenticated += 1;
    else if (to === 'damaged') damaged.push(`${table.table}.${column} ${row.key.join(' ')}`);
    else {
      const changed = changes.get(row);
      if (changed === undefined) changes.set(row, new Map([[column, to]]));
      else changed.set(column, to);
    }
  }
  const names = columns.map(({ column }) => column);
  const swaps = [...changes].map(([row, changed]): Swap => {
    const from = names.map((name) => row.values[name]);
    return { key: row.key, from, to: names.map((name, index) => changed.get(name) ?? from[index]) };
  });
  const changed = cells.length - authenticated - damaged.length;
  await turn();
  const swapped = await compareAndSwap(transaction, shape, names, swaps);
  // Rows are counted by the database, values here; a batch in which a writer was faster is counted by the row.
  const leftToWriters = swaps.length - swapped;
  return { rewritten: leftToWriters === 0 ? changed : swapped, leftToWriters, authenticated, erased, damaged };
}

interface Collected extends Pick<Renewal, 'places' | 'values'> {
  /** Where the values were found, in their order. */
  readonly cells: readonly { readonly row: WalkedRow; readonly column: string }[];
  /** Values that were left out, since nobody they are about has a key. */
  readonly erased: number;
}

function collect(keys: SubjectKeys, { table, columns }: RewriteTarget, rows: readonly WalkedRow[]): Collected {
  const [cells, places, values]: [Collected['cells'][number][], ValuePlace[], Uint8Array[]] = [[], [], []];
  let erased = 0;
  for (const row of rows) {
    const place = rowPlace(table, row.values);
    for (const { column, subject, algorithm } of columns) {
      const value = row.values[column];
      if (!(value instanceof Uint8Array)) continue;
      const all = peopleOf({ subject }, row.values);
      const people = all.filter((person) => keys.has(person));
      if (all.length > 0 && people.length === 0) {
        erased += 1;
        continue;
      }
      cells.push({ row, column });
      places.push({ ...place, column, algorithm, people, isShared: Array.isArray(subject) });
      values.push(value);
    }
  }
  return { cells, places, values, erased };
}

function peopleOf({ subject }: Pick<EncryptedColumn, 'subject'>, values: WalkedRow['values']): readonly Uuid[] {
  // Columns that are declared as subjects hold ids. Written out, since it is asked for every value.
  if (subject === null) return NOBODY;
  if (typeof subject === 'string') return values[subject] === null ? NOBODY : [values[subject] as Uuid];
  return subject.flatMap((name) => (values[name] === null ? [] : [values[name] as Uuid]));
}

const NOBODY: readonly Uuid[] = [];

export const tenantOf = ({ tenant }: EncryptedTable, values: WalkedRow['values']): Uuid | null =>
  tenant === null ? null : (values[tenant] as Uuid);

const rowPlace = (table: EncryptedTable, values: WalkedRow['values']): Omit<SharedPlace, 'table' | 'column'> => ({
  tenant: tenantOf(table, values),
  row: table.row.map((name) => String(values[name])).join(' '),
});

const placeOf = (table: EncryptedTable, { column }: EncryptedColumn, values: WalkedRow['values']): SharedPlace => ({
  ...rowPlace(table, values),
  table: table.table,
  column,
});

export type OpenedText = { readonly text: string } | 'erased' | 'damaged' | null;

/** The texts of one column; `null` where there is none, `erased` where nobody it is about has a key, `damaged` where it does not open. */
export async function openTexts(
  encryption: Encryption,
  transaction: Transaction,
  { table, column }: { readonly table: EncryptedTable; readonly column: EncryptedColumn },
  rows: readonly WalkedRow[],
): Promise<readonly OpenedText[]> {
  const keys = await encryption.subjects(
    transaction,
    rows.flatMap(({ values }) => peopleOf(column, values)),
  );
  return rows.map(({ values }) => {
    const value = values[column.column];
    if (!(value instanceof Uint8Array)) return null;
    const all = peopleOf(column, values);
    const people = all.filter((person) => keys.has(person));
    if (all.length > 0 && people.length === 0) return 'erased';
    try {
      const place = placeOf(table, column, values);
      if (Array.isArray(column.subject)) {
        const bytes = keys.openShared(people, place, value);
        const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
        bytes.fill(0);
        return { text };
      }
      return { text: keys.openText({ ...place, subject: people[0] ?? null }, value) };
    } catch (error) {
      if (!(error instanceof EncryptionError)) throw error;
      return 'damaged';
    }
  });
}
