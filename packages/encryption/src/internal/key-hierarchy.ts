/**
 * root version → tenant → data subject → column, by HKDF-Expand with a label of its own for every step. Tenant keys and column keys are
 * cached: a further column of a person costs four HMACs, a further row nothing.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Uuid } from '@strongroom/kernel';
import { algorithms } from '../algorithms.ts';
import { EncryptionError } from '../errors.ts';
import { checkColumnPlace, checkIdentity, checkName, type ColumnPlace, type Place } from '../place.ts';
import { GCM_KEY_BYTES } from './aes-gcm.ts';
import { canonical } from './canonical.ts';
import { ColumnKey } from './column-key.ts';
import { fieldCipher } from './field-cipher.ts';
import { COMMITMENT_BYTES, type FieldHeader } from './field-format.ts';
import { GenerationalCache } from './generational-cache.ts';
import { deriveKey, hkdfExpand } from './hkdf.ts';
import { ColumnKeys, type LoadedSubject } from './loaded-subject.ts';
import type { RootKeyring, RootVersion } from './root-keyring.ts';
import { SECRET_BYTES } from './secret.ts';

/** Buckets of column keys per cache generation; at most twice as many in all. A column key takes about 1 KB. */
const BUCKETS_PER_GENERATION = 4096;
/** Subject, tenant, index and hash keys per cache generation. */
const KEYS_PER_GENERATION = 4096;

/** What of a keyring the keys of values come from. */
export type KeyVersions = Pick<RootKeyring, 'currentVersion' | 'lookupVersion' | 'version' | 'listVersions'>;

export class KeyHierarchy {
  readonly #keyring: KeyVersions;
  /** Of what is about nobody, by tenant; of people under derived keys, by subject. */
  readonly #columnKeys = new GenerationalCache<ColumnKeys>(BUCKETS_PER_GENERATION);
  readonly #keys = new GenerationalCache<KeyObject>(KEYS_PER_GENERATION);

  constructor(keyring: KeyVersions) {
    this.#keyring = keyring;
  }

  /**
   * `loaded`: the secret of the place's subject, where there is one. Throws `encryption.key-missing` for a key version that the keyring does
   * not hold, `encryption.subject-not-loaded` when the version needs a secret that was not given, a TypeError for an unusable place.
   */
  columnKey(header: FieldHeader, place: Omit<Place, 'row'>, loaded?: LoadedSubject): ColumnKey {
    const columns = loaded?.columns ?? this.#bucket(place.subject ?? place.tenant ?? '');
    const cached = columns.find(header, place);
    if (cached !== undefined) return cached;
    const made = this.#makeColumnKey(header, place, loaded);
    columns.add(header, place, made);
    return made;
  }

  /**
   * For blind indexes, under the lookup version unless another one is named. Stays the same when new values are written under a newer key version,
   * so that look-ups go on. Throws `encryption.key-missing`.
   */
  indexKey(place: ColumnPlace, version = this.#keyring.lookupVersion): KeyObject {
    return this.#cached(`index\0${version}\0${place.tenant ?? ''}\0${place.table}\0${place.column}`, () => {
      checkColumnPlace(place);
      const info = canonical('strongroom/blind-index/v1', place.table, place.column);
      return deriveKey(this.#tenantKey(version, place), info);
    });
  }

  /** For keyed hashes of the installation; as steady as `indexKey`. */
  hashKey(purpose: string): KeyObject {
    return this.#cached(`hash\0${purpose}`, () => {
      checkName('purpose', purpose);
      const info = canonical('strongroom/keyed-hash/v1', purpose);
      return deriveKey(this.#root(this.#keyring.lookupVersion).secret, info);
    });
  }

  #bucket(name: string): ColumnKeys {
    const bucket = this.#columnKeys.get(name);
    if (bucket !== undefined) return bucket;
    const made = new ColumnKeys();
    this.#columnKeys.set(name, made);
    return made;
  }

  #makeColumnKey(header: FieldHeader, place: Omit<Place, 'row'>, loaded: LoadedSubject | undefined): ColumnKey {
    checkColumnPlace(place);
    checkIdentity('subject', place.subject);
    const parent = this.#subjectKey(header.keyVersion, place, loaded);
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

  #subjectKey(keyVersion: number, place: Omit<Place, 'row'>, loaded: LoadedSubject | undefined): KeyObject {
    const { subject } = place;
    const { scheme } = this.#root(keyVersion);
    if (scheme === 'lookup') throw missing(keyVersion);
    if (subject === null || scheme === 'derived') return this.#derivedKey(keyVersion, place);
    if (loaded?.subject !== subject) throw new EncryptionError('encryption.subject-not-loaded');
    // The derived part brings in version and tenant, the person's secret is what can be destroyed. It is the key of the
    // function, so that without it the result is random even to who holds everything else. Only column keys are cached: a KeyObject for
    // either would cost as much as making it again.
    const share = hkdfExpand(this.#tenantKey(keyVersion, place), derivedInfo(subject), SECRET_BYTES);
    const info = canonical('strongroom/subject/v2', share);
    try {
      return deriveKey(loaded.secret(), info);
    } finally {
      share.fill(0);
      info.fill(0);
    }
  }

  #derivedKey(keyVersion: number, { tenant, subject }: Pick<Place, 'tenant' | 'subject'>): KeyObject {
    return this.#cached(`subject\0${keyVersion}\0${tenant ?? ''}\0${subject ?? ''}`, () =>
      deriveKey(this.#tenantKey(keyVersion, { tenant }), derivedInfo(subject)),
    );
  }

  #tenantKey(keyVersion: number, place: Pick<Place, 'tenant'>): KeyObject {
    const tenant = place.tenant ?? '';
    return this.#cached(`tenant\0${keyVersion}\0${tenant}`, () =>
      deriveKey(this.#root(keyVersion).secret, canonical('strongroom/tenant/v1', tenant)),
    );
  }

  #root(keyVersion: number): RootVersion {
    const root = this.#keyring.version(keyVersion);
    if (root === undefined) throw missing(keyVersion);
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

const derivedInfo = (subject: Uuid | null): Uint8Array => canonical('strongroom/subject/v1', subject ?? '');

const missing = (keyVersion: number): EncryptionError =>
  new EncryptionError('encryption.key-missing', { detail: `It was written under key version ${keyVersion}.` });
