/** Milliseconds something about a person is remembered, which is also how long another process may still know somebody who was forgotten. */
export const REMEMBERED = 60_000;

/** People remembered at once: about 2 MB. */
const CAPACITY = 10_000;

/** What a process met lately, by id, so that writing an event need not look it up. */
export class Remembered<Value> {
  readonly #known = new Map<string, { readonly value: Value; readonly until: number }>();
  readonly #capacity: number;

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** `now`: milliseconds. */
  get(id: string, now: number): Value | undefined {
    const known = this.#known.get(id);
    return known !== undefined && known.until > now ? known.value : undefined;
  }

  /** Whatever its age. */
  peek(id: string): Value | undefined {
    return this.#known.get(id)?.value;
  }

  set(id: string, value: Value, until: number): void {
    this.#known.delete(id);
    this.#known.set(id, { value, until });
    if (this.#known.size <= this.#capacity) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }

  delete(id: string): void {
    this.#known.delete(id);
  }
}
