/** The keys of some people within one transaction. */
import type { KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { concatBytes, equalBytes, type Bytes, type Uuid } from '@strongroom/kernel';
import { DEFAULT_ALGORITHM, type Algorithm } from '../algorithms.ts';
import { EncryptionError } from '../errors.ts';
import type { ColumnPlace, Place } from '../place.ts';
import type { SharedPlace, SubjectKeys } from '../sealer.ts';
import { BODY_OFFSET, COMMITMENT_OFFSET, encodeHeader } from './field-format.ts';
import { FieldSealer, KeySet, plainBytes } from './field-sealer.ts';
import { LoadedSubject } from './loaded-subject.ts';
import type { RootVersion } from './root-keyring.ts';
import { randomSecret } from './secret.ts';
import { MOST_SUBJECTS, openShared, readShared, sealShared, WRAP_ALGORITHM, type SharedParts } from './shared-value.ts';

/** In place of the column's own name, so that a wrapped key is never taken for a value or the other way round. */
const wrapPlace = (place: SharedPlace, subject: Uuid): Place => ({ ...place, column: `${place.column}#key`, subject });

/**
 * The same keys for another thread of this process. In a message a KeyObject is a reference to memory outside of JavaScript; its bytes are not in it.
 * Without the root of the key tree, and without versions that only look up.
 */
export interface SentKeys {
  readonly keyVersion: number;
  readonly versions: readonly RootVersion[];
  readonly people: readonly (readonly [Uuid, KeyObject])[];
}

export class LoadedKeys implements SubjectKeys {
  readonly #keys: KeySet;
  readonly #loaded: ReadonlyMap<Uuid, LoadedSubject>;
  readonly #asked: ReadonlySet<Uuid>;
  readonly #sealer: FieldSealer;

  /** `asked`: everyone that was to be loaded, with or without a key. */
  constructor(keys: KeySet, loaded: ReadonlyMap<Uuid, LoadedSubject>, asked: readonly Uuid[]) {
    this.#keys = keys;
    this.#loaded = loaded;
    this.#asked = new Set(asked);
    this.#sealer = new FieldSealer(keys, (subject) => this.#loadedOf(subject));
  }

  /** `undefined` for what somebody else made. */
  static send(keys: SubjectKeys): SentKeys | undefined {
    if (!(#loaded in keys)) return undefined;
    return {
      keyVersion: keys.#keys.keyVersion,
      versions: keys.#keys.openable(),
      people: [...keys.#loaded.values()].map((loaded) => [loaded.subject, loaded.secret()]),
    };
  }

  static receive({ keyVersion, versions, people }: SentKeys): LoadedKeys {
    const keys = new KeySet({
      currentVersion: keyVersion,
      // Of no consequence: nothing here makes blind indexes.
      lookupVersion: keyVersion,
      version: (wanted) => versions.find(({ version }) => version === wanted),
      listVersions: () => versions,
    });
    const loaded = people.map(([subject, secret]): [Uuid, LoadedSubject] => [
      subject,
      new LoadedSubject(subject, secret),
    ]);
    return new LoadedKeys(
      keys,
      new Map(loaded),
      people.map(([subject]) => subject),
    );
  }

  has(subject: Uuid): boolean {
    return this.#loaded.has(subject);
  }

  seal(place: Place, plaintext: string | Uint8Array, algorithm?: Algorithm): Bytes {
    return this.#sealer.seal(place, plaintext, algorithm);
  }

  open(place: Place, value: Uint8Array): Bytes {
    return this.#sealer.open(place, value);
  }

  openText(place: Place, value: Uint8Array): string {
    return this.#sealer.openText(place, value);
  }

  blindIndex(place: ColumnPlace, normalised: string, keyVersion?: number): Bytes {
    return this.#sealer.blindIndex(place, normalised, keyVersion);
  }

  sealShared(
    subjects: readonly Uuid[],
    place: SharedPlace,
    plaintext: string | Uint8Array,
    algorithm: Algorithm = DEFAULT_ALGORITHM,
  ): Bytes {
    if (subjects.length < 1 || subjects.length > MOST_SUBJECTS || new Set(subjects).size !== subjects.length) {
      throw new TypeError(`sealShared: subjects must be 1 to ${MOST_SUBJECTS} different people`);
    }
    if (typeof plaintext === 'string' && !plaintext.isWellFormed()) {
      throw new EncryptionError('encryption.malformed-text');
    }
    const valueKey = randomSecret();
    try {
      const wraps = subjects.map((subject) => {
        const wrap = this.#sealer.seal(wrapPlace(place, subject), valueKey, WRAP_ALGORITHM);
        return wrap.subarray(COMMITMENT_OFFSET);
      });
      return sealShared(this.#keys.headers[algorithm], place, valueKey, wraps, plaintext);
    } finally {
      valueKey.fill(0);
    }
  }

  openShared(subjects: readonly Uuid[], place: SharedPlace, value: Uint8Array): Bytes {
    const parts = readShared(value);
    const readable = subjects.filter((subject) => this.#loaded.has(subject));
    // Somebody whose keys nobody asked for is not to be called erased.
    if (!subjects.every((subject) => this.#asked.has(subject))) {
      throw new EncryptionError('encryption.subject-not-loaded');
    }
    if (readable.length === 0) throw new EncryptionError('encryption.subject-erased');
    let valueKey: Bytes | undefined;
    try {
      // Each of them: a row that names somebody else beside one of the people is not the one that was written.
      for (const subject of readable) {
        const own = this.#unwrapShared(subject, place, parts);
        const isSame = own !== undefined && (valueKey === undefined || equalBytes(own, valueKey));
        valueKey?.fill(0);
        valueKey = own;
        if (!isSame) throw new EncryptionError('encryption.cannot-open');
      }
      const plaintext = openShared(parts, place, valueKey!);
      if (plaintext === undefined) throw new EncryptionError('encryption.cannot-open');
      return plainBytes(plaintext);
    } finally {
      valueKey?.fill(0);
    }
  }

  /** The value's key, if one of the wraps is this person's. The caller wipes it. */
  #unwrapShared(subject: Uuid, place: SharedPlace, { header, wraps }: SharedParts): Bytes | undefined {
    const at = wrapPlace(place, subject);
    const wrapHeader = { keyVersion: header.keyVersion, algorithm: WRAP_ALGORITHM } as const;
    const key = this.#keys.hierarchy.columnKey(wrapHeader, at, this.#loaded.get(subject));
    for (const wrap of wraps) {
      const field = concatBytes(encodeHeader(wrapHeader, wrap), wrap.subarray(BODY_OFFSET - COMMITMENT_OFFSET));
      const valueKey = key.open(place.row, field);
      if (valueKey !== undefined) return valueKey;
    }
    return undefined;
  }

  [inspect.custom](): string {
    return `SubjectKeys { ${this.#loaded.size} loaded }`;
  }

  #loadedOf(subject: Uuid): LoadedSubject | undefined {
    const loaded = this.#loaded.get(subject);
    if (loaded !== undefined) return loaded;
    if (this.#asked.has(subject)) throw new EncryptionError('encryption.subject-erased');
    return undefined;
  }
}
