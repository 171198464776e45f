/** What the walks of a column migration do with the rows of one batch. */
import { isDeepStrictEqual } from 'node:util';
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { columnCodec, type ColumnCodec } from '../../column-codec.ts';
import type { Encryption } from '../../encryption.ts';
import { EncryptionError } from '../../errors.ts';
import type { SubjectKeys } from '../../sealer.ts';
import { compareAndSwap, type Swap, type TableShape, type WalkedRow } from '../batches/walk.ts';
import { placeOf, type DeclaredColumn, type DeclaredTable } from '../codec/declaration.ts';
import { openValueOf, plaintextOf } from '../codec/values.ts';
import type { WalkedRows } from './state.ts';

export interface MigratedRows {
  readonly encryption: Encryption;
  readonly declared: DeclaredTable;
  readonly column: DeclaredColumn;
  /** The column with the plaintext. */
  readonly from: string;
  readonly shape: TableShape;
}

type Cells = Readonly<Record<string, unknown>>;

/** Plaintext, sealed value and, where there is one, index: what is compared and swapped, in this order. */
const movedColumns = ({ column, from }: Pick<MigratedRows, 'column' | 'from'>): readonly string[] =>
  column.column.index === undefined ? [from, column.name] : [from, column.name, column.column.index];

/** What has to be read of a row. */
export const readColumns = (rows: Pick<MigratedRows, 'declared' | 'column' | 'from'>): readonly string[] => [
  ...new Set([
    ...rows.declared.row,
    ...(rows.declared.tenant === null ? [] : [rows.declared.tenant]),
    ...(rows.column.subject === null ? [] : [rows.column.subject]),
    ...movedColumns(rows),
  ]),
];

interface Opened {
  readonly codec: ColumnCodec<string>;
  readonly keys: SubjectKeys;
  readonly erased: ReadonlySet<Uuid>;
}

/** Makes what is sealed agree with the plaintext. Plaintext about people who were erased is removed. */
export async function backfillRows(
  transaction: Transaction,
  rows: MigratedRows,
  batch: readonly WalkedRow[],
): Promise<WalkedRows> {
  const opened = await open(transaction, rows, batch, true);
  const swaps: Swap[] = [];
  let erased = 0;
  for (const { key, values } of batch) {
    if (agrees(rows, opened, values)) continue;
    const gone = isErased(rows, opened, values);
    if (gone) erased += 1;
    swaps.push({ key, from: stored(rows, values), to: gone ? nothing(rows) : sealedRow(rows, opened, values) });
  }
  const changed = await compareAndSwap(transaction, rows.shape, movedColumns(rows), swaps);
  return { seen: batch.length, changed, erased, problems: 0 };
}

/** Authenticates every value and its index against the plaintext. */
export async function verifyRows(
  transaction: Transaction,
  rows: MigratedRows,
  batch: readonly WalkedRow[],
): Promise<WalkedRows> {
  const opened = await open(transaction, rows, batch, false);
  const problems = batch.filter(({ values }) => !agrees(rows, opened, values)).length;
  return { seen: batch.length, changed: 0, erased: 0, problems };
}

/** Removes plaintext that the sealed value beside it says as well, and what is left about people who were erased. */
export async function dropRows(
  transaction: Transaction,
  rows: MigratedRows,
  batch: readonly WalkedRow[],
): Promise<WalkedRows> {
  const opened = await open(transaction, rows, batch, false);
  const swaps: Swap[] = [];
  let [erased, problems] = [0, 0];
  for (const { key, values } of batch) {
    if (values[rows.from] === null) continue;
    const gone = isErased(rows, opened, values);
    if (gone) erased += 1;
    if (!gone && !agrees(rows, opened, values)) problems += 1;
    else {
      const from = stored(rows, values);
      swaps.push({ key, from, to: gone ? nothing(rows) : [null, ...from.slice(1)] });
    }
  }
  const changed = await compareAndSwap(transaction, rows.shape, movedColumns(rows), swaps);
  return { seen: batch.length, changed, erased, problems };
}

async function open(
  transaction: Transaction,
  { encryption, declared, column, from }: MigratedRows,
  batch: readonly WalkedRow[],
  create: boolean,
): Promise<Opened> {
  const people = new Set<Uuid>();
  for (const { values } of batch) {
    if (values[from] === null && values[column.name] === null) continue;
    const { subject } = placeOf(declared, column, values);
    if (subject !== null) people.add(subject);
  }
  const erased = await encryption.keyTree.shreddedOf(transaction, [...people]);
  const alive = [...people].filter((subject) => !erased.has(subject));
  const keys = await encryption.subjects(transaction, alive, { create });
  const { table, declaration } = declared;
  const algorithms = { [column.name]: column.column.algorithm };
  return { codec: columnCodec(keys, { [table]: declaration }, table, { algorithms }), keys, erased };
}

function isErased({ declared, column }: MigratedRows, { erased }: Opened, values: Cells): boolean {
  const { subject } = placeOf(declared, column, values);
  return subject !== null && erased.has(subject);
}

function agrees(rows: MigratedRows, opened: Opened, values: Cells): boolean {
  const { declared, column, from } = rows;
  const { index } = column.column;
  const plaintext = values[from];
  const sealed = values[column.name];
  if (plaintext === null || sealed === null) {
    return plaintext === sealed && (index === undefined || values[index] === null);
  }
  if (!(sealed instanceof Uint8Array)) return false;
  const place = placeOf(declared, column, values);
  try {
    if (!isDeepStrictEqual(openValueOf(column.column, opened.codec.open(column.name, place, sealed)), plaintext))
      return false;
  } catch (error) {
    if (error instanceof EncryptionError) return false;
    throw error;
  }
  if (index === undefined || typeof plaintext !== 'string') return true;
  return isDeepStrictEqual(values[index], opened.codec.blindIndex(column.name, place.tenant, plaintext));
}

const nothing = (rows: MigratedRows): readonly null[] => movedColumns(rows).map(() => null);

/** As the database compares them: JSON as its text. */
function stored(rows: MigratedRows, values: Cells): readonly unknown[] {
  return movedColumns(rows).map((name) => {
    const value = values[name];
    return name === rows.from && rows.column.column.as === 'json' && value !== null ? JSON.stringify(value) : value;
  });
}

function sealedRow(rows: MigratedRows, { codec }: Opened, values: Cells): readonly unknown[] {
  const { declared, column } = rows;
  const [plain, ...others] = stored(rows, values);
  if (plain === null) return [null, ...others.map(() => null)];
  const plaintext = plaintextOf(column.name, column.column, values[rows.from]);
  const place = placeOf(declared, column, values);
  const value = codec.seal(column.name, place, plaintext);
  if (column.column.index === undefined || typeof plaintext !== 'string') return [plain, value];
  return [plain, value, codec.blindIndex(column.name, place.tenant, plaintext)];
}
