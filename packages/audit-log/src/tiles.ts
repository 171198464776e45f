/** C2SP tlog-tiles: the tree's hashes in tiles of height 8. Level 0 holds leaf hashes, level n + 1 the roots of full tiles of level n. */
import { CompactTree, HASH_LENGTH, hashPairs } from './merkle.ts';

/** tlog-tiles, "Merkle Tree": the height of a tile. */
export const TILE_HEIGHT = 8;
/** Hashes in a full tile. */
export const TILE_WIDTH = 256;

export interface TilePlace {
  readonly level: number;
  readonly index: number;
  /** Hashes it holds, 1 to 256. */
  readonly width: number;
}

export interface FullTile {
  readonly level: number;
  readonly index: number;
  /** 8192 bytes. */
  readonly hashes: Uint8Array;
  /** Root of the perfect subtree over `hashes`; it is also the hash this tile contributes to the level above. */
  readonly root: Uint8Array;
}

/** How many hashes level `level` of a tree of `size` leaves has, in full and partial tiles together. */
export const hashesAtLevel = (size: number, level: number): number => Math.floor(size / TILE_WIDTH ** level);

/** The partial tiles of a tree of `size` leaves, lowest level first; levels whose tiles are all full are left out. */
export function partialTiles(size: number): TilePlace[] {
  const places: TilePlace[] = [];
  for (let level = 0; hashesAtLevel(size, level) > 0; level += 1) {
    const hashes = hashesAtLevel(size, level);
    const width = hashes % TILE_WIDTH;
    if (width > 0) places.push({ level, index: (hashes - width) / TILE_WIDTH, width });
  }
  return places;
}

/** Width of a tile in a tree of `size` leaves; 0 when the tree has no such tile. */
export function tileWidth(size: number, level: number, index: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, hashesAtLevel(size, level) - index * TILE_WIDTH));
}

/** `x001/x234/067` for 1234067: the index as tlog-tiles writes it in a path. */
export function tileIndexPath(index: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g)!;
  return groups.map((group, position) => (position === groups.length - 1 ? group : `x${group}`)).join('/');
}

/** Hash number `position` of a tile, without a copy. */
export const hashAt = (hashes: Uint8Array, position: number): Uint8Array =>
  hashes.subarray(position * HASH_LENGTH, (position + 1) * HASH_LENGTH);

/** A tree so far. */
export interface TileStart {
  readonly size: number;
  /** The content of `partialTiles(size)`, in the same order. */
  readonly edge: readonly Uint8Array[];
}

/**
 * Appends leaves and hands out each tile when it is full. Partial tiles are never handed out: they are what the level below
 * (or the list of leaves) holds beyond the last full tile.
 */
export class TileBuilder {
  readonly #tree: CompactTree;
  readonly #levels: { hashes: Uint8Array; width: number }[];
  readonly #onTile: (tile: FullTile) => void;

  constructor(start: TileStart, onTile: (tile: FullTile) => void) {
    this.#onTile = onTile;
    this.#levels = [];
    const partial = partialTiles(start.size);
    for (const [position, place] of partial.entries()) {
      const level = this.#level(place.level);
      level.hashes.set(start.edge[position]!);
      level.width = place.width;
    }
    this.#tree = new CompactTree({ size: start.size, peaks: this.#peaks() }, (height, hash) => {
      if (height % TILE_HEIGHT === 0) this.#completed(height / TILE_HEIGHT, hash);
    });
  }

  get size(): number {
    return this.#tree.size;
  }

  append(leaf: Uint8Array): void {
    this.#push(0, leaf);
    this.#tree.append(leaf);
  }

  root(): Uint8Array {
    return this.#tree.root();
  }

  /** The tree so far, to be continued in another way. */
  fork(): CompactTree {
    return this.#tree.fork();
  }

  /** Content of `partialTiles(size)`, in the same order. */
  edge(): Uint8Array[] {
    return partialTiles(this.size).map(({ level, width }) => this.#levels[level]!.hashes.slice(0, width * HASH_LENGTH));
  }

  #level(level: number): { hashes: Uint8Array; width: number } {
    while (this.#levels.length <= level) {
      this.#levels.push({ hashes: new Uint8Array(TILE_WIDTH * HASH_LENGTH), width: 0 });
    }
    return this.#levels[level]!;
  }

  #push(level: number, hash: Uint8Array): void {
    const target = this.#level(level);
    target.hashes.set(hash, target.width * HASH_LENGTH);
    target.width += 1;
  }

  /** The subtree under the full tile of level - 1 now has its root. */
  #completed(level: number, root: Uint8Array): void {
    const below = this.#level(level - 1);
    const hashes = below.hashes.slice();
    below.width = 0;
    this.#push(level, root);
    const index = hashesAtLevel(this.size, level - 1);
    this.#onTile({ level: level - 1, index: Math.floor(index / TILE_WIDTH), hashes, root });
  }

  /** Peaks of the tree the edge describes, largest first: within a tile a run of hashes is a tree of its own. */
  #peaks(): Uint8Array[] {
    const peaks: Uint8Array[] = [];
    for (const { hashes, width } of this.#levels.toReversed()) {
      let position = 0;
      for (let run = TILE_WIDTH / 2; run >= 1; run /= 2) {
        if ((width & run) === 0) continue;
        peaks.push(perfectRoot(hashes, position, run));
        position += run;
      }
    }
    return peaks;
  }
}

/** Root of the perfect subtree over `count` (a power of two) hashes of a tile from `position` on. */
export function perfectRoot(hashes: Uint8Array, position: number, count: number): Uint8Array {
  let level = hashes.subarray(position * HASH_LENGTH, (position + count) * HASH_LENGTH);
  while (level.length > HASH_LENGTH) level = hashPairs(level);
  return level;
}
