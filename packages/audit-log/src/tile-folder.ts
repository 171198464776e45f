/**
 * A C2SP tlog-tiles log as it is published, in a folder: `checkpoint`, `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`. A log whose keys changed also
 * has `handovers/<size>`, of which tlog-tiles knows nothing.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromUtf8 } from '@strongroom/kernel';
import { AuditLogError } from './errors.ts';
import type { LogEntry, LogSource } from './log-source.ts';
import { HASH_LENGTH, leafHash } from './merkle.ts';
import {
  hashAt,
  hashesAtLevel,
  partialTiles,
  TILE_WIDTH,
  tileIndexPath,
  type TilePlace,
  type TileStart,
  tileWidth,
} from './tiles.ts';

/** Bytes of the length before each entry of a bundle. */
const LENGTH_BYTES = 2;

/** Every entry of a bundle may have 65,535 bytes. */
const LARGEST_BUNDLE = TILE_WIDTH * (LENGTH_BYTES + 0xffff);

/** Far above a checkpoint with the most signature lines a note may have. */
const LARGEST_CHECKPOINT = 1024 * 1024;

/**
 * For `verifyLog`. Entries are read as bytes whose meaning is not known; a folder without any entries, and what lies before the first ones of a folder from which
 * older ones were pruned, is verified by its hashes, and where those were pruned as well, by the hashes above them. Throws
 * `audit-log.invalid-tiles` when there is no checkpoint.
 */
export async function tileFolderSource(folder: string): Promise<LogSource> {
  const note = await readPublishedCheckpoint(folder);
  if (note === null) throw new AuditLogError('audit-log.invalid-tiles', { detail: 'It has no checkpoint.' });
  const firstBundle = least(await publishedBundles(folder));
  const tile = (place: TilePlace) => readTile(folder, place);
  return {
    newestCheckpoint: async () => ({ note }),
    checkpoints: async () => [],
    tiles: (places) => Promise.all(places.map(tile)),
    strays: async () => [],
    handovers: () => readHandovers(folder),
    pruned: (size) => readPruned(folder, size, firstBundle),
    async entries(from, to) {
      const entries: LogEntry[] = [];
      for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < to; index += 1) {
        const width = Math.min(TILE_WIDTH, hashesAtLevel(to, 0) - index * TILE_WIDTH);
        const hasEntries = index >= firstBundle;
        const hashes = hasEntries
          ? await readEntryBundle(folder, index, width)
          : leavesOf(await tile({ level: 0, index, width }), width);
        for (const [position, hash] of hashes.entries()) {
          const event = hasEntries ? 'foreign' : 'withheld';
          entries.push({ index: index * TILE_WIDTH + position, leafHash: hash, event, addressPrefix: null });
        }
      }
      return entries.filter(({ index }) => index >= from);
    },
  };
}

/** Changes of the keys, each as a C2SP tlog-proof in a file with the size of its checkpoint as its name. */
export const HANDOVERS = 'handovers';

async function readHandovers(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, HANDOVERS)).catch(() => []);
  const handovers: string[] = [];
  for (const name of names.filter((found) => /^[1-9][0-9]{0,15}$/.test(found))) {
    const proof = await readIfThere(join(folder, HANDOVERS, name), LARGEST_CHECKPOINT);
    if (proof !== null) handovers.push(textOf(proof));
  }
  return handovers;
}

/**
 * tlog-tiles: full tiles and bundles that end before a minimum index may be gone; the tiles above them are there as long as they go on behind it. What can still
 * be read, as tile or as bundle, is not taken as pruned.
 */
async function readPruned(folder: string, size: number, firstBundle: number): Promise<TileStart> {
  const first = Math.min(firstBundle, least(await publishedIndexes(folder, '0')), Math.floor(size / TILE_WIDTH));
  const start = first * TILE_WIDTH;
  const edge: Uint8Array[] = [];
  for (const { level, index, width } of partialTiles(start)) {
    const tile = await readTile(folder, { level, index, width: tileWidth(size, level, index) });
    const hashes = tile?.hashes.subarray(0, width * HASH_LENGTH);
    // Then it is not pruned but damaged, and is found to be when it is read from its beginning.
    if (hashes?.length !== width * HASH_LENGTH) return { size: 0, edge: [] };
    edge.push(hashes);
  }
  return { size: start, edge };
}

const least = (indexes: readonly number[]): number => indexes.reduce((one, other) => Math.min(one, other), Infinity);

/** Which entry bundles are there, in no order. tlog-tiles lets a log prune its entries below a minimum index. */
export const publishedBundles = (folder: string): Promise<number[]> => publishedIndexes(folder, 'entries');

async function publishedIndexes(folder: string, kind: string): Promise<number[]> {
  const names = await readdir(join(folder, 'tile', kind), { recursive: true }).catch(() => []);
  return names.flatMap((name) => {
    const [, path] = /^((?:x[0-9]{3}[\\/])*[0-9]{3})(?:\.p)?$/.exec(name) ?? [];
    return path === undefined ? [] : [Number(path.replaceAll(/[^0-9]/g, ''))];
  });
}

/** The signed note; null where there is none yet. */
export async function readPublishedCheckpoint(folder: string): Promise<string | null> {
  const checkpoint = await readIfThere(join(folder, 'checkpoint'), LARGEST_CHECKPOINT);
  return checkpoint === null ? null : textOf(checkpoint);
}

/** Empty for what is not UTF-8, and so neither a note nor a proof, as whoever judges it will say. */
function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    return '';
  }
}

const leavesOf = (tile: { readonly hashes: Uint8Array } | null, width: number): Uint8Array[] =>
  tile === null ? [] : Array.from({ length: width }, (_, position) => hashAt(tile.hashes, position));

/** A tile that has not as many hashes as its name says is given back as it is: whoever asked sees that its length is wrong. */
async function readTile(folder: string, { level, index, width }: TilePlace) {
  const tile = await readWidth(folder, `${level}`, index, width, TILE_WIDTH * HASH_LENGTH);
  if (tile === null) return null;
  const hasItsWidth = tile.bytes.length === tile.width * HASH_LENGTH;
  return { hashes: hasItsWidth ? new Uint8Array(tile.bytes.subarray(0, width * HASH_LENGTH)) : NO_HASHES };
}

const NO_HASHES = new Uint8Array(0);

/**
 * Leaf hashes of the first `width` entries; fewer where the bundle is missing or shorter. Of a bundle that has more bytes than its entries, the last one has no
 * hash: nobody can say what is meant to be its end.
 */
async function readEntryBundle(folder: string, index: number, width: number): Promise<Uint8Array[]> {
  const bundle = await readWidth(folder, 'entries', index, width, LARGEST_BUNDLE);
  const hashes: Uint8Array[] = [];
  if (bundle === null) return hashes;
  const { bytes } = bundle;
  let offset = 0;
  while (hashes.length < bundle.width && offset + LENGTH_BYTES <= bytes.length) {
    const end = offset + LENGTH_BYTES + bytes.readUInt16BE(offset);
    if (end > bytes.length) break;
    hashes.push(leafHash(bytes.subarray(offset + LENGTH_BYTES, end)));
    offset = end;
  }
  const hasMore = hashes.length === bundle.width && offset < bytes.length;
  return hasMore ? [...hashes.slice(0, width - 1), NO_HASHES] : hashes.slice(0, width);
}

interface Found {
  readonly bytes: Buffer;
  /** Hashes or entries that there should be. */
  readonly width: number;
}

/** A log may delete a partial tile once the full one is there, which begins with the same hashes. */
async function readWidth(
  folder: string,
  kind: string,
  index: number,
  width: number,
  largest: number,
): Promise<Found | null> {
  const path = join(folder, 'tile', kind, tileIndexPath(index));
  const partial = width === TILE_WIDTH ? null : await readIfThere(join(`${path}.p`, String(width)), largest);
  if (partial !== null) return { bytes: partial, width };
  const full = await readIfThere(path, largest);
  return full === null ? null : { bytes: full, width: TILE_WIDTH };
}

/** `null` for what is no file. Empty where it is larger than it can be: then it is not what it should be, whatever it holds. */
async function readIfThere(path: string, largest: number): Promise<Buffer | null> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return null;
    return found.size > largest ? Buffer.alloc(0) : await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
