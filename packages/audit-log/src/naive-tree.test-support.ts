/** RFC 9162 §2.1 written down as literally as possible: slow, and nothing shared with what is tested but the hash. */
import { hash } from 'node:crypto';

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(hash('sha256', Buffer.concat(parts), 'buffer'));

const split = (count: number): number => 2 ** Math.ceil(Math.log2(count) - 1);

/** §2.1.1, over leaf hashes. */
export function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return sha256(new Uint8Array([1]), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

export const naiveLeaf = (entry: Uint8Array): Uint8Array => sha256(new Uint8Array([0]), entry);

/** §2.1.3.1: PATH(m, D_n). */
export function naivePath(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...naivePath(index, leaves.slice(0, k)), naiveRoot(leaves.slice(k))]
    : [...naivePath(index - k, leaves.slice(k)), naiveRoot(leaves.slice(0, k))];
}

/** §2.1.4.1: SUBPROOF(m, D_n, b). */
export function naiveSubproof(older: number, leaves: readonly Uint8Array[], whole = true): Uint8Array[] {
  if (older === leaves.length) return whole ? [] : [naiveRoot(leaves)];
  const k = split(leaves.length);
  return older <= k
    ? [...naiveSubproof(older, leaves.slice(0, k), whole), naiveRoot(leaves.slice(k))]
    : [...naiveSubproof(older - k, leaves.slice(k), false), naiveRoot(leaves.slice(0, k))];
}

export const naiveLeaves = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => naiveLeaf(new TextEncoder().encode(`entry ${index}`)));
