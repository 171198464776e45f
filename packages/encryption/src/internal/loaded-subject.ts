import type { KeyObject } from 'node:crypto';
import type { Uuid } from '@strongroom/kernel';
import type { Place } from '../place.ts';
import type { ColumnKey } from './column-key.ts';
import type { FieldHeader } from './field-format.ts';

/** Column keys kept for one bucket: more than the encrypted columns about a person in any data map, in two key versions. */
const MOST_COLUMNS = 64;

interface CachedColumnKey extends FieldHeader, Omit<Place, 'row'> {
  readonly key: ColumnKey;
}

/** Column keys searched field by field: joining six texts to one name would cost more than the rest of a look-up. */
export class ColumnKeys {
  readonly #cached: CachedColumnKey[] = [];

  find(header: FieldHeader, place: Omit<Place, 'row'>): ColumnKey | undefined {
    for (const cached of this.#cached) if (isFor(cached, header, place)) return cached.key;
    return undefined;
  }

  add(header: FieldHeader, { tenant, subject, table, column }: Omit<Place, 'row'>, key: ColumnKey): void {
    if (this.#cached.push({ ...header, tenant, subject, table, column, key }) > MOST_COLUMNS) this.#cached.shift();
  }
}

const isFor = (cached: CachedColumnKey, header: FieldHeader, place: Omit<Place, 'row'>): boolean =>
  cached.column === place.column &&
  cached.table === place.table &&
  cached.keyVersion === header.keyVersion &&
  cached.algorithm === header.algorithm &&
  cached.tenant === place.tenant &&
  cached.subject === place.subject;

/** A person's random secret out of the key tree, and the column keys made with it: they go together. */
export class LoadedSubject {
  readonly subject: Uuid;
  readonly columns = new ColumnKeys();
  readonly #secret: KeyObject;

  constructor(subject: Uuid, secret: KeyObject) {
    this.subject = subject;
    this.#secret = secret;
  }

  secret(): KeyObject {
    return this.#secret;
  }
}
