/** The encrypted columns of one declared table, with nothing left to choose: protection, index and normalisation come from the data map. */
import type { Bytes, Column, DataMap, PersonalColumn, SecretColumn, TableDeclaration, Uuid } from '@strongroom/kernel';
import type { Algorithm } from './algorithms.ts';
import { EncryptionError } from './errors.ts';
import { normaliserFor } from './normalise.ts';
import type { Place } from './place.ts';
import type { Sealer } from './sealer.ts';

/** Columns that can be encrypted at all; whether they are is checked at the call. */
export type SealableColumn<Table extends TableDeclaration> = {
  [Name in keyof Table['columns']]: Table['columns'][Name] extends PersonalColumn | SecretColumn ? Name : never;
}[keyof Table['columns']] &
  string;

/** Which row, and about whom. */
export interface RowPlace {
  /** The tenant of the row; `null`, and only then, in a table scoped to the installation. */
  readonly tenant: Uuid | null;
  readonly row: string;
  /** The person named by the row's subject column; never `null` for personal data. */
  readonly subject: Uuid | null;
}

/**
 * Every method throws `encryption.column-not-encrypted` for a column that the data map does not declare `encrypted`, and
 * `encryption.wrong-place` for a place that does not fit the table's declaration; the others as in `Sealer`.
 */
export interface ColumnCodec<ColumnName extends string> {
  seal(column: ColumnName, place: RowPlace, plaintext: string | Uint8Array): Bytes;
  open(column: ColumnName, place: RowPlace, value: Uint8Array): Bytes;
  openText(column: ColumnName, place: RowPlace, value: Uint8Array): string;
  /** The blind index of `text`, normalised by the column's category, 32 bytes. Throws also for a column declared without an index. */
  blindIndex(column: ColumnName, tenant: Uuid | null, text: string): Bytes;
}

export interface ColumnCodecOptions<ColumnName extends string> {
  /** Columns whose new values get another algorithm than AES-256-GCM. */
  readonly algorithms?: Readonly<Partial<Record<ColumnName, Algorithm>>> | undefined;
}

/**
 * `sealer`: the loaded keys of the people that the rows are about, or the `Encryption` itself for columns about nobody and for blind indexes.
 * Throws `encryption.column-not-encrypted` when `dataMap` does not declare the table.
 */
export function columnCodec<const Map extends DataMap, Table extends keyof Map & string>(
  sealer: Sealer,
  dataMap: Map,
  table: Table,
  options: ColumnCodecOptions<SealableColumn<Map[Table]>> = {},
): ColumnCodec<SealableColumn<Map[Table]>> {
  const declaration: TableDeclaration | undefined = dataMap[table];
  if (declaration === undefined) throw notEncrypted(table);

  const placeOf = (column: string, { tenant, row, subject }: RowPlace): Place => {
    const declared = encryptedColumn(table, declaration, column);
    checkTenant(table, declaration, tenant);
    if (declared.kind === 'personal' && subject === null) {
      throw wrongPlace(`${table}.${column} is about a person; name the subject.`);
    }
    return { tenant, table, column, row, subject };
  };

  return {
    seal: (column, place, plaintext) => sealer.seal(placeOf(column, place), plaintext, options.algorithms?.[column]),
    open: (column, place, value) => sealer.open(placeOf(column, place), value),
    openText: (column, place, value) => sealer.openText(placeOf(column, place), value),
    blindIndex(column, tenant, text) {
      const declared = encryptedColumn(table, declaration, column);
      if (declared.kind !== 'personal' || declared.blindIndex === undefined) throw notEncrypted(`${table}.${column}`);
      checkTenant(table, declaration, tenant);
      return sealer.blindIndex({ tenant, table, column }, normaliserFor(declared.category)(text));
    },
  };
}

function encryptedColumn(table: string, declaration: TableDeclaration, column: string): PersonalColumn | SecretColumn {
  const declared: Column | undefined = declaration.columns[column];
  if (declared?.kind !== 'personal' && declared?.kind !== 'secret') throw notEncrypted(`${table}.${column}`);
  if (declared.protection !== 'encrypted') throw notEncrypted(`${table}.${column}`);
  return declared;
}

function checkTenant(table: string, declaration: TableDeclaration, tenant: Uuid | null): void {
  if (declaration.scope === 'tenant' && tenant === null) {
    throw wrongPlace(`${table} belongs to tenants; name the tenant.`);
  }
  if (declaration.scope === 'installation' && tenant !== null) throw wrongPlace(`${table} belongs to no tenant.`);
}

const notEncrypted = (name: string): EncryptionError =>
  new EncryptionError('encryption.column-not-encrypted', { detail: `It is ${name}.` });

const wrongPlace = (detail: string): EncryptionError => new EncryptionError('encryption.wrong-place', { detail });
