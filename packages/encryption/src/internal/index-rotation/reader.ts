/** What a transaction writes into the columns of a blind index and where it looks, by the state of the index's rotation. */
import type { Bytes, Uuid } from '@strongroom/kernel';
import type { EncryptedColumn, EncryptedTable } from '../../encrypted-table.ts';
import { EncryptionError } from '../../errors.ts';
import type { Sealer } from '../../sealer.ts';
import type { IndexRow } from './record.ts';

/** The two columns of a blind index. Either may be null and, where values must be unique, each has a unique index of its own. */
export interface RotatedIndex {
  readonly table: string;
  readonly column: string;
  /** The live one before the first rotation, and the other. */
  readonly columns: readonly [string, string];
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

export interface DeclaredIndex {
  readonly index: RotatedIndex;
  readonly table: EncryptedTable;
  readonly column: EncryptedColumn;
  readonly normalise: (text: string) => string;
}

/** `stateOf` throws for an index that was not declared. */
export function indexReader(
  stateOf: (table: string, column: string) => { readonly declared: DeclaredIndex; readonly row: IndexRow },
): IndexReader {
  return {
    values: (sealer, table, column, tenant, text) => {
      const { declared, row } = stateOf(table, column);
      const made: Record<string, Bytes | null> = Object.fromEntries(declared.index.columns.map((name) => [name, null]));
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

interface Used {
  readonly name: string;
  readonly version: number;
}

const live = (row: IndexRow): Used => ({ name: row.live_column, version: row.live_version });
const other = (row: IndexRow): Used => ({ name: row.other_column!, version: row.other_version! });
/** Both from the beginning, so that filling comes to an end. */
const written = (row: IndexRow): readonly Used[] =>
  row.state === 'filling' || row.state === 'filled' ? [live(row), other(row)] : [live(row)];
/** Both once others may have switched already, who write only the new one. */
const searched = (row: IndexRow): readonly Used[] => (row.state === 'filled' ? [live(row), other(row)] : [live(row)]);

/** Throws `encryption.column-not-encrypted` for a column that is not among `tables` or has no blind index. */
export function declareIndex(tables: readonly EncryptedTable[], index: RotatedIndex): DeclaredIndex {
  const table = tables.find((one) => one.table === index.table);
  const column = table?.columns.find((one) => one.column === index.column);
  if (table === undefined || column?.blindIndex === undefined) throw unknownIndex(`${index.table}.${index.column}`);
  return { index, table, column, normalise: column.blindIndex.normalise };
}

export const unknownIndex = (name: string): EncryptionError =>
  new EncryptionError('encryption.column-not-encrypted', {
    detail: `No blind index with two columns is declared for ${name}.`,
  });
