import { rounds } from '@strongroom/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { naiveLeaves, naivePath, naiveRoot, naiveSubproof } from './naive-tree.test-support.ts';
import {
  createConsistencyProof,
  createInclusionProof,
  inclusionTiles,
  nodesFromTiles,
  verifyConsistency,
  verifyInclusion,
} from './proofs.ts';
import { type FullTile, TileBuilder, tileWidth } from './tiles.ts';

const leaves = naiveLeaves(1100);
const roots = new Map<number, Uint8Array>();
const rootAt = (size: number): Uint8Array => {
  const root = roots.get(size) ?? naiveRoot(leaves.slice(0, size));
  roots.set(size, root);
  return root;
};

/** Tiles as the log stores them, built once for each size. */
const stored = new Map<number, { full: Map<string, Uint8Array>; edge: Uint8Array[] }>();

function build(size: number) {
  const full = new Map<string, Uint8Array>();
  const builder = new TileBuilder({ size: 0, edge: [] }, ({ level, index, hashes }: FullTile) => {
    full.set(`${level}/${index}`, hashes);
  });
  for (const leaf of leaves.slice(0, size)) builder.append(leaf);
  const tree = { full, edge: builder.edge() };
  stored.set(size, tree);
  return tree;
}

function nodesOf(size: number) {
  const { full, edge } = stored.get(size) ?? build(size);
  return nodesFromTiles(size, async (level, index, width) => {
    expect(width).toBe(tileWidth(size, level, index));
    const partial = [0, 1, 2]
      .filter((at) => tileWidth(size, at, Math.floor(size / 256 ** (at + 1))) > 0)
      .indexOf(level);
    return full.get(`${level}/${index}`) ?? edge[partial]!;
  });
}

const someSizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(511, 512, 513, 1023, 1024, 1025));

describe('inclusion proofs', () => {
  it('are those of RFC 9162 and verify, at every size up to 300 and around powers of two', async () => {
    const property = fc.asyncProperty(someSizes, fc.nat(), async (size, seed) => {
      const index = seed % size;
      const proof = await createInclusionProof(nodesOf(size), index, size);
      expect(proof).toEqual(naivePath(index, leaves.slice(0, size)));
      const claim = { index, size, leaf: leaves[index]!, root: rootAt(size) };
      expect(verifyInclusion(claim, proof)).toBe(true);
      expect(verifyInclusion({ ...claim, leaf: leaves[index + 1]! }, proof)).toBe(false);
      expect(verifyInclusion({ ...claim, root: rootAt(size + 1) }, proof)).toBe(false);
      if (size > 1) expect(verifyInclusion({ ...claim, index: (index + 1) % size }, proof)).toBe(false);
      expect(verifyInclusion(claim, [...proof, leaves[0]!])).toBe(false);
      if (proof.length > 0) expect(verifyInclusion(claim, proof.slice(1))).toBe(false);
      for (const [position, hash] of proof.entries()) {
        const changed = hash.map((byte, at) => (at === seed % 32 ? byte ^ 1 : byte));
        expect(verifyInclusion(claim, proof.with(position, changed))).toBe(false);
      }
    });
    await fc.assert(property, { numRuns: rounds(80, 150) });
  });

  it('exist for every leaf of the small trees', async () => {
    for (let size = 1; size <= 40; size += 1) {
      const nodes = nodesOf(size);
      for (let index = 0; index < size; index += 1) {
        const proof = await createInclusionProof(nodes, index, size);
        expect(verifyInclusion({ index, size, leaf: leaves[index]!, root: rootAt(size) }, proof)).toBe(true);
      }
    }
  });

  it('need the tiles that are named beforehand, each of them, and no other', async () => {
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(), async (size, seed) => {
      const index = seed % size;
      const read: string[] = [];
      const nodes = nodesFromTiles(size, async (level, tile, width) => {
        read.push(`${level}/${tile}/${width}`);
        return new Uint8Array(32 * width);
      });
      await createInclusionProof(nodes, index, size);
      const named = inclusionTiles(index, size).map(({ level, index: tile, width }) => `${level}/${tile}/${width}`);
      expect(named.toSorted()).toEqual(read.toSorted());
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('are refused for leaves that the tree does not have', async () => {
    const nodes = nodesOf(3);
    await expect(createInclusionProof(nodes, 3, 3)).rejects.toThrow('Leaf 3 of 3');
    await expect(createInclusionProof(nodes, -1, 3)).rejects.toThrow('Leaf -1 of 3');
    expect(() => inclusionTiles(3, 3)).toThrow('Leaf 3 of 3');
    const claim = { index: 0, size: 0, leaf: leaves[0]!, root: rootAt(0) };
    expect(verifyInclusion(claim, [])).toBe(false);
    expect(verifyInclusion({ ...claim, index: 0.5, size: 1 }, [])).toBe(false);
    expect(verifyInclusion({ ...claim, size: 1, root: leaves[0]! }, [])).toBe(true);
  });
});

describe('proofs', () => {
  const lengths = [0, 1, 31, 33, 64];
  const cut = (bytes: Uint8Array, length: number) => Uint8Array.from({ length }, (_, place) => bytes[place] ?? 0);

  it('of hashes that have another length prove nothing, and throw nothing', async () => {
    const inclusion = await createInclusionProof(nodesOf(7), 2, 7);
    const consistency = await createConsistencyProof(nodesOf(7), 3, 7);
    const leaf = { index: 2, size: 7, leaf: leaves[2]!, root: rootAt(7) };
    const growth = { older: 3, newer: 7, olderRoot: rootAt(3), newerRoot: rootAt(7) };
    expect([verifyInclusion(leaf, inclusion), verifyConsistency(growth, consistency)]).toEqual([true, true]);
    for (const length of lengths) {
      for (const [place, hash] of inclusion.entries()) {
        expect(verifyInclusion(leaf, inclusion.with(place, cut(hash, length)))).toBe(false);
      }
      for (const [place, hash] of consistency.entries()) {
        expect(verifyConsistency(growth, consistency.with(place, cut(hash, length)))).toBe(false);
      }
      expect(verifyInclusion({ ...leaf, leaf: cut(leaf.leaf, length) }, inclusion)).toBe(false);
      expect(verifyInclusion({ ...leaf, root: cut(leaf.root, length) }, inclusion)).toBe(false);
      expect(verifyConsistency({ ...growth, olderRoot: cut(growth.olderRoot, length) }, consistency)).toBe(false);
      expect(verifyConsistency({ ...growth, newerRoot: cut(growth.newerRoot, length) }, consistency)).toBe(false);
    }
  });

  it('end at once, whatever size is claimed and however long they are', () => {
    const long = Array.from({ length: 100_000 }, () => leaves[0]!);
    for (const size of [2, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
      expect(verifyInclusion({ index: size - 1, size, leaf: leaves[0]!, root: leaves[1]! }, long)).toBe(false);
      const claim = { older: size - 1, newer: size, olderRoot: leaves[0]!, newerRoot: leaves[1]! };
      expect(verifyConsistency(claim, long)).toBe(false);
    }
    for (const size of [2 ** 53, Infinity, NaN, -1, 1.5]) {
      expect(verifyInclusion({ index: 0, size, leaf: leaves[0]!, root: leaves[0]! }, [])).toBe(false);
      expect(verifyInclusion({ index: size, size: 2, leaf: leaves[0]!, root: leaves[0]! }, [])).toBe(false);
      const claim = { older: size, newer: size, olderRoot: leaves[0]!, newerRoot: leaves[0]! };
      expect(verifyConsistency(claim, [])).toBe(false);
    }
  });

  it('of perfect trees in larger ones are the same hashes whichever way they are read', async () => {
    // PATH of the last leaf of a perfect subtree and PROOF from its end share what lies beside it (RFC 9162 §2.1.5).
    for (const newer of [3, 5, 6, 7, 9, 31, 33]) {
      for (let older = 1; older < newer; older *= 2) {
        const path = await createInclusionProof(nodesOf(newer), older - 1, newer);
        const beside = path.slice(Math.log2(older));
        expect(await createConsistencyProof(nodesOf(newer), older, newer)).toEqual(beside);
      }
    }
  });
});

describe('consistency proofs', () => {
  it('are those of RFC 9162 and verify', async () => {
    const property = fc.asyncProperty(someSizes, fc.nat(), async (newer, seed) => {
      const older = 1 + (seed % newer);
      const proof = await createConsistencyProof(nodesOf(newer), older, newer);
      expect(proof).toEqual(naiveSubproof(older, leaves.slice(0, newer)));
      const claim = { older, newer, olderRoot: rootAt(older), newerRoot: rootAt(newer) };
      expect(verifyConsistency(claim, proof)).toBe(true);
      const other = rootAt(older === 1 ? 2 : older - 1);
      expect(verifyConsistency({ ...claim, olderRoot: other }, proof)).toBe(false);
      expect(verifyConsistency({ ...claim, newerRoot: rootAt(newer + 1) }, proof)).toBe(false);
      expect(verifyConsistency(claim, [...proof, leaves[0]!])).toBe(false);
      if (proof.length > 0) expect(verifyConsistency(claim, proof.slice(0, -1))).toBe(false);
      for (const [position, hash] of proof.entries()) {
        const changed = hash.map((byte, at) => (at === seed % 32 ? byte ^ 1 : byte));
        expect(verifyConsistency(claim, proof.with(position, changed))).toBe(false);
      }
    });
    await fc.assert(property, { numRuns: rounds(80, 150) });
  });

  it('exist for every pair of the small trees', async () => {
    for (let newer = 1; newer <= 40; newer += 1) {
      const nodes = nodesOf(newer);
      for (let older = 1; older <= newer; older += 1) {
        const proof = await createConsistencyProof(nodes, older, newer);
        expect(proof).toEqual(naiveSubproof(older, leaves.slice(0, newer)));
        expect(verifyConsistency({ older, newer, olderRoot: rootAt(older), newerRoot: rootAt(newer) }, proof)).toBe(
          true,
        );
      }
    }
  });

  it('are refused from size 0, whatever is claimed', async () => {
    await expect(createConsistencyProof(nodesOf(3), 0, 3)).rejects.toThrow('Sizes 0 and 3');
    await expect(createConsistencyProof(nodesOf(3), 4, 3)).rejects.toThrow('Sizes 4 and 3');
    const claim = { older: 0, newer: 3, olderRoot: rootAt(0), newerRoot: rootAt(3) };
    expect(verifyConsistency(claim, [])).toBe(false);
    expect(verifyConsistency({ ...claim, newer: 0, newerRoot: rootAt(0) }, [])).toBe(false);
    expect(verifyConsistency({ ...claim, older: 3, newer: 3, olderRoot: rootAt(3) }, [])).toBe(true);
    expect(verifyConsistency({ ...claim, older: 3, newer: 3, olderRoot: rootAt(2) }, [])).toBe(false);
    expect(verifyConsistency({ ...claim, older: 2, olderRoot: rootAt(2) }, [])).toBe(false);
  });
});
