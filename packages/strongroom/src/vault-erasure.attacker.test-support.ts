/**
 * Somebody who kept everything: every file of the database at several moments with its write-ahead log, every backup opened, every row as it ever was. Collects whatever
 * may be a root, a wrapped key or a value, and opens what can be opened with every key that is to be had. Written from docs/format/keys.md and fields.md with
 * node:crypto, so that nothing of the code it attacks stands between it and the bytes.
 */
import { createDecipheriv, createHmac } from 'node:crypto';

/** WAL pages of both engines; a record goes on behind the next page's header. */
const PAGE = 8192;
/** XLogPageHeader: 24 bytes, and 40 on the first page of a segment, which says so in its second half-word. */
const SHORT_HEADER = 24;
const LONG_HEADER = 40;
const LONG_HEADER_FLAG = 2;

const WRAPPED_BYTES = 93;
/** Header, nonce and tag around an empty plaintext. */
const SHORTEST_VALUE = 66;
/** Longer than any value of the test. */
const LONGEST_VALUE = 300;
const ENTRY_BYTES = 45;
/** Algorithm of the values that are attacked here: AES-256-GCM. */
const ALGORITHM = 1;

function canonical(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

function expand(key: Uint8Array, info: Uint8Array, length: number): Buffer {
  let [block, output] = [Buffer.alloc(0), Buffer.alloc(0)];
  for (let counter = 1; output.length < length; counter += 1) {
    block = createHmac('sha256', key).update(block).update(info).update(Uint8Array.of(counter)).digest();
    output = Buffer.concat([output, block]);
  }
  return output.subarray(0, length);
}

function decrypt(key: Uint8Array, nonce: Uint8Array, context: Uint8Array, body: Uint8Array): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce);
  decipher.setAAD(context);
  decipher.setAuthTag(body.subarray(-16));
  const plaintext = decipher.update(body.subarray(0, -16));
  try {
    decipher.final();
    return plaintext;
  } catch {
    return undefined;
  }
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const uint64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

/** The same bytes without what the write-ahead log puts between two pages. */
export function withoutPageHeaders(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += PAGE) {
    const page = bytes.subarray(start, start + PAGE);
    const isLong = page.length > LONG_HEADER && (page.readUInt16LE(2) & LONG_HEADER_FLAG) !== 0;
    parts.push(page.subarray(isLong ? LONG_HEADER : SHORT_HEADER));
  }
  return Buffer.concat(parts);
}

/** A place of a value: what stands in the clear beside it. */
export interface ValuePlace {
  readonly tenant: string;
  readonly table: string;
  readonly column: string;
  readonly row: string;
  readonly subject: string;
}

export interface Loot {
  /** Files, backups in the clear, rows. */
  readonly material: readonly Buffer[];
  /** Ids of nodes and people: they stand in the clear in every row. */
  readonly nodes: readonly string[];
  readonly places: readonly ValuePlace[];
}

export interface Result {
  /** Different roots of the key tree found in the material. */
  readonly roots: number;
  /** Different byte strings that claim one of the keys found as their parent's, and those that opened. */
  readonly wrapped: number;
  readonly unwrapped: number;
  /** Different values that claim one of the keys found, and those that opened. */
  readonly values: number;
  readonly read: ReadonlySet<string>;
  /** Of whom something was read. */
  readonly people: ReadonlySet<string>;
}

interface Root {
  readonly tree: Buffer;
  readonly treeVersion: number;
  readonly versions: readonly { readonly version: number; readonly secret: Buffer }[];
}

function* occurrences(material: readonly Buffer[], bytes: Uint8Array): Generator<{ file: Buffer; at: number }> {
  for (const file of material) {
    for (let at = file.indexOf(bytes); at >= 0; at = file.indexOf(bytes, at + 1)) yield { file, at };
  }
}

/** Every keyring, whole or not, wherever its first bytes stand: root files of today and of before, in slots, copies and free space. */
function rootsIn(material: readonly Buffer[]): readonly Root[] {
  const found = new Map<string, Root>();
  for (const { file, at } of occurrences(material, Buffer.from('SRKR\x02', 'latin1'))) {
    const count = file.length >= at + 63 ? file.readUInt16BE(at + 61) : 0;
    if (count === 0 || count > 64 || file.length < at + 63 + count * ENTRY_BYTES) continue;
    const versions = Array.from({ length: count }, (_, index) => {
      const entry = at + 63 + index * ENTRY_BYTES;
      return { version: file.readUInt32BE(entry), secret: file.subarray(entry + 13, entry + ENTRY_BYTES) };
    });
    const tree = file.subarray(at + 29, at + 61);
    found.set(tree.toString('hex'), { tree, treeVersion: Number(file.readBigUInt64BE(at + 21)), versions });
  }
  return [...found.values()];
}

/** Byte strings that begin as a value does, by the key version and the commitment that they claim. */
function valuesIn(material: readonly Buffer[], versions: readonly number[]): ReadonlyMap<string, readonly Buffer[]> {
  const found = new Map<string, Map<string, Buffer>>();
  for (const version of new Set(versions)) {
    const header = Buffer.concat([Uint8Array.of(1, ALGORITHM), uint32(version)]);
    for (const { file, at } of occurrences(material, header)) {
      const bytes = file.subarray(at, at + LONGEST_VALUE);
      if (bytes.length < SHORTEST_VALUE) continue;
      const name = `${version} ${bytes.toString('hex', 6, 38)}`;
      const same = found.get(name) ?? new Map<string, Buffer>();
      found.set(name, same.set(bytes.toString('latin1', 38, SHORTEST_VALUE), bytes));
    }
  }
  return new Map([...found].map(([name, same]) => [name, [...same.values()]]));
}

/** Everything that opens. */
export function attack({ material, nodes, places }: Loot): Result {
  const roots = rootsIn(material);
  const newest = Math.max(0, ...roots.map(({ treeVersion }) => treeVersion));
  const versions = Array.from({ length: newest + 1 }, (_, version) => version);
  const people = [...new Set(places.map(({ subject }) => subject))];
  const [claims, opened] = [new Set<string>(), new Set<string>()];
  const secrets = new Map<string, Map<string, Buffer>>();

  /** What hangs beneath this key, with every id and every version that it may have been wrapped for. */
  const beneath = (secret: Buffer, kind: string, ids: readonly string[], parent: string): [string, Buffer][] => {
    const bytes = expand(secret, canonical('strongroom/key-tree/node/v1'), 64);
    const found = new Map<string, [string, Buffer]>();
    for (const { file, at } of occurrences(material, bytes.subarray(32))) {
      const wrapped = file.subarray(at - 1, at - 1 + WRAPPED_BYTES);
      if (at === 0 || wrapped[0] !== 1 || wrapped.length < WRAPPED_BYTES) continue;
      const name = wrapped.toString('latin1');
      if (claims.has(name)) continue;
      claims.add(name);
      const key = (id: string, version: number) =>
        decrypt(
          bytes.subarray(0, 32),
          wrapped.subarray(33, 45),
          canonical('strongroom/key-tree/v1', kind, id, parent, uint64(version)),
          wrapped.subarray(45),
        );
      for (const id of ids) {
        const [plaintext] = versions.flatMap((version) => key(id, version) ?? []);
        if (plaintext === undefined) continue;
        opened.add(name);
        found.set(`${id} ${plaintext.toString('hex')}`, [id, plaintext]);
        break;
      }
    }
    return [...found.values()];
  };
  for (const { tree } of roots) {
    for (const [branch, branchKey] of beneath(tree, 'branch', nodes, '')) {
      for (const [leaf, leafKey] of beneath(branchKey, 'leaf', nodes, branch)) {
        for (const [person, secret] of beneath(leafKey, 'subject', people, leaf)) {
          const own = secrets.get(person) ?? new Map<string, Buffer>();
          secrets.set(person, own.set(secret.toString('hex'), secret));
        }
      }
    }
  }

  const keyVersions = new Map(
    roots.flatMap((root) => root.versions.map((one) => [`${one.version} ${one.secret.toString('hex')}`, one] as const)),
  );
  const claimed = valuesIn(
    material,
    [...keyVersions.values()].map(({ version }) => version),
  );
  const [values, read, of] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const columns = Map.groupBy(places, ({ tenant, table, column, subject }) =>
    JSON.stringify([tenant, table, column, subject]),
  );
  for (const same of columns.values()) {
    const [{ tenant, table, column, subject }] = same as [ValuePlace];
    for (const { version, secret } of keyVersions.values()) {
      const tenantKey = expand(secret, canonical('strongroom/tenant/v1', tenant), 32);
      const share = expand(tenantKey, canonical('strongroom/subject/v1', subject), 32);
      // With each secret of the person, and without any, in case a value was made so.
      const own = [...(secrets.get(subject)?.values() ?? [])];
      for (const parent of [share, ...own.map((one) => expand(one, canonical('strongroom/subject/v2', share), 32))]) {
        const info = canonical('strongroom/column/v1', table, column, Uint8Array.of(ALGORITHM));
        const key = expand(parent, info, 64);
        for (const bytes of claimed.get(`${version} ${key.toString('hex', 32)}`) ?? []) {
          values.add(bytes.toString('latin1', 0, SHORTEST_VALUE));
          for (const { row } of same) {
            if (read.has(JSON.stringify([table, column, row]))) continue;
            const place = [tenant, table, column, subject, row];
            const context = canonical('strongroom/field/v1', Uint8Array.of(ALGORITHM), uint32(version), ...place);
            if (longest(key.subarray(0, 32), bytes, context) === undefined) continue;
            read.add(JSON.stringify([table, column, row]));
            of.add(subject);
          }
        }
      }
    }
  }
  return {
    roots: roots.length,
    wrapped: claims.size,
    unwrapped: opened.size,
    values: values.size,
    read,
    people: of,
  };
}

/** Nothing says where a value ends. */
function longest(key: Uint8Array, bytes: Buffer, context: Uint8Array): Buffer | undefined {
  for (let length = SHORTEST_VALUE; length <= Math.min(LONGEST_VALUE, bytes.length); length += 1) {
    const plaintext = decrypt(key, bytes.subarray(38, 50), context, bytes.subarray(50, length));
    if (plaintext !== undefined) return plaintext;
  }
  return undefined;
}
