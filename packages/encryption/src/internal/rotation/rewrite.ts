/** One batch of rows: opens every value, and seals those of former key versions anew. */
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { EncryptedColumn, EncryptedTable } from '../../encrypted-table.ts';
import type { Encryption } from '../../encryption.ts';
import { EncryptionError } from '../../errors.ts';
import type { SharedPlace, SubjectKeys } from '../../sealer.ts';
import { compareAndSwap, type Swap, type TableShape, type WalkedRow } from '../batches/walk.ts';
import { readHeader } from '../field-format.ts';
import { readShared } from '../shared-value.ts';

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

/** In the transaction that read the rows. */
export async function rewrite(
  encryption: Encryption,
  transaction: Transaction,
  target: RewriteTarget,
  all: readonly WalkedRow[],
): Promise<RewriteResult> {
  const { table, shape, columns, tenant } = target;
  const rows = tenant === null ? all : all.filter(({ values }) => values[table.tenant!] === tenant);
  const people = rows.flatMap(({ values }) => columns.flatMap((column) => peopleOf(column, values)));
  const keys = await encryption.subjects(transaction, people);
  // Otherwise values would be written under a version that is about to go.
  if (encryption.keyVersion < target.keyVersion) throw new EncryptionError('encryption.root-outdated');
  let [authenticated, erased] = [0, 0];
  const damaged: string[] = [];
  const swaps: (Swap & { readonly values: number })[] = [];
  for (const row of rows) {
    const from = columns.map(({ column }) => row.values[column]);
    const to = [...from];
    let changed = 0;
    for (const [index, column] of columns.entries()) {
      const value = from[index];
      if (!(value instanceof Uint8Array)) continue;
      const renewed = renew(keys, target, column, row, value);
      if (renewed === 'authenticated') authenticated += 1;
      else if (renewed === 'erased') erased += 1;
      else if (renewed === 'damaged') damaged.push(`${table.table}.${column.column} ${row.key.join(' ')}`);
      else {
        to[index] = renewed;
        changed += 1;
      }
    }
    if (changed > 0) swaps.push({ key: row.key, from, to, values: changed });
  }
  const names = columns.map(({ column }) => column);
  const values = swaps.reduce((sum, swap) => sum + swap.values, 0);
  const swapped = await compareAndSwap(transaction, shape, names, swaps);
  // Rows are counted by the database, values here; a batch in which a writer was faster is counted by the row.
  const leftToWriters = swaps.length - swapped;
  return { rewritten: leftToWriters === 0 ? values : swapped, leftToWriters, authenticated, erased, damaged };
}

function peopleOf({ subject }: EncryptedColumn, values: WalkedRow['values']): readonly Uuid[] {
  // Columns that are declared as subjects hold ids. Written out, since it is asked for every value.
  if (subject === null) return NOBODY;
  if (typeof subject === 'string') return values[subject] === null ? NOBODY : [values[subject] as Uuid];
  return subject.flatMap((name) => (values[name] === null ? [] : [values[name] as Uuid]));
}

const NOBODY: readonly Uuid[] = [];

function renew(
  keys: SubjectKeys,
  target: RewriteTarget,
  column: EncryptedColumn,
  { values }: WalkedRow,
  value: Uint8Array,
): Uint8Array | 'authenticated' | 'erased' | 'damaged' {
  const { table, keyVersion } = target;
  const place = placeOf(table, column, values);
  const people = peopleOf(column, values);
  const readable = people.filter((person) => keys.has(person));
  if (people.length > 0 && readable.length === 0) return 'erased';
  let plaintext: Uint8Array | undefined;
  try {
    if (Array.isArray(column.subject)) {
      const { header } = readShared(value);
      plaintext = keys.openShared(readable, place, value);
      return header.keyVersion >= keyVersion ? 'authenticated' : keys.sealShared(readable, place, plaintext);
    }
    const header = readHeader(value);
    const at = { ...place, subject: people[0] ?? null };
    plaintext = keys.open(at, value);
    return header.keyVersion >= keyVersion ? 'authenticated' : keys.seal(at, plaintext, header.algorithm);
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error;
    return 'damaged';
  } finally {
    plaintext?.fill(0);
  }
}

export const tenantOf = ({ tenant }: EncryptedTable, values: WalkedRow['values']): Uuid | null =>
  tenant === null ? null : (values[tenant] as Uuid);

const placeOf = (table: EncryptedTable, { column }: EncryptedColumn, values: WalkedRow['values']): SharedPlace => ({
  tenant: tenantOf(table, values),
  table: table.table,
  column,
  row: table.row.map((name) => String(values[name])).join(' '),
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
      if (Array.isArray(column.subject))
        return { text: Buffer.from(keys.openShared(people, place, value)).toString('utf8') };
      return { text: keys.openText({ ...place, subject: people[0] ?? null }, value) };
    } catch (error) {
      if (!(error instanceof EncryptionError)) throw error;
      return 'damaged';
    }
  });
}
