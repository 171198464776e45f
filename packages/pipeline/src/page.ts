import type { Uuid } from '@strongroom/kernel';

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** The id behind which the next page begins; null on the last one. */
  readonly next: Uuid | null;
}

/** A page of rows in the order of their ids. `found` holds one more than the page, where there is one: that tells whether another page follows. */
export function pageOf<Row extends { readonly id: Uuid }>(found: readonly Row[], pageItems: number): Page<Row> {
  const rows = found.slice(0, pageItems);
  return { rows, next: found.length > rows.length ? rows.at(-1)!.id : null };
}
