/** A run of leaves as the fewest perfect subtrees: what stands for entries that are not shown. */
import { nodeHash } from '../merkle.ts';

/** Root of the perfect subtree of 2^height leaves that begins at leaf `index` · 2^height. */
export type ReadNode = (height: number, index: number) => Promise<Uint8Array>;

export interface Subtree {
  readonly height: number;
  /** Index of its first leaf, a multiple of 2^height. */
  readonly from: number;
}

/** The subtrees of leaves `from` ≤ index < `to`, left to right: each as large as its place and the end allow. */
export function* subtreesOf(from: number, to: number): Iterable<Subtree> {
  for (let place = from; place < to;) {
    let height = 0;
    while (place % 2 ** (height + 1) === 0 && place + 2 ** (height + 1) <= to) height += 1;
    yield { height, from: place };
    place += 2 ** height;
  }
}

export async function readSubtrees(read: ReadNode, from: number, to: number): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = [];
  for (const subtree of subtreesOf(from, to))
    hashes.push(await read(subtree.height, subtree.from / 2 ** subtree.height));
  return hashes;
}

/** Gathers leaf hashes one after the other into the same subtrees, in memory that grows with the logarithm of the run. */
export class SubtreeRun {
  readonly from: number;
  #end: number;
  readonly #nodes: { height: number; readonly from: number; hash: Uint8Array }[] = [];

  constructor(from: number) {
    this.from = from;
    this.#end = from;
  }

  get to(): number {
    return this.#end;
  }

  get hashes(): Uint8Array[] {
    return this.#nodes.map(({ hash }) => hash);
  }

  append(leaf: Uint8Array): void {
    this.#nodes.push({ height: 0, from: this.#end, hash: leaf });
    this.#end += 1;
    for (;;) {
      const right = this.#nodes.at(-1)!;
      const left = this.#nodes.at(-2);
      if (left?.height !== right.height || left.from % 2 ** (left.height + 1) !== 0) return;
      left.hash = nodeHash(left.hash, right.hash);
      left.height += 1;
      this.#nodes.pop();
    }
  }
}
