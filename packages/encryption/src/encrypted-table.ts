/** Where the encrypted values of a table are, and what their places are made of: what rotation has to know to go through all of them. */
import type { DataMap, TableDeclaration } from '@strongroom/kernel';
import { DEFAULT_ALGORITHM, type Algorithm } from './algorithms.ts';
import { EncryptionError } from './errors.ts';
import { normaliserFor } from './normalise.ts';
import { declaredOf } from './row-codec.ts';

export interface EncryptedColumn {
  readonly column: string;
  /** The column naming whom the value is about; `null`: nobody; several: a value sealed with `sealShared` for those that are not null. */
  readonly subject: string | readonly string[] | null;
  /** What rotation writes; left out: whatever the value has already. */
  readonly algorithm?: Algorithm | undefined;
  /** Column of its blind index, and what is done to a text before. */
  readonly blindIndex?: { readonly column: string; readonly normalise: (text: string) => string } | undefined;
}

export interface EncryptedTable {
  readonly table: string;
  /** The column with the tenant; `null`: a table of the whole installation. */
  readonly tenant: string | null;
  /** Columns whose values, as text with spaces between, are the `row` of a place. */
  readonly row: readonly string[];
  readonly columns: readonly EncryptedColumn[];
}

export interface EncryptedRows {
  readonly row: readonly string[];
  /**
   * By column, whom a value is about, where the data map does not say it: secrets belong to nobody there. A column that the map does not call
   * encrypted is added by being named here.
   */
  readonly subjects?: Readonly<Record<string, string | readonly string[] | null>> | undefined;
}

/** From the data map, which says nearly everything. Throws `encryption.column-not-encrypted` for a table or a column that is not in it. */
export function encryptedTable(dataMap: DataMap, table: string, { row, subjects = {} }: EncryptedRows): EncryptedTable {
  const declaration: TableDeclaration | undefined = dataMap[table];
  if (declaration === undefined) throw unknown(table);
  const named = [
    ...row,
    ...Object.entries(subjects).flatMap(([column, subject]) => [column, ...[subject ?? []].flat()]),
  ];
  for (const column of named) if (declaration.columns[column] === undefined) throw unknown(`${table}.${column}`);
  const columns = Object.entries(declaration.columns).flatMap(([column, declared]): EncryptedColumn[] => {
    const isEncrypted =
      (declared.kind === 'personal' || declared.kind === 'secret') && declared.protection === 'encrypted';
    const subject = subjects[column];
    if (!isEncrypted && subject === undefined) return [];
    if (declared.kind !== 'personal') return [{ column, subject: subject ?? null }];
    const { blindIndex, category } = declared;
    return [
      {
        column,
        subject: subject === undefined ? declared.subject : subject,
        ...(blindIndex === undefined ? {} : { blindIndex: { column: blindIndex, normalise: normaliserFor(category) } }),
      },
    ];
  });
  if (columns.length === 0) throw unknown(table);
  return { table, tenant: declaration.scope === 'tenant' ? 'tenant_id' : null, row, columns };
}

/** Of a table that has a row codec. */
export function encryptedTableOf(codec: object): EncryptedTable {
  const declared = declaredOf.get(codec);
  if (declared === undefined) throw new TypeError('encrypted table: that is no row codec');
  const { table, tenant, row, columns, declaration } = declared;
  return {
    table,
    tenant,
    row,
    columns: [...columns.values()].map(
      ({ name, subject, column: { algorithm = DEFAULT_ALGORITHM } }): EncryptedColumn => {
        const column = declaration.columns[name];
        if (column?.kind !== 'personal' || column.blindIndex === undefined) return { column: name, subject, algorithm };
        const { blindIndex, category } = column;
        const normalise = normaliserFor(category);
        return { column: name, subject, algorithm, blindIndex: { column: blindIndex, normalise } };
      },
    ),
  };
}

/** Tables that hold encrypted columns and are not among `declared`: rotation would pass them by. */
export const undeclaredTables = (dataMap: DataMap, declared: readonly EncryptedTable[]): readonly string[] =>
  Object.entries(dataMap)
    .filter(([table, { columns }]) => {
      const isEncrypted = Object.values(columns).some(
        (column) => (column.kind === 'personal' || column.kind === 'secret') && column.protection === 'encrypted',
      );
      return isEncrypted && !declared.some((one) => one.table === table);
    })
    .map(([table]) => table);

const unknown = (name: string): EncryptionError =>
  new EncryptionError('encryption.column-not-encrypted', { detail: `It is ${name}.` });
