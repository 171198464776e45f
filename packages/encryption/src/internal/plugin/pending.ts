/** Values that are sealed when the query is executed: only then the keys can be read. */
import { inspect } from 'node:util';
import type { DeclaredTable, Fields } from '../codec/declaration.ts';
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
