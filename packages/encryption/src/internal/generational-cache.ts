/**
 * A bounded cache that forgets what was used longest ago, roughly. Entries live in two generations; when the young one is full, the old one
 * is dropped and the young one becomes old. A hit among the young costs one lookup and no bookkeeping, which is what a cache on
 * the path of every value needs. Holds at most twice `generationSize` entries.
 */
export class GenerationalCache<Value> {
  readonly #generationSize: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  constructor(generationSize: number) {
    this.#generationSize = generationSize;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.set(key, old);
    return old;
  }

  set(key: string, value: Value): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
