/** How the values of one encrypted column are held, with the type they have when open. */
import type { Algorithm } from '../../algorithms.ts';

declare const value: unique symbol;

/** A column that is being encrypted: until then its values stand in the clear in another one. */
export interface ColumnMove<From extends string = string> {
  /** The column with the plaintext. */
  readonly from: From;
  /** The last day, UTC, on which plaintext may still be read and written: `2027-01-31`. */
  readonly until: string;
}

/** Made by `sealed`. */
export interface SealedColumn<
  Value = unknown,
  Index extends string | undefined = string | undefined,
  From extends string = string,
> {
  readonly as: 'text' | 'bytes' | 'json';
  /** The blind index column, as the data map names it. */
  readonly index: Index;
  /** The column naming the person, if it is not the table's; `null`: about nobody. */
  readonly subject: string | null | undefined;
  readonly algorithm: Algorithm | undefined;
  readonly moving: ColumnMove<From> | undefined;
  readonly [value]?: Value;
}

export type ValueOf<Column> = Column extends SealedColumn<infer Value> ? Value : never;
export type IndexOf<Column> =
  Column extends SealedColumn<unknown, infer Index> ? (Index extends string ? Index : never) : never;
export type FromOf<Column> = Column extends SealedColumn<unknown, string | undefined, infer From> ? From : never;

/** Encrypted columns by name. */
export type SealedColumns = Readonly<Record<string, SealedColumn>>;
