/**
 * root version → tenant → data subject → column, by HKDF-Expand with a label of its own for every step. Each level is cached:
 * a further column of a known person costs two HMACs, a further row nothing.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { algorithms } from '../algorithms.ts';
import { EncryptionError } from '../errors.ts';
import { checkColumnPlace, checkIdentity, checkName, type ColumnPlace, type Place } from '../place.ts';
import { canonical } from './canonical.ts';
import { ColumnKey } from './column-key.ts';
import { fieldCipher } from './field-cipher.ts';
import { COMMITMENT_BYTES, type FieldHeader } from './field-format.ts';
import { GCM_KEY_BYTES } from './aes-gcm.ts';
import { GenerationalCache } from './generational-cache.ts';
import { deriveKey, hkdfExpand } from './hkdf.ts';
import type { RootKeyring } from './root-keyring.ts';

/** Subjects whose column keys are kept, per cache generation; at most twice as many in all. A column key takes about 1 KB. */
const SUBJECTS_PER_GENERATION = 4096;
/** Column keys kept for one subject: more than the encrypted columns about a person in any data map, in two key versions. */
const MOST_COLUMNS = 64;
/** Subject, tenant, index and hash keys per cache generation. */
const KEYS_PER_GENERATION = 4096;

interface CachedColumnKey extends FieldHeader, Omit<Place, 'row'> {
  readonly key: ColumnKey;
}

export class KeyHierarchy {
  readonly #keyring: RootKeyring;
  /** By subject, else tenant, then searched: joining all six parts to one name would cost more than the rest of a look-up. */
  readonly #columnKeys = new GenerationalCache<CachedColumnKey[]>(SUBJECTS_PER_GENERATION);
  readonly #keys = new GenerationalCache<KeyObject>(KEYS_PER_GENERATION);

  constructor(keyring: RootKeyring) {
    this.#keyring = keyring;
  }

  /** Throws `encryption.key-missing` for a key version that the keyring does not hold, a TypeError for an unusable place. */
  columnKey(header: FieldHeader, place: Omit<Place, 'row'>): ColumnKey {
    const bucketName = place.subject ?? place.tenant ?? '';
    const bucket = this.#columnKeys.get(bucketName);
    if (bucket !== undefined) {
      for (const cached of bucket) if (isFor(cached, header, place)) return cached.key;
    }
    const key = this.#deriveColumnKey(header, place);
    const { tenant, subject, table, column } = place;
    const made: CachedColumnKey = { ...header, tenant, subject, table, column, key };
    if (bucket === undefined) this.#columnKeys.set(bucketName, [made]);
    else if (bucket.push(made) > MOST_COLUMNS) bucket.shift();
    return key;
  }

  /** For blind indexes. Stays the same when new values are written under a newer key version, so that look-ups go on. */
  indexKey(place: ColumnPlace): KeyObject {
    return this.#cached(`index\0${place.tenant ?? ''}\0${place.table}\0${place.column}`, () => {
      checkColumnPlace(place);
      const info = canonical('strongroom/blind-index/v1', place.table, place.column);
      return deriveKey(this.#tenantKey(this.#keyring.lookupVersion, place), info);
    });
  }

  /** For keyed hashes of the installation; as steady as `indexKey`. */
  hashKey(purpose: string): KeyObject {
    return this.#cached(`hash\0${purpose}`, () => {
      checkName('purpose', purpose);
      const info = canonical('strongroom/keyed-hash/v1', purpose);
      return deriveKey(this.#root(this.#keyring.lookupVersion), info);
    });
  }

  #deriveColumnKey(header: FieldHeader, place: Omit<Place, 'row'>): ColumnKey {
    checkColumnPlace(place);
    checkIdentity('subject', place.subject);
    const parent = this.#subjectKey(header.keyVersion, place);
    const info = canonical(
      'strongroom/column/v1',
      place.table,
      place.column,
      Uint8Array.of(algorithms[header.algorithm]),
    );
    const bytes = hkdfExpand(parent, info, GCM_KEY_BYTES + COMMITMENT_BYTES);
    const cipher = fieldCipher(header.algorithm, createSecretKey(bytes.subarray(0, GCM_KEY_BYTES)));
    const made = new ColumnKey(cipher, bytes.subarray(GCM_KEY_BYTES), header, place);
    bytes.fill(0);
    return made;
  }

  #subjectKey(keyVersion: number, place: Pick<Place, 'tenant' | 'subject'>): KeyObject {
    const subject = place.subject ?? '';
    return this.#cached(`subject\0${keyVersion}\0${place.tenant ?? ''}\0${subject}`, () =>
      deriveKey(this.#tenantKey(keyVersion, place), canonical('strongroom/subject/v1', subject)),
    );
  }

  #tenantKey(keyVersion: number, place: Pick<Place, 'tenant'>): KeyObject {
    const tenant = place.tenant ?? '';
    return this.#cached(`tenant\0${keyVersion}\0${tenant}`, () =>
      deriveKey(this.#root(keyVersion), canonical('strongroom/tenant/v1', tenant)),
    );
  }

  #root(keyVersion: number): KeyObject {
    const root = this.#keyring.secret(keyVersion);
    if (root === undefined) {
      throw new EncryptionError('encryption.key-missing', {
        detail: `It was written under key version ${keyVersion}.`,
      });
    }
    return root;
  }

  #cached(name: string, make: () => KeyObject): KeyObject {
    const cached = this.#keys.get(name);
    if (cached !== undefined) return cached;
    const made = make();
    this.#keys.set(name, made);
    return made;
  }
}

const isFor = (cached: CachedColumnKey, header: FieldHeader, place: Omit<Place, 'row'>): boolean =>
  cached.column === place.column &&
  cached.table === place.table &&
  cached.keyVersion === header.keyVersion &&
  cached.algorithm === header.algorithm &&
  cached.tenant === place.tenant &&
  cached.subject === place.subject;
