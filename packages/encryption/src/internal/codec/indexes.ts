/** The blind index of a column: one column, or two while it is being rotated. */
import type { Bytes, Uuid } from '@strongroom/kernel';
import { EncryptionError } from '../../errors.ts';
import { normaliserFor } from '../../normalise.ts';
import type { Sealer } from '../../sealer.ts';
import type { DeclaredColumn, DeclaredTable } from './declaration.ts';

export interface IndexMatch {
  readonly column: string;
  readonly value: Bytes;
}

/** What `IndexRotations.read` answers. Throws `encryption.column-not-encrypted` for an index that takes no part in rotations. */
export interface RotatedIndexes {
  values(
    sealer: Sealer,
    table: string,
    column: string,
    tenant: Uuid | null,
    text: string | null,
  ): Readonly<Record<string, Bytes | null>>;
  matches(sealer: Sealer, table: string, column: string, tenant: Uuid | null, text: string): readonly IndexMatch[];
}

export class Indexes {
  readonly #declared: DeclaredTable;
  readonly #sealer: Sealer;
  readonly #rotated: RotatedIndexes | undefined;

  /** `rotated`: the state of index rotations in this transaction, for columns that take part. */
  constructor(declared: DeclaredTable, sealer: Sealer, rotated: RotatedIndexes | undefined) {
    this.#declared = declared;
    this.#sealer = sealer;
    this.#rotated = rotated;
  }

  /** Nothing for a column without an index. `text`: `null` for no value. */
  values(column: DeclaredColumn, tenant: Uuid | null, text: string | null): Readonly<Record<string, Bytes | null>> {
    const { index } = column.column;
    if (index === undefined) return {};
    const { table } = this.#declared;
    const rotated = this.#ifRotated((reader) => reader.values(this.#sealer, table, column.name, tenant, text));
    return rotated ?? { [index]: text === null ? null : this.#single(column, tenant, text) };
  }

  /** Rows with `text` have one of these values. */
  matches(column: DeclaredColumn, tenant: Uuid | null, text: string): readonly IndexMatch[] {
    const { index } = column.column;
    if (index === undefined) return [];
    const { table } = this.#declared;
    const rotated = this.#ifRotated((reader) => reader.matches(this.#sealer, table, column.name, tenant, text));
    return rotated ?? [{ column: index, value: this.#single(column, tenant, text) }];
  }

  #single({ name }: DeclaredColumn, tenant: Uuid | null, text: string): Bytes {
    const { table, declaration } = this.#declared;
    const declared = declaration.columns[name];
    if (declared?.kind !== 'personal') throw new EncryptionError('encryption.column-not-encrypted');
    return this.#sealer.blindIndex({ tenant, table, column: name }, normaliserFor(declared.category)(text));
  }

  /** `undefined` for an index that takes no part in rotations. */
  #ifRotated<Result>(read: (reader: RotatedIndexes) => Result): Result | undefined {
    if (this.#rotated === undefined) return undefined;
    try {
      return read(this.#rotated);
    } catch (error) {
      if (error instanceof EncryptionError && error.code === 'encryption.column-not-encrypted') return undefined;
      throw error;
    }
  }
}
