/**
 * The root material: one secret per key version. This is what a root slot keeps, as opaque bytes.
 *
 * keyring = "SRKR" 4 | format 1 | current version 4 | lookup version 4 | count 2 | count × entry
 * entry   = version 4 | created, milliseconds since the epoch 8 | scheme 1 | secret 32
 */
import { createSecretKey, randomFillSync, type KeyObject } from 'node:crypto';
import { concatBytes, uint32, utf8, type Bytes } from '@strongroom/kernel';
import { EncryptionError } from '../errors.ts';

const MAGIC = utf8('SRKR');
const FORMAT_VERSION = 1;
const PREFIX_BYTES = 15;
const ENTRY_BYTES = 45;
/** Bytes of a root secret: the strength of everything beneath it. */
const SECRET_BYTES = 32;
/** Keeps the material well below the space of every slot. Retired versions are dropped long before. */
const MOST_VERSIONS = 64;
/** How the keys beneath a version come about. 1: every level is derived from the root secret. */
const SCHEME_DERIVED = 1;

export interface RootVersion {
  /** From 1 up. Stands in every value written under it. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly secret: KeyObject;
}

export interface RootVersions {
  /** New values are written under this version. */
  readonly current: number;
  /** Blind indexes and keyed hashes are made under this one, until they have all been made anew. */
  readonly lookup: number;
  readonly versions: readonly RootVersion[];
}

/** Holds the secrets as KeyObjects in a private field, out of reach of inspection, JSON and structured cloning. */
export class RootKeyring {
  readonly currentVersion: number;
  readonly lookupVersion: number;
  readonly #versions: ReadonlyMap<number, RootVersion>;

  /** Throws a TypeError for versions that do not fit together. */
  constructor(content: RootVersions) {
    const { current, lookup, versions } = content;
    this.currentVersion = current;
    this.lookupVersion = lookup;
    this.#versions = new Map(versions.map((entry) => [entry.version, entry]));
    if (this.#versions.size !== versions.length) throw new TypeError('keyring: versions must be distinct');
    if (versions.length > MOST_VERSIONS) throw new TypeError(`keyring: at most ${MOST_VERSIONS} versions`);
    if (this.#versions.has(0)) throw new TypeError('keyring: versions count from 1');
    if (!this.#versions.has(current)) throw new TypeError('keyring: the current version must be among the versions');
    if (!this.#versions.has(lookup)) throw new TypeError('keyring: the lookup version must be among the versions');
  }

  /** A keyring with one random version. `now`: milliseconds since the epoch. */
  static create(now: number): RootKeyring {
    return new RootKeyring({ current: 1, lookup: 1, versions: [{ version: 1, createdAt: now, secret: newSecret() }] });
  }

  /** Throws `encryption.root-damaged`. Copies what it needs: the caller wipes `material`. */
  static decode(material: Uint8Array): RootKeyring {
    const view = new DataView(material.buffer, material.byteOffset, material.length);
    if (material.length < PREFIX_BYTES || !MAGIC.every((byte, index) => material[index] === byte)) throw damaged();
    if (material[4] !== FORMAT_VERSION) {
      throw new EncryptionError('encryption.root-damaged', {
        detail: 'Its format is not known to this version; a newer one may have written it.',
      });
    }
    const count = view.getUint16(13);
    if (material.length !== PREFIX_BYTES + count * ENTRY_BYTES) throw damaged();
    const versions: RootVersion[] = [];
    for (let offset = PREFIX_BYTES; offset < material.length; offset += ENTRY_BYTES) {
      if (material[offset + 12] !== SCHEME_DERIVED) throw damaged();
      versions.push({
        version: view.getUint32(offset),
        createdAt: Number(view.getBigUint64(offset + 4)),
        secret: createSecretKey(material.subarray(offset + 13, offset + ENTRY_BYTES)),
      });
    }
    try {
      return new RootKeyring({ current: view.getUint32(5), lookup: view.getUint32(9), versions });
    } catch (cause) {
      throw new EncryptionError('encryption.root-damaged', { cause });
    }
  }

  /** The secrets in the clear: hand them to a slot at once and wipe them. */
  encode(): Bytes {
    const prefix = concatBytes(
      MAGIC,
      Uint8Array.of(FORMAT_VERSION),
      uint32(this.currentVersion),
      uint32(this.lookupVersion),
      uint32(this.#versions.size).subarray(2),
    );
    const material = new Uint8Array(PREFIX_BYTES + this.#versions.size * ENTRY_BYTES);
    const view = new DataView(material.buffer);
    material.set(prefix);
    let offset = PREFIX_BYTES;
    for (const { version, createdAt, secret } of this.#versions.values()) {
      view.setUint32(offset, version);
      view.setBigUint64(offset + 4, BigInt(createdAt));
      material[offset + 12] = SCHEME_DERIVED;
      const bytes = secret.export();
      material.set(bytes, offset + 13);
      bytes.fill(0);
      offset += ENTRY_BYTES;
    }
    return material;
  }

  /** `undefined` for a version that this keyring does not hold. */
  secret(version: number): KeyObject | undefined {
    return this.#versions.get(version)?.secret;
  }
}

const damaged = (): EncryptionError => new EncryptionError('encryption.root-damaged');

function newSecret(): KeyObject {
  const bytes = randomFillSync(new Uint8Array(SECRET_BYTES));
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}
