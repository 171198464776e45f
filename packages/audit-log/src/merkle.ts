/** The Merkle tree of RFC 6962 §2.1 and RFC 9162 §2.1, appended to from left to right. */
import { type Bytes, concatBytes } from '@strongroom/kernel';
import { sha256, sha256Into } from '#sha256';

/** Bytes of a SHA-256 digest. */
export const HASH_LENGTH = 32;

/** RFC 9162 §2.1.1: domain separation between leaves and inner nodes. */
const LEAF_PREFIX = new Uint8Array([0]);
const NODE_PREFIX = 1;

/** RFC 9162 §2.1.1: the hash of an empty list is the hash of an empty string. */
export const emptyRoot = (): Bytes => sha256(new Uint8Array(0));

export const leafHash = (entry: Uint8Array): Bytes => sha256(concatBytes(LEAF_PREFIX, entry));

/** Filled and hashed within one synchronous call, so sharing it is safe and saves an allocation per node. */
const scratch = new Uint8Array(1 + 2 * HASH_LENGTH);
scratch[0] = NODE_PREFIX;

export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  scratch.set(left, 1);
  scratch.set(right, 1 + HASH_LENGTH);
  return sha256(scratch);
}

/** One level up: of hashes lying side by side, each pair becomes one. `hashes` has an even number of them. */
export function hashPairs(hashes: Uint8Array): Bytes {
  const above = new Uint8Array(hashes.length / 2);
  for (let start = 0; start < above.length; start += HASH_LENGTH) {
    // Faster than `set` with a view, which has to be made for each pair.
    for (let offset = 0; offset < 2 * HASH_LENGTH; offset += 1) scratch[1 + offset] = hashes[2 * start + offset]!;
    sha256Into(scratch, above, start);
  }
  return above;
}

/**
 * The peaks of a tree: roots of its perfect subtrees, largest first. Holds one hash per one-bit of its size, so a tree of any
 * size is appended to in flat memory, each inner node being hashed once.
 */
export class CompactTree {
  #size: number;
  readonly #peaks: Uint8Array[];
  readonly #onNode: ((height: number, hash: Uint8Array) => void) | undefined;

  /** `onNode` hears of every completed perfect subtree with two or more leaves, lower ones first. */
  constructor(
    start: { readonly size: number; readonly peaks: readonly Uint8Array[] } = { size: 0, peaks: [] },
    onNode?: (height: number, hash: Uint8Array) => void,
  ) {
    this.#size = start.size;
    this.#peaks = [...start.peaks];
    this.#onNode = onNode;
  }

  get size(): number {
    return this.#size;
  }

  append(leaf: Uint8Array): void {
    this.appendSubtree(0, leaf);
  }

  /**
   * Appends the perfect subtree of 2^height leaves with this root, its leaves unseen. Throws a RangeError where none begins: the size so far
   * must be a multiple of 2^height.
   */
  appendSubtree(height: number, root: Uint8Array): void {
    const leaves = 2 ** height;
    if (this.#size % leaves !== 0) throw new RangeError('appendSubtree: no subtree of that height begins here');
    let node = root;
    let level = height;
    // A one-bit at `level` means a peak of that height waits for its right sibling. Division, since sizes exceed 32 bits.
    for (let rest = this.#size / leaves; rest % 2 === 1; rest = (rest - 1) / 2) {
      node = nodeHash(this.#peaks.pop()!, node);
      level += 1;
      this.#onNode?.(level, node);
    }
    this.#peaks.push(node);
    this.#size += leaves;
  }

  root(): Bytes {
    return foldPeaks(this.#peaks);
  }

  /** An independent tree of the same content. */
  fork(): CompactTree {
    return new CompactTree({ size: this.#size, peaks: this.#peaks });
  }
}

/** The root over perfect subtrees given largest first: RFC 9162 §2.1.1 read from the right. */
function foldPeaks(peaks: readonly Uint8Array[]): Bytes {
  if (peaks.length === 0) return emptyRoot();
  let root = peaks.at(-1)!.slice();
  for (let index = peaks.length - 2; index >= 0; index -= 1) root = nodeHash(peaks[index]!, root);
  return root;
}
