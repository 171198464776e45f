import { describe, expect, it } from 'vitest';
import { CompactTree, emptyRoot, leafHash } from './merkle.ts';
import { naiveLeaf, naiveLeaves, naiveRoot } from './naive-tree.test-support.ts';
import { type FullTile, partialTiles, TileBuilder, tileIndexPath, tileWidth, TILE_WIDTH } from './tiles.ts';

/** Every size to 300 and the neighbours of powers of two, two of which fill a tile of level 1. */
const leaves = naiveLeaves(2 ** 16 + 1);
const sizes = [...Array.from({ length: 301 }, (_, size) => size), 511, 512, 513, 1023, 1024, 1025, 4095, 4097];

function build(from: { size: number; edge: Uint8Array[] }, to: number): { builder: TileBuilder; tiles: FullTile[] } {
  const tiles: FullTile[] = [];
  const builder = new TileBuilder(from, (tile) => tiles.push(tile));
  for (const leaf of leaves.slice(from.size, to)) builder.append(leaf);
  return { builder, tiles };
}

describe('compact tree', () => {
  it('has the root that RFC 9162 defines, at every size', () => {
    const tree = new CompactTree();
    for (let size = 0; size <= 300; size += 1) {
      expect(tree.root()).toEqual(naiveRoot(leaves.slice(0, size)));
      tree.append(leaves[size]!);
    }
  });

  it('hashes leaves and the empty tree as RFC 9162 does', () => {
    const entry = new Uint8Array([1, 2, 3]);
    expect(leafHash(entry)).toEqual(naiveLeaf(entry));
    expect(emptyRoot()).toEqual(naiveRoot([]));
  });

  it('forks without being changed by what the fork takes', () => {
    const tree = new CompactTree();
    tree.append(leaves[0]!);
    const fork = tree.fork();
    fork.append(leaves[1]!);
    expect(tree.root()).toEqual(naiveRoot(leaves.slice(0, 1)));
    expect(fork.root()).toEqual(naiveRoot(leaves.slice(0, 2)));
  });
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** As text: vitest compares bytes one by one. */
const shown = (builder: TileBuilder, tiles: readonly FullTile[]) => ({
  root: hex(builder.root()),
  edge: builder.edge().map((hashes) => hex(hashes)),
  tiles: tiles.map(({ level, index, hashes, root }) => `${level}/${index} ${hex(hashes)} ${hex(root)}`),
});

describe('tile builder', () => {
  it('ends with the same root and edge whichever way the tree was cut into batches', () => {
    const inOne = new Map<number, ReturnType<typeof shown>>();
    const once = (size: number): ReturnType<typeof shown> => {
      const known = inOne.get(size);
      if (known !== undefined) return known;
      const { builder, tiles } = build({ size: 0, edge: [] }, size);
      const made = shown(builder, tiles);
      inOne.set(size, made);
      return made;
    };
    for (const middle of sizes.filter((size) => size % 7 === 0 || size > 250)) {
      const first = build({ size: 0, edge: [] }, middle);
      for (const size of [middle, middle + 1, middle + 255, middle + 256, middle + 600]) {
        const { builder, tiles } = build({ size: middle, edge: first.builder.edge() }, size);
        expect(shown(builder, [...first.tiles, ...tiles])).toEqual(once(size));
      }
    }
  });

  it('hands out tiles of every level with the hashes tlog-tiles defines', () => {
    const { tiles, builder } = build({ size: 0, edge: [] }, leaves.length);
    expect(builder.root()).toEqual(naiveRoot(leaves));
    expect(tiles.filter(({ level }) => level === 0)).toHaveLength(256);
    expect(tiles.filter(({ level }) => level === 1)).toHaveLength(1);
    for (const { level, index, hashes, root } of tiles) {
      const span = TILE_WIDTH ** level;
      const from = index * TILE_WIDTH * span;
      expect(root).toEqual(naiveRoot(leaves.slice(from, from + TILE_WIDTH * span)));
      expect(hashes.slice(-32)).toEqual(naiveRoot(leaves.slice(from + 255 * span, from + 256 * span)));
    }
    expect(partialTiles(builder.size)).toEqual([
      { level: 0, index: 256, width: 1 },
      { level: 2, index: 0, width: 1 },
    ]);
  });
});

describe('tile geometry', () => {
  it('is that of the examples in tlog-tiles', () => {
    expect(partialTiles(70_000)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect(partialTiles(256)).toEqual([{ level: 1, index: 0, width: 1 }]);
    expect(partialTiles(0)).toEqual([]);
    expect(tileIndexPath(1_234_067)).toBe('x001/x234/067');
    expect(tileIndexPath(0)).toBe('000');
  });

  it('knows which tiles a tree has', () => {
    expect(tileWidth(70_000, 0, 272)).toBe(256);
    expect(tileWidth(70_000, 0, 273)).toBe(112);
    expect(tileWidth(70_000, 0, 274)).toBe(0);
    expect(tileWidth(70_000, 3, 0)).toBe(0);
  });
});
