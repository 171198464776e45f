/** Where RFC 9162 proofs go wrong when they do: sizes 0, 1 and the neighbours of powers of two, also beyond what 32 bits can count. */
import { figure, rounds } from '@strongroom/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyRoot, leafHash, nodeHash } from './merkle.ts';
import { naiveLeaves, naivePath, naiveRoot, naiveSubproof } from './naive-tree.test-support.ts';
import {
  createConsistencyProof,
  createInclusionProof,
  type ReadNode,
  verifyConsistency,
  verifyInclusion,
} from './proofs.ts';

/** 0, 1 and 2^k - 1, 2^k, 2^k + 1, up to 2^`highest` + 1. */
const edgesTo = (highest: number): number[] => [
  ...new Set([
    0,
    1,
    ...Array.from({ length: highest }, (_, k) => 2 ** (k + 1)).flatMap((power) => [power - 1, power, power + 1]),
  ]),
];

const leaves = naiveLeaves(2 ** 7 + 1);
const nodes: ReadNode = async (height, index) =>
  naiveRoot(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height));
const rootAt = (size: number) => naiveRoot(leaves.slice(0, size));
const refused = expect.objectContaining({ code: 'audit-log.invalid-proof' });

describe('at the edges, against a naive tree', () => {
  it('every pair of sizes has the consistency proof of the standard, and from 0 there is none', async () => {
    let pairs = 0;
    for (const newer of edgesTo(7)) {
      for (const older of edgesTo(7)) {
        const claim = { older, newer, olderRoot: rootAt(older), newerRoot: rootAt(newer) };
        if (older === 0 || older > newer) {
          await expect(createConsistencyProof(nodes, older, newer)).rejects.toThrow(refused);
          expect(verifyConsistency(claim, [])).toBe(false);
          continue;
        }
        const proof = await createConsistencyProof(nodes, older, newer);
        expect(proof).toEqual(naiveSubproof(older, leaves.slice(0, newer)));
        expect(verifyConsistency(claim, proof)).toBe(true);
        pairs += 1;
      }
    }
    figure(`${pairs} pairs of edge sizes consistent`);
  });

  it('the first, the last and the middle leaf of every size are included, and no leaf of none', async () => {
    await expect(createInclusionProof(nodes, 0, 0)).rejects.toThrow(refused);
    expect(verifyInclusion({ index: 0, size: 0, leaf: leaves[0]!, root: emptyRoot() }, [])).toBe(false);
    for (const size of edgesTo(7).filter((one) => one > 0)) {
      for (const index of new Set([0, size >> 1, size - 1])) {
        const proof = await createInclusionProof(nodes, index, size);
        expect(proof).toEqual(naivePath(index, leaves.slice(0, size)));
        expect(verifyInclusion({ index, size, leaf: leaves[index]!, root: rootAt(size) }, proof)).toBe(true);
      }
      await expect(createInclusionProof(nodes, size, size)).rejects.toThrow(refused);
    }
  });

  it('no proof verifies for other sizes, other places, in another order, or with hashes missing, doubled or added', async () => {
    const size = fc.constantFrom(...edgesTo(7).filter((one) => one > 1));
    const property = fc.asyncProperty(size, size, fc.nat(), async (one, two, seed) => {
      const [older, newer] = [Math.min(one, two), Math.max(one, two)];
      const proof = await createConsistencyProof(nodes, older, newer);
      const claim = { older, newer, olderRoot: rootAt(older), newerRoot: rootAt(newer) };
      const spoiled = [
        [...proof, leaves[0]!],
        ...(proof.length > 0 ? [proof.slice(1), proof.slice(0, -1), [proof[0]!, ...proof]] : []),
        ...(proof.length > 1 ? [proof.toReversed()] : []),
        proof.map((hash, place) => (place === seed % proof.length ? hash.with(seed % 32, hash[seed % 32]! ^ 1) : hash)),
      ].filter((changed) => JSON.stringify(changed) !== JSON.stringify(proof));
      for (const changed of spoiled) expect(verifyConsistency(claim, changed)).toBe(false);
      if (older < newer) {
        expect(verifyConsistency({ ...claim, olderRoot: claim.newerRoot }, proof)).toBe(false);
        expect(verifyConsistency({ ...claim, newerRoot: claim.olderRoot }, proof)).toBe(false);
      }
      const index = seed % newer;
      const path = await createInclusionProof(nodes, index, newer);
      const leaf = { index, size: newer, leaf: leaves[index]!, root: rootAt(newer) };
      expect(verifyInclusion(leaf, path)).toBe(true);
      expect(verifyInclusion({ ...leaf, index: (index + 1) % newer }, path)).toBe(false);
      expect(verifyInclusion(leaf, [...path, leaves[0]!])).toBe(false);
      expect(verifyInclusion(leaf, path.slice(1))).toBe(path.length === 0);
    });
    await fc.assert(property, { numRuns: rounds(80, 200) });
  });
});

describe('beyond 32 bits', () => {
  // Every leaf is the same, so that a tree of any size can be computed.
  const perfect: Uint8Array[] = [leafHash(new Uint8Array(0))];
  const same: ReadNode = async (height) => {
    for (let next = perfect.length; next <= height; next += 1)
      perfect.push(nodeHash(perfect[next - 1]!, perfect[next - 1]!));
    return perfect[height]!;
  };
  /** §2.1.1, split at the largest power of two below the size. */
  async function rootOf(size: number): Promise<Uint8Array> {
    let height = 0;
    while (2 ** (height + 1) <= size) height += 1;
    const rest = size - 2 ** height;
    return rest === 0 ? same(height, 0) : nodeHash(await same(height, 0), await rootOf(rest));
  }
  const large = [31, 32, 33, 40, 52].flatMap((power) => [2 ** power - 1, 2 ** power, 2 ** power + 1]);

  it('proofs are made and verified for sizes up to 2^52 + 1', async () => {
    for (const size of large) {
      const root = await rootOf(size);
      for (const index of [0, 2 ** 31, size - 2, size - 1].filter((one) => one < size)) {
        const proof = await createInclusionProof(same, index, size);
        expect(proof.length).toBeLessThanOrEqual(53);
        expect(verifyInclusion({ index, size, leaf: perfect[0]!, root }, proof)).toBe(true);
        expect(verifyInclusion({ index, size, leaf: root, root }, proof)).toBe(false);
      }
      for (const older of [1, 2 ** 31 - 1, 2 ** 31, ...large].filter((one) => one < size)) {
        const claim = { older, newer: size, olderRoot: await rootOf(older), newerRoot: root };
        const proof = await createConsistencyProof(same, older, size);
        expect(verifyConsistency(claim, proof), `${older} to ${size}`).toBe(true);
        expect(verifyConsistency({ ...claim, older: older + 1 }, proof)).toBe(false);
      }
    }
    const whole = { index: 2 ** 53, size: 2 ** 53 + 2, leaf: perfect[0]!, root: await rootOf(2 ** 52) };
    expect(verifyInclusion(whole, [])).toBe(false);
  });
});
