/** Encryption of single values in database columns, and the keyed hashes by which they are found. */
import { isUtf8 } from 'node:buffer';
import { inspect } from 'node:util';
import { systemClock, utf8, type Bytes, type Clock } from '@strongroom/kernel';
import type { Algorithm } from './algorithms.ts';
import { EncryptionError } from './errors.ts';
import { readHeader, type FieldHeader } from './internal/field-format.ts';
import { hmacSha256 } from './internal/hkdf.ts';
import { KeyHierarchy } from './internal/key-hierarchy.ts';
import { RootKeyring } from './internal/root-keyring.ts';
import type { ColumnPlace, Place } from './place.ts';
import type { RootSlot } from './root-slot.ts';

/** Holds no key that inspection, JSON or structured cloning could reach. Everything is synchronous. */
export interface Encryption {
  /** The key version under which new values are written. */
  readonly keyVersion: number;
  /**
   * Encrypts for exactly this place: format v1 of docs/format/fields.md, 66 bytes longer than the plaintext (78 with XAES). Text is
   * stored as UTF-8. The algorithm is AES-256-GCM unless said otherwise; opening reads it from the value.
   * Throws `encryption.malformed-text` for text with lone surrogates, a TypeError for an unusable place.
   */
  seal(place: Place, plaintext: string | Uint8Array, algorithm?: Algorithm): Bytes;
  /**
   * Throws `encryption.cannot-open` for whatever was not sealed for this place or was changed since,
   * `encryption.unknown-version` or `encryption.key-missing` for a header that names something unknown here.
   */
  open(place: Place, value: Uint8Array): Bytes;
  /** Like `open`; also throws `encryption.cannot-open` when the value holds bytes that are no text. */
  openText(place: Place, value: Uint8Array): string;
  /**
   * 32 bytes, the same for equal text in the same tenant, table and column, by which a row is found without decrypting. Give it a
   * normalised text. Whoever sees the column learns which rows are equal, nothing else.
   */
  blindIndex(place: ColumnPlace, normalised: string): Bytes;
  /** 32 bytes, HMAC-SHA-256 under a key of this installation that no other purpose shares. */
  keyedHash(purpose: string, input: Uint8Array): Bytes;
}

export interface EncryptionOptions {
  readonly slot: RootSlot;
  /** Set when encrypted data exist: then an empty slot is `encryption.root-missing` instead of a new root key. */
  readonly mustExist?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

/** Reads the root key from its slot, or makes one there if the slot was never written. */
export async function createEncryption(options: EncryptionOptions): Promise<Encryption> {
  const { slot } = options;
  const keyring = (await loadKeyring(slot)) ?? (await makeKeyring(options));
  return new FieldEncryption(keyring);
}

async function loadKeyring(slot: RootSlot): Promise<RootKeyring | undefined> {
  const stored = await slot.load();
  if (stored === undefined) return undefined;
  try {
    return RootKeyring.decode(stored.material);
  } finally {
    stored.material.fill(0);
  }
}

async function makeKeyring({ slot, mustExist = false, clock = systemClock }: EncryptionOptions): Promise<RootKeyring> {
  if (mustExist) throw new EncryptionError('encryption.root-missing', { detail: `It was expected in: ${slot.name}.` });
  const material = RootKeyring.create(clock.now()).encode();
  try {
    await slot.store(material, 0);
  } catch (error) {
    // Two processes started at once; the one that came first made the key for both.
    if (!(error instanceof EncryptionError && error.code === 'encryption.root-conflict')) throw error;
  } finally {
    material.fill(0);
  }
  // What counts is what the slot gives back, not what was handed to it.
  const keyring = await loadKeyring(slot);
  if (keyring === undefined) {
    throw new EncryptionError('encryption.root-unavailable', { detail: `${slot.name} stays empty.` });
  }
  return keyring;
}

class FieldEncryption implements Encryption {
  readonly #keys: KeyHierarchy;
  /** What new values start with, by algorithm. */
  readonly #headers: Readonly<Record<Algorithm, FieldHeader>>;
  readonly keyVersion: number;

  constructor(keyring: RootKeyring) {
    this.#keys = new KeyHierarchy(keyring);
    this.keyVersion = keyring.currentVersion;
    this.#headers = {
      'aes-256-gcm': { algorithm: 'aes-256-gcm', keyVersion: this.keyVersion },
      'xaes-256-gcm': { algorithm: 'xaes-256-gcm', keyVersion: this.keyVersion },
    };
  }

  seal(place: Place, plaintext: string | Uint8Array, algorithm: Algorithm = 'aes-256-gcm'): Bytes {
    if (typeof plaintext === 'string' && !plaintext.isWellFormed()) {
      throw new EncryptionError('encryption.malformed-text');
    }
    return this.#keys.columnKey(this.#headers[algorithm], place).seal(place.row, plaintext);
  }

  open(place: Place, value: Uint8Array): Bytes {
    const plaintext = this.#open(place, value);
    // A plain Uint8Array: a Buffer has a `slice` and a `toString` of its own.
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
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

  blindIndex(place: ColumnPlace, normalised: string): Bytes {
    if (!normalised.isWellFormed()) throw new EncryptionError('encryption.malformed-text');
    return new Uint8Array(hmacSha256(this.#keys.indexKey(place), utf8(normalised)));
  }

  keyedHash(purpose: string, input: Uint8Array): Bytes {
    return new Uint8Array(hmacSha256(this.#keys.hashKey(purpose), input));
  }

  [inspect.custom](): string {
    return `Encryption { keyVersion: ${this.keyVersion} }`;
  }

  #open(place: Place, value: Uint8Array): Buffer<ArrayBuffer> {
    const plaintext = this.#keys.columnKey(readHeader(value), place).open(place.row, value);
    if (plaintext === undefined) throw new EncryptionError('encryption.cannot-open');
    return plaintext;
  }
}
