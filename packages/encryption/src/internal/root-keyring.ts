/**
 * The root material: one secret per key version and the root of the key tree. This is what a root slot keeps, as opaque bytes.
 *
 * keyring = "SRKR" 4 | format 1 | revision 8 | current version 4 | lookup version 4 | tree version 8 | tree secret 32 | count 2 | count × entry
 * entry   = version 4 | created, milliseconds since the epoch 8 | scheme 1 | secret 32
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { utf8, type Bytes } from '@strongroom/kernel';
import { EncryptionError } from '../errors.ts';
import { randomSecret, SECRET_BYTES, secretKey } from './secret.ts';

const MAGIC = utf8('SRKR');
/** 1 had no key tree and was never released. */
const FORMAT_VERSION = 2;
const TREE_SECRET_OFFSET = 29;
const COUNT_OFFSET = TREE_SECRET_OFFSET + SECRET_BYTES;
const PREFIX_BYTES = COUNT_OFFSET + 2;
const ENTRY_BYTES = 45;
/** Keeps the material well below the space of every slot. Retired versions are dropped long before. */
const MOST_VERSIONS = 64;

/**
 * How the keys of people beneath a version come about: all derived from the version's secret, or with a random secret of each person from
 * the key tree, which can be destroyed. `lookup`: retired, but blind indexes and keyed hashes still need its secret; no value opens under it.
 */
const schemes = { derived: 1, tree: 2, lookup: 3 } as const;
type Scheme = keyof typeof schemes;
const schemeNames = new Map<number, Scheme>(Object.entries(schemes).map(([name, number]) => [number, name as Scheme]));

export interface RootVersion {
  /** From 1 up. Stands in every value written under it. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly scheme: Scheme;
  readonly secret: KeyObject;
}

interface TreeRoot {
  /** Counts the roots the key tree has had, from 1. */
  readonly version: number;
  readonly secret: KeyObject;
}

export interface RootContent {
  /** Counts the states of this keyring: of two slots, the one with the higher revision counts. */
  readonly revision: number;
  /** New values are written under this version. */
  readonly current: number;
  /** Blind indexes and keyed hashes are made under this one. */
  readonly lookup: number;
  readonly tree: TreeRoot;
  readonly versions: readonly RootVersion[];
}

/** Holds the secrets as KeyObjects in a private field, out of reach of inspection, JSON and structured cloning. */
export class RootKeyring {
  readonly revision: number;
  readonly currentVersion: number;
  readonly lookupVersion: number;
  readonly treeVersion: number;
  readonly #treeSecret: KeyObject;
  readonly #versions: ReadonlyMap<number, RootVersion>;

  /** Throws a TypeError for versions that do not fit together. */
  constructor(content: RootContent) {
    const { revision, current, lookup, tree, versions } = content;
    this.revision = revision;
    this.currentVersion = current;
    this.lookupVersion = lookup;
    this.treeVersion = tree.version;
    this.#treeSecret = tree.secret;
    this.#versions = new Map(versions.map((entry) => [entry.version, entry]));
    if (!Number.isSafeInteger(revision) || revision < 1) throw new TypeError('keyring: revisions count from 1');
    if (!Number.isSafeInteger(tree.version) || tree.version < 1) throw new TypeError('keyring: the tree counts from 1');
    if (this.#versions.size !== versions.length) throw new TypeError('keyring: versions must be distinct');
    if (versions.length > MOST_VERSIONS) throw new TypeError(`keyring: at most ${MOST_VERSIONS} versions`);
    if (this.#versions.has(0)) throw new TypeError('keyring: versions count from 1');
    if ((this.#versions.get(current)?.scheme ?? 'lookup') === 'lookup') {
      throw new TypeError('keyring: the current version must be among the versions');
    }
    if (!this.#versions.has(lookup)) throw new TypeError('keyring: the lookup version must be among the versions');
  }

  /** A keyring with one random version. `now`: milliseconds since the epoch. */
  static create(now: number): RootKeyring {
    return new RootKeyring({
      revision: 1,
      current: 1,
      lookup: 1,
      tree: { version: 1, secret: newSecret() },
      versions: [{ version: 1, createdAt: now, scheme: 'tree', secret: newSecret() }],
    });
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
    const count = view.getUint16(COUNT_OFFSET);
    if (material.length !== PREFIX_BYTES + count * ENTRY_BYTES) throw damaged();
    const versions: RootVersion[] = [];
    for (let offset = PREFIX_BYTES; offset < material.length; offset += ENTRY_BYTES) {
      const scheme = schemeNames.get(material[offset + 12]!);
      if (scheme === undefined) throw damaged();
      versions.push({
        version: view.getUint32(offset),
        createdAt: Number(view.getBigUint64(offset + 4)),
        scheme,
        secret: createSecretKey(material.subarray(offset + 13, offset + ENTRY_BYTES)),
      });
    }
    try {
      return new RootKeyring({
        revision: Number(view.getBigUint64(5)),
        current: view.getUint32(13),
        lookup: view.getUint32(17),
        tree: {
          version: Number(view.getBigUint64(21)),
          secret: createSecretKey(material.subarray(TREE_SECRET_OFFSET, COUNT_OFFSET)),
        },
        versions,
      });
    } catch (cause) {
      throw new EncryptionError('encryption.root-damaged', { cause });
    }
  }

  /** The secrets in the clear: hand them to a slot at once and wipe them. */
  encode(): Bytes {
    const material = new Uint8Array(PREFIX_BYTES + this.#versions.size * ENTRY_BYTES);
    const view = new DataView(material.buffer);
    material.set(MAGIC);
    material[4] = FORMAT_VERSION;
    view.setBigUint64(5, BigInt(this.revision));
    view.setUint32(13, this.currentVersion);
    view.setUint32(17, this.lookupVersion);
    view.setBigUint64(21, BigInt(this.treeVersion));
    writeSecret(material, TREE_SECRET_OFFSET, this.#treeSecret);
    view.setUint16(COUNT_OFFSET, this.#versions.size);
    let offset = PREFIX_BYTES;
    for (const { version, createdAt, scheme, secret } of this.#versions.values()) {
      view.setUint32(offset, version);
      view.setBigUint64(offset + 4, BigInt(createdAt));
      material[offset + 12] = schemes[scheme];
      writeSecret(material, offset + 13, secret);
      offset += ENTRY_BYTES;
    }
    return material;
  }

  /** `undefined` for a version that this keyring does not hold. */
  version(version: number): RootVersion | undefined {
    return this.#versions.get(version);
  }

  listVersions(): readonly RootVersion[] {
    return [...this.#versions.values()];
  }

  treeSecret(): KeyObject {
    return this.#treeSecret;
  }

  /** The same keys once more, so that every slot is written anew. */
  restated(): RootKeyring {
    return this.#changed({});
  }

  /** Another root for the key tree; without the former one. */
  withNewTreeRoot(): RootKeyring {
    return this.#changed({ tree: { version: this.treeVersion + 1, secret: newSecret() } });
  }

  /** One more key version, not yet the current one. Its number was never used before. Throws `encryption.too-many-versions`. */
  withNewVersion(now: number): RootKeyring {
    if (this.#versions.size >= MOST_VERSIONS) throw new EncryptionError('encryption.too-many-versions');
    const version = Math.max(...this.#versions.keys()) + 1;
    const added: RootVersion = { version, createdAt: now, scheme: 'tree', secret: newSecret() };
    return this.#changed({ versions: [...this.#versions.values(), added] });
  }

  withCurrent(version: number): RootKeyring {
    return this.#changed({ current: version });
  }

  /** Throws a TypeError for the current and the lookup version. */
  without(version: number): RootKeyring {
    return this.#changed({ versions: this.listVersions().filter((entry) => entry.version !== version) });
  }

  /** The version opens no value any more. Throws a TypeError for the current one. */
  withLookupOnly(version: number): RootKeyring {
    const versions = this.listVersions().map((entry): RootVersion =>
      entry.version === version ? { ...entry, scheme: 'lookup' } : entry,
    );
    return this.#changed({ versions });
  }

  #changed(change: Partial<RootContent>): RootKeyring {
    return new RootKeyring({
      current: this.currentVersion,
      lookup: this.lookupVersion,
      tree: { version: this.treeVersion, secret: this.#treeSecret },
      versions: this.listVersions(),
      ...change,
      revision: this.revision + 1,
    });
  }
}

const damaged = (): EncryptionError => new EncryptionError('encryption.root-damaged');

const newSecret = (): KeyObject => secretKey(randomSecret());

function writeSecret(material: Uint8Array, offset: number, secret: KeyObject): void {
  const bytes = secret.export();
  material.set(bytes, offset);
  bytes.fill(0);
}
