import { isUuid, type Uuid } from '@strongroom/kernel';

/** Where a column's values live: what a blind index is separated by. */
export interface ColumnPlace {
  /** `null`: a table shared by the whole installation. */
  readonly tenant: Uuid | null;
  readonly table: string;
  readonly column: string;
}

/** Where one value lives. A value opens at the place it was sealed for and nowhere else. */
export interface Place extends ColumnPlace {
  /** Names the row within its table, normally its primary key. Not empty. */
  readonly row: string;
  /** The person the value is about, under whose key it lies; `null`: nobody. */
  readonly subject: Uuid | null;
}

/** Throws a TypeError that names the argument. The row is checked where it is used. */
export function checkColumnPlace(place: ColumnPlace): void {
  checkIdentity('tenant', place.tenant);
  checkName('table', place.table);
  checkName('column', place.column);
}

/** Throws a TypeError unless `value` is an id or `null`. */
export function checkIdentity(name: string, value: Uuid | null): void {
  if (value !== null && !isUuid(value)) throw new TypeError(`place: ${name} must be a UUIDv7 or null`);
}

/** Throws a TypeError unless `value` has exactly one encoding in UTF-8 and can be told apart in a cache key. */
export function checkName(name: string, value: string): void {
  if (typeof value !== 'string' || value === '' || value.includes('\0') || !value.isWellFormed()) {
    throw new TypeError(`place: ${name} must be a non-empty, well-formed text without NUL`);
  }
}
