/** Rows of one declared table between the database and the program. Untyped: `row-codec.ts` gives it its types. */
import type { Uuid } from '@strongroom/kernel';
import { columnCodec, type ColumnCodec } from '../../column-codec.ts';
import { EncryptionError } from '../../errors.ts';
import type { Sealer } from '../../sealer.ts';
import { RowPlaces, type DeclaredColumn, type DeclaredTable, type Fields } from './declaration.ts';
import { Indexes, type RotatedIndexes } from './indexes.ts';
import { phaseOf, plaintextCounts, writesSealed, type Phases } from './phases.ts';
import { openValueOf, plaintextOf } from './values.ts';

/** What has to be read in a transaction before its rows can be sealed or opened; nothing for most tables. */
export interface ReadState {
  /** How far the columns are that are being encrypted. */
  readonly phases?: Phases | undefined;
  /** How far blind indexes are that are being rotated. */
  readonly indexes?: RotatedIndexes | undefined;
}

export interface SearchMatch {
  readonly column: string;
  readonly value: string | Uint8Array;
}

export class RowCipher {
  readonly #declared: DeclaredTable;
  readonly #phases: Phases | undefined;
  readonly #codec: ColumnCodec<string>;
  readonly #indexes: Indexes;

  constructor(declared: DeclaredTable, sealer: Sealer, { phases, indexes }: ReadState) {
    this.#declared = declared;
    this.#phases = phases;
    this.#indexes = new Indexes(declared, sealer, indexes);
    const { table, declaration } = declared;
    const algorithms = Object.fromEntries(
      [...declared.columns.values()].map(({ name, column }) => [name, column.algorithm]),
    );
    this.#codec = columnCodec(sealer, { [table]: declaration }, table, { algorithms });
  }

  /** What is stored for `values`, in the row that `at` names. */
  seal(at: Fields, values: Fields): Record<string, unknown> {
    const places = new RowPlaces(this.#declared, at);
    const stored: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values)) {
      this.refuseHandMade(name);
      const column = this.#declared.columns.get(name);
      if (column === undefined) stored[name] = value;
      else if (value !== undefined) this.#sealInto(stored, column, places, value);
    }
    return stored;
  }

  open(row: Fields): Record<string, unknown> {
    const places = new RowPlaces(this.#declared, row);
    const opened: Record<string, unknown> = { ...row };
    for (const index of this.#declared.indexes) delete opened[index];
    for (const column of this.#declared.columns.values()) {
      const { moving } = column.column;
      if (moving !== undefined) {
        if (!(column.name in row) && !(moving.from in row)) continue;
        delete opened[moving.from];
        opened[column.name] = this.openMoving(column, places, row[column.name], row[moving.from]);
      } else if (column.name in row) opened[column.name] = this.openValue(column, places, row[column.name]);
    }
    return opened;
  }

  /** Throws `encryption.plaintext-refused` for what is no sealed value, otherwise as `Sealer.open`. */
  openValue(column: DeclaredColumn, places: RowPlaces, value: unknown): unknown {
    if (value === null || value === undefined) return value;
    if (!(value instanceof Uint8Array)) throw plaintextRefused(this.#declared, column);
    return openValueOf(column.column, this.#codec.open(column.name, places.of(column), value));
  }

  /** `undefined` for a column that was not read. */
  openMoving(column: DeclaredColumn, places: RowPlaces, sealed: unknown, plaintext: unknown): unknown {
    if (plaintextCounts(phaseOf(this.#declared.table, column, this.#phases))) {
      if (plaintext !== undefined) return plaintext;
      throw new EncryptionError('encryption.place-unknown', {
        detail: `Read ${this.#declared.table}.${column.column.moving!.from} too: ${column.name} is being encrypted.`,
      });
    }
    // Whoever can write the table could put it there.
    if (sealed === null && plaintext !== null && plaintext !== undefined)
      throw plaintextRefused(this.#declared, column);
    return this.openValue(column, places, sealed);
  }

  /** Columns and values of which a row with that text has one. Throws `encryption.query-refused` for a column without an index. */
  matches(name: string, tenant: Uuid | null, text: string): readonly SearchMatch[] {
    const column = this.#declared.columns.get(name);
    if (column?.column.index === undefined) {
      throw new EncryptionError('encryption.query-refused', {
        detail: `${this.#declared.table}.${name} has no blind index.`,
      });
    }
    const { moving } = column.column;
    const inTheClear = moving !== undefined && plaintextCounts(phaseOf(this.#declared.table, column, this.#phases));
    return inTheClear ? [{ column: moving.from, value: text }] : this.#indexes.matches(column, tenant, text);
  }

  /** Throws `encryption.query-refused` for a column that only the codec fills. */
  refuseHandMade(name: string): void {
    if (!this.#declared.indexes.has(name) && !this.#isMovedFrom(name)) return;
    throw new EncryptionError('encryption.query-refused', {
      detail: `${this.#declared.table}.${name} is filled by itself; give the column that it belongs to.`,
    });
  }

  #isMovedFrom(name: string): boolean {
    for (const { column } of this.#declared.columns.values()) if (column.moving?.from === name) return true;
    return false;
  }

  #sealInto(stored: Record<string, unknown>, declared: DeclaredColumn, places: RowPlaces, value: unknown): void {
    const { name, column } = declared;
    let sealing = value !== null;
    if (column.moving !== undefined) {
      const phase = phaseOf(this.#declared.table, declared, this.#phases);
      if (value !== null) plaintextOf(name, column, value);
      // A json column takes a JSON text.
      const clear = column.as === 'json' && value !== null ? JSON.stringify(value) : value;
      stored[column.moving.from] = plaintextCounts(phase) ? clear : null;
      sealing &&= writesSealed(phase);
    }
    if (!sealing) {
      stored[name] = null;
      Object.assign(stored, this.#indexes.values(declared, null, null));
      return;
    }
    const plaintext = plaintextOf(name, column, value);
    const place = places.of(declared);
    stored[name] = this.#codec.seal(name, place, plaintext);
    if (typeof plaintext === 'string') Object.assign(stored, this.#indexes.values(declared, place.tenant, plaintext));
  }
}

const plaintextRefused = ({ table }: DeclaredTable, { name }: DeclaredColumn): EncryptionError =>
  new EncryptionError('encryption.plaintext-refused', { detail: `It is ${table}.${name}.` });
