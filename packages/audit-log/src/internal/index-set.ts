/** Numbers of a block, each of which is one bit: 8 KiB for a run of absent entries, nothing where none are. */
const BLOCK = 65_536;

/** A set of places in the log, of which there may be as many as the log has entries. */
export class IndexSet {
  readonly #blocks = new Map<number, Uint8Array>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(index: number): void {
    const number = Math.floor(index / BLOCK);
    const block = this.#blocks.get(number) ?? new Uint8Array(BLOCK / 8);
    this.#blocks.set(number, block);
    const [place, bit] = bitOf(index);
    if ((block[place]! & bit) === 0) this.#size += 1;
    block[place]! |= bit;
  }

  /** Whether it was there. */
  delete(index: number): boolean {
    const block = this.#blocks.get(Math.floor(index / BLOCK));
    const [place, bit] = bitOf(index);
    if (block === undefined || (block[place]! & bit) === 0) return false;
    block[place]! &= ~bit;
    this.#size -= 1;
    return true;
  }

  /** In the order in which their blocks came. */
  *[Symbol.iterator](): Iterator<number> {
    for (const [number, block] of this.#blocks) {
      for (let position = 0; position < BLOCK; position += 1) {
        const [place, bit] = bitOf(position);
        if ((block[place]! & bit) !== 0) yield number * BLOCK + position;
      }
    }
  }
}

const bitOf = (index: number): readonly [place: number, bit: number] => [
  Math.floor((index % BLOCK) / 8),
  1 << (index % 8),
];
