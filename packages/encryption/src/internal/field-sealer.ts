import { isUtf8 } from 'node:buffer';
import { utf8, type Bytes, type Uuid } from '@strongroom/kernel';
import { DEFAULT_ALGORITHM, type Algorithm } from '../algorithms.ts';
import { EncryptionError } from '../errors.ts';
import type { ColumnPlace, Place } from '../place.ts';
import type { Sealer } from '../sealer.ts';
import type { ColumnKey } from './column-key.ts';
import { readHeader, type FieldHeader } from './field-format.ts';
import { hmacSha256 } from './hkdf.ts';
import { KeyHierarchy, type KeyVersions } from './key-hierarchy.ts';
import type { LoadedSubject } from './loaded-subject.ts';
import type { RootVersion } from './root-keyring.ts';

/** The keys of one state of the root. */
export class KeySet {
  readonly #versions: KeyVersions;
  readonly hierarchy: KeyHierarchy;
  readonly keyVersion: number;
  /** What new values start with, by algorithm. */
  readonly headers: Readonly<Record<Algorithm, FieldHeader>>;

  constructor(keyring: KeyVersions) {
    this.#versions = keyring;
    this.hierarchy = new KeyHierarchy(keyring);
    this.keyVersion = keyring.currentVersion;
    this.headers = {
      'aes-256-gcm': { algorithm: 'aes-256-gcm', keyVersion: this.keyVersion },
      'xaes-256-gcm': { algorithm: 'xaes-256-gcm', keyVersion: this.keyVersion },
      fernet: { algorithm: 'fernet', keyVersion: this.keyVersion },
    };
  }

  /** Those under which values open. */
  openable(): readonly RootVersion[] {
    return this.#versions.listVersions().filter(({ scheme }) => scheme !== 'lookup');
  }
}

/** `loadedOf`: a person's secret; throws, or answers `undefined` where none is needed. */
export class FieldSealer implements Sealer {
  readonly #keys: KeySet;
  readonly #loadedOf: (subject: Uuid) => LoadedSubject | undefined;

  constructor(keys: KeySet, loadedOf: (subject: Uuid) => LoadedSubject | undefined) {
    this.#keys = keys;
    this.#loadedOf = loadedOf;
  }

  seal(place: Place, plaintext: string | Uint8Array, algorithm: Algorithm = DEFAULT_ALGORITHM): Bytes {
    if (typeof plaintext === 'string' && !plaintext.isWellFormed()) {
      throw new EncryptionError('encryption.malformed-text');
    }
    return this.#columnKey(this.#keys.headers[algorithm], place).seal(place.row, plaintext);
  }

  open(place: Place, value: Uint8Array): Bytes {
    return plainBytes(this.#open(place, value));
  }

  openText(place: Place, value: Uint8Array): string {
    const plaintext = this.#open(place, value);
    try {
      if (!isUtf8(plaintext)) throw new EncryptionError('encryption.cannot-open', { detail: 'It holds no text.' });
      return plaintext.toString('utf8');
    } finally {
      plaintext.fill(0);
    }
  }

  blindIndex(place: ColumnPlace, normalised: string, keyVersion?: number): Bytes {
    if (!normalised.isWellFormed()) throw new EncryptionError('encryption.malformed-text');
    return new Uint8Array(hmacSha256(this.#keys.hierarchy.indexKey(place, keyVersion), utf8(normalised)));
  }

  #open(place: Place, value: Uint8Array): Buffer<ArrayBuffer> {
    const plaintext = this.#columnKey(readHeader(value), place).open(place.row, value);
    if (plaintext === undefined) throw new EncryptionError('encryption.cannot-open');
    return plaintext;
  }

  #columnKey(header: FieldHeader, place: Place): ColumnKey {
    const loaded = place.subject === null ? undefined : this.#loadedOf(place.subject);
    return this.#keys.hierarchy.columnKey(header, place, loaded);
  }
}

/** A plain Uint8Array: a Buffer has a `slice` and a `toString` of its own. */
export const plainBytes = (buffer: Buffer<ArrayBuffer>): Bytes =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
