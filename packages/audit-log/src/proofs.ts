/** Inclusion and consistency proofs, RFC 9162 §2.1.3 and §2.1.4: making them from a tree's nodes, and checking them. */
import { equalBytes } from '@strongroom/kernel';
import { AuditLogError } from './errors.ts';
import { HASH_LENGTH, hashPairs, nodeHash } from './merkle.ts';
import { type ReadNode, subtreesOf } from './internal/subtrees.ts';
import { hashAt, TILE_HEIGHT, TILE_WIDTH, type TilePlace, tileWidth } from './tiles.ts';

export type { ReadNode };

/** Which hashes of which tile the node is made of. */
function tileOf(size: number, height: number, index: number) {
  const level = Math.floor(height / TILE_HEIGHT);
  const count = 2 ** (height % TILE_HEIGHT);
  const first = index * count;
  const tile = Math.floor(first / TILE_WIDTH);
  const place: TilePlace = { level, index: tile, width: tileWidth(size, level, tile) };
  return { place, position: first - tile * TILE_WIDTH, count };
}

/**
 * The nodes of a tree that is stored in tiles. `readTile` answers with `width` hashes or rejects. Each tile is read and hashed once, so that further proofs
 * from the same nodes cost next to nothing.
 */
export function nodesFromTiles(
  size: number,
  readTile: (level: number, index: number, width: number) => Promise<Uint8Array>,
): ReadNode {
  const tiles = new Map<string, Promise<TileNodes>>();
  return async (height, index) => {
    const { place, position, count } = tileOf(size, height, index);
    const name = `${place.level}/${place.index}`;
    const tile =
      tiles.get(name) ?? readTile(place.level, place.index, place.width).then((hashes) => new TileNodes(hashes));
    tiles.set(name, tile);
    return (await tile).at(height % TILE_HEIGHT, position / count);
  };
}

/** The nodes inside of a tile, each height hashed as a whole when it is first asked for: a path needs nearly all of them. */
class TileNodes {
  readonly #heights: Uint8Array[];

  constructor(hashes: Uint8Array) {
    this.#heights = [hashes];
  }

  at(height: number, position: number): Uint8Array {
    while (this.#heights.length <= height) {
      const below = this.#heights.at(-1)!;
      this.#heights.push(hashPairs(below.subarray(0, below.length - (below.length % (2 * HASH_LENGTH)))));
    }
    return hashAt(this.#heights[height]!, position);
  }
}

/** The largest power of two smaller than `count`, which is at least 2: RFC 9162 §2.1.1 splits there. */
function splitPoint(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** MTH(D[begin:end]); `begin` is a multiple of the smallest power of two that is not less than `end - begin`. */
async function rangeHash(read: ReadNode, begin: number, end: number): Promise<Uint8Array> {
  let root: Uint8Array | undefined;
  for (const { height, from } of [...subtreesOf(begin, end)].toReversed()) {
    const node = await read(height, from / 2 ** height);
    root = root === undefined ? node : nodeHash(node, root);
  }
  return root!;
}

/** The ranges D[begin:end] whose hashes are the inclusion proof, from the root down. */
function* inclusionRanges(index: number, size: number): Iterable<readonly [begin: number, end: number]> {
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const middle = begin + splitPoint(end - begin);
    if (index < middle) {
      yield [middle, end];
      end = middle;
    } else {
      yield [begin, middle];
      begin = middle;
    }
  }
}

/** The tiles an inclusion proof is made of: whoever reads them all at once needs one query, at most two for each level. Throws like `createInclusionProof`. */
export function inclusionTiles(index: number, size: number): TilePlace[] {
  requireLeaf(index, size);
  const places = new Map<string, TilePlace>();
  for (const [begin, end] of inclusionRanges(index, size)) {
    for (const { height, from } of subtreesOf(begin, end)) {
      const { place } = tileOf(size, height, from / 2 ** height);
      places.set(`${place.level}/${place.index}`, place);
    }
  }
  return [...places.values()];
}

/** RFC 9162 §2.1.3.1. Throws `audit-log.invalid-proof` when the tree has no such leaf. */
export async function createInclusionProof(read: ReadNode, index: number, size: number): Promise<Uint8Array[]> {
  requireLeaf(index, size);
  const proof: Uint8Array[] = [];
  for (const [begin, end] of inclusionRanges(index, size)) proof.push(await rangeHash(read, begin, end));
  return proof.toReversed();
}

function requireLeaf(index: number, size: number): void {
  if (!isSize(index) || !isSize(size) || index >= size) {
    throw new AuditLogError('audit-log.invalid-proof', { detail: `Leaf ${index} of ${size}.` });
  }
}

/** RFC 9162 §2.1.3.2. */
export function verifyInclusion(
  claim: { readonly index: number; readonly size: number; readonly leaf: Uint8Array; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(claim.index) || !isSize(claim.size) || claim.index >= claim.size) return false;
  if (![claim.leaf, claim.root, ...proof].every(isHash)) return false;
  let position = claim.index;
  let last = claim.size - 1;
  let root = claim.leaf;
  for (const hash of proof) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      root = nodeHash(hash, root);
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      root = nodeHash(root, hash);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(root, claim.root);
}

/**
 * RFC 9162 §2.1.4.1. Throws `audit-log.invalid-proof` for an older size of 0, for which the standard defines none (an empty tree
 * is consistent with everything, so such a proof would prove nothing), and for sizes the wrong way round.
 */
export async function createConsistencyProof(read: ReadNode, older: number, newer: number): Promise<Uint8Array[]> {
  if (!isSize(older) || !isSize(newer) || older === 0 || older > newer) {
    throw new AuditLogError('audit-log.invalid-proof', { detail: `Sizes ${older} and ${newer}.` });
  }
  const proof: Uint8Array[] = [];
  let begin = 0;
  let end = newer;
  // RFC 9162 calls this flag b: whether D[begin:older] is still the whole older tree, whose root the verifier has.
  let whole = true;
  while (older < end) {
    const middle = begin + splitPoint(end - begin);
    if (older <= middle) {
      proof.push(await rangeHash(read, middle, end));
      end = middle;
    } else {
      proof.push(await rangeHash(read, begin, middle));
      begin = middle;
      whole = false;
    }
  }
  if (!whole) proof.push(await rangeHash(read, begin, end));
  return proof.toReversed();
}

/** RFC 9162 §2.1.4.2. False for an older size of 0. Equal sizes need equal roots and an empty proof. */
export function verifyConsistency(
  claim: {
    readonly older: number;
    readonly newer: number;
    readonly olderRoot: Uint8Array;
    readonly newerRoot: Uint8Array;
  },
  proof: readonly Uint8Array[],
): boolean {
  const { older, newer, olderRoot, newerRoot } = claim;
  if (!isSize(older) || !isSize(newer) || older === 0 || older > newer) return false;
  if (![olderRoot, newerRoot, ...proof].every(isHash)) return false;
  if (older === newer) return proof.length === 0 && equalBytes(olderRoot, newerRoot);
  if (proof.length === 0) return false;
  let position = older - 1;
  let last = newer - 1;
  while (position % 2 === 1) {
    position = (position - 1) / 2;
    last = Math.floor(last / 2);
  }
  // When the older tree is perfect its root begins the path and is not repeated in the proof.
  const path = position === 0 ? [olderRoot, ...proof] : proof;
  let fromOlder = path[0]!;
  let fromNewer = path[0]!;
  for (const hash of path.slice(1)) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      fromOlder = nodeHash(hash, fromOlder);
      fromNewer = nodeHash(hash, fromNewer);
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      fromNewer = nodeHash(fromNewer, hash);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(fromOlder, olderRoot) && equalBytes(fromNewer, newerRoot);
}

/** What is shorter or longer would be hashed together with what it stands beside, so that one root had several proofs. */
const isHash = (bytes: Uint8Array): boolean => bytes.length === HASH_LENGTH;

const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
