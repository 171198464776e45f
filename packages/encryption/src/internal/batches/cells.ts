/** Columns of many rows as parameters of one statement, and how SQL gets at them. */
import { concatBytes } from '@strongroom/kernel';
import { sql, type RawBuilder } from 'kysely';

export interface TypedColumn {
  readonly name: string;
  /** As PostgreSQL writes it, for casts. */
  readonly type: string;
}

/** One column of a relation that the statement calls `relation`. */
export interface Cells {
  /** Arrays with an element for each row, to be unnested, and what their columns are called then. */
  readonly arrays: readonly { readonly name: string; readonly array: RawBuilder<unknown> }[];
  /** The value in a row. */
  readonly value: RawBuilder<unknown>;
}

/** `name` is free in the relation. */
export function cells(relation: string, name: string, { type }: TypedColumn, values: readonly unknown[]): Cells {
  if (type === 'bytea') return packed(relation, name, values as readonly (Uint8Array | null)[]);
  return { arrays: [{ name, array: sql`${values}::${sql.raw(type)}[]` }], value: sql`${sql.id(relation, name)}` };
}

/**
 * All in one piece of bytes, with where each begins and how long it is. As an array they would go as text in text: four characters for a byte, written,
 * quoted and read again.
 */
function packed(relation: string, name: string, values: readonly (Uint8Array | null)[]): Cells {
  const [from, length] = [`${name}_from`, `${name}_length`];
  let end = 0;
  const starts = values.map((value) => {
    const start = end;
    end += value?.length ?? 0;
    // Counted from 1 in SQL.
    return start + 1;
  });
  const bytes = concatBytes(...values.filter((value) => value !== null));
  return {
    arrays: [
      { name: from, array: sql`${numbers(starts)}::int[]` },
      { name: length, array: sql`${numbers(values.map((value) => value?.length ?? null))}::int[]` },
    ],
    // NULL where there is no length.
    value: sql`substring(${bytes}::bytea from ${sql.id(relation, from)} for ${sql.id(relation, length)})`,
  };
}

const numbers = (values: readonly (number | null)[]): string => `{${values.map((value) => value ?? 'NULL').join()}}`;
