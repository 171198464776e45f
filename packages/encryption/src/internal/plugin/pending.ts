/** Values that are sealed when the query is executed: only then the keys can be read. */
import { inspect } from 'node:util';
import type { DeclaredColumn, DeclaredTable, Fields } from '../codec/declaration.ts';
import { refuse } from './nodes.ts';

/** One value of one row, and where it belongs. */
export interface PendingValue {
  readonly declared: DeclaredTable;
  readonly at: Fields;
  readonly column: string;
  readonly value: unknown;
}

/** A query parameter: one of the columns that a value is stored in. */
export class PendingColumn {
  readonly #pending: PendingValue;
  readonly stored: string;

  constructor(pending: PendingValue, stored: string) {
    this.#pending = pending;
    this.stored = stored;
  }

  pending(): PendingValue {
    return this.#pending;
  }

  /** A driver that does not know what this is writes it as JSON. */
  toJSON(): never {
    throw refuse(
      `A value of ${this.#pending.declared.table} is not sealed yet.`,
      'Execute the query where it was built.',
    );
  }

  [inspect.custom](): string {
    return `PendingColumn { ${this.#pending.declared.table}.${this.stored} }`;
  }
}

/**
 * A query parameter: what a column that is being encrypted is compared with, in the clear or by its index. Which of the two counts is known when the
 * query is executed; the other becomes null, which nothing equals.
 */
export class PendingMatch {
  readonly declared: DeclaredTable;
  readonly column: DeclaredColumn;
  readonly inTheClear: boolean;
  readonly #value: unknown;

  constructor(declared: DeclaredTable, column: DeclaredColumn, inTheClear: boolean, value: unknown) {
    this.declared = declared;
    this.column = column;
    this.inTheClear = inTheClear;
    this.#value = value;
  }

  value(): unknown {
    return this.#value;
  }

  toJSON(): never {
    throw refuse(`A search in ${this.declared.table} is not complete yet.`, 'Execute the query where it was built.');
  }

  [inspect.custom](): string {
    return `PendingMatch { ${this.declared.table}.${this.column.name} }`;
  }
}
