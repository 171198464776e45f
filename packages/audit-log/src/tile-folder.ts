/**
 * A C2SP tlog-tiles log as it is published, in a folder: `checkpoint`, `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`. A log whose keys changed also
 * has `handovers/<size>`, of which tlog-tiles knows nothing.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditLogError } from './errors.ts';
import type { LogEntry, LogSource } from './log-source.ts';
import { HASH_LENGTH, leafHash } from './merkle.ts';
import { hashAt, hashesAtLevel, TILE_WIDTH, tileIndexPath, type TilePlace } from './tiles.ts';

/** Bytes of the length before each entry of a bundle. */
const LENGTH_BYTES = 2;

/** Every entry of a bundle may have 65,535 bytes. */
const LARGEST_BUNDLE = TILE_WIDTH * (LENGTH_BYTES + 0xffff);

/** Far above a checkpoint with the most signature lines a note may have. */
const LARGEST_CHECKPOINT = 1024 * 1024;

/**
 * For `verifyLog`. Entries are read as bytes whose meaning is not known; a folder without any entries, and what lies before the first ones of a folder from which
 * older ones were pruned, is verified by its hashes. Throws
 * `audit-log.invalid-tiles` when there is no checkpoint.
 */
export async function tileFolderSource(folder: string): Promise<LogSource> {
  const note = await readPublishedCheckpoint(folder);
  if (note === null) throw new AuditLogError('audit-log.invalid-tiles', { detail: 'It has no checkpoint.' });
  const bundles = await publishedBundles(folder);
  const firstBundle = bundles.reduce((least, index) => Math.min(least, index), Infinity);
  const tile = (place: TilePlace) => readTile(folder, place);
  return {
    newestCheckpoint: async () => ({ note }),
    checkpoints: async () => [],
    tiles: (places) => Promise.all(places.map(tile)),
    strays: async () => [],
    handovers: () => readHandovers(folder),
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
    if (proof !== null) handovers.push(proof.toString('utf8'));
  }
  return handovers;
}

/** Which entry bundles are there, in no order. tlog-tiles lets a log prune its entries below a minimum index. */
export async function publishedBundles(folder: string): Promise<number[]> {
  const names = await readdir(join(folder, 'tile', 'entries'), { recursive: true }).catch(() => []);
  return names.flatMap((name) => {
    const [, path] = /^((?:x[0-9]{3}[\\/])*[0-9]{3})(?:\.p)?$/.exec(name) ?? [];
    return path === undefined ? [] : [Number(path.replaceAll(/[^0-9]/g, ''))];
  });
}

/** The signed note; null where there is none yet. */
export async function readPublishedCheckpoint(folder: string): Promise<string | null> {
  const checkpoint = await readIfThere(join(folder, 'checkpoint'), LARGEST_CHECKPOINT);
  return checkpoint === null ? null : checkpoint.toString('utf8');
}

const leavesOf = (tile: { readonly hashes: Uint8Array } | null, width: number): Uint8Array[] =>
  tile === null ? [] : Array.from({ length: width }, (_, position) => hashAt(tile.hashes, position));

async function readTile(folder: string, { level, index, width }: TilePlace) {
  const bytes = await readWidth(folder, `${level}`, index, width, TILE_WIDTH * HASH_LENGTH);
  return bytes === null ? null : { hashes: new Uint8Array(bytes.subarray(0, width * HASH_LENGTH)) };
}

/** Leaf hashes of the first `width` entries; fewer where the bundle is missing, shorter or not well-formed. */
async function readEntryBundle(folder: string, index: number, width: number): Promise<Uint8Array[]> {
  const bytes = await readWidth(folder, 'entries', index, width, LARGEST_BUNDLE);
  const hashes: Uint8Array[] = [];
  for (let offset = 0; bytes !== null && hashes.length < width;) {
    if (offset + LENGTH_BYTES > bytes.length) break;
    const end = offset + LENGTH_BYTES + bytes.readUInt16BE(offset);
    if (end > bytes.length) break;
    hashes.push(leafHash(bytes.subarray(offset + LENGTH_BYTES, end)));
    offset = end;
  }
  return hashes;
}

/** A log may delete a partial tile once the full one is there, which begins with the same hashes. */
async function readWidth(folder: string, kind: string, index: number, width: number, largest: number) {
  const full = join(folder, 'tile', kind, tileIndexPath(index));
  const partial = width === TILE_WIDTH ? null : await readIfThere(join(`${full}.p`, String(width)), largest);
  return partial ?? (await readIfThere(full, largest));
}

async function readIfThere(path: string, largest: number): Promise<Buffer | null> {
  try {
    const { size } = await stat(path);
    if (size > largest) throw new AuditLogError('audit-log.invalid-tiles', { detail: 'A file is too large.' });
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
