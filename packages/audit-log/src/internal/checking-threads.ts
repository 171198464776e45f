/** Threads that check entries while the main one reads the next page and grows the tree. */
import { Worker } from 'node:worker_threads';
import type { CheckedEntry } from '../log-source.ts';
import { checkPage, type FromThread, type ToThread, unpackEntries } from './check-page.ts';
import type { ReadingKeys } from './opening-keys.ts';
import { peopleIn, storedEntries } from './read-events.ts';

/** Of the three pages that a verification has in hand, one is usually being read by the database. */
const THREADS = 2;

/** Several times what a page needs. Without limits a thread lets garbage pile up to hundreds of megabytes. */
const resourceLimits = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256 };

type ReadKeys = (people: readonly string[]) => Promise<ReadingKeys>;

/** Started when they are first needed. A thread that cannot start, or ends, costs the time it would have saved and nothing else. */
export class CheckingThreads {
  readonly #threads: Thread[] = [];
  readonly #idle: Thread[] = [];
  readonly #queue: ((thread: Thread) => void)[] = [];

  /** `page`: as `storedEntries` takes it. `readKeys`: the keys of these people. */
  async check(page: string, readKeys: ReadKeys): Promise<readonly CheckedEntry[]> {
    const thread = await this.#take();
    try {
      return (await thread.check(page, readKeys)) ?? (await checkHere(page, readKeys));
    } finally {
      this.#release(thread);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }

  async #take(): Promise<Thread> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#threads.length < THREADS) {
      const thread = new Thread();
      this.#threads.push(thread);
      return thread;
    }
    const { promise, resolve } = Promise.withResolvers<Thread>();
    this.#queue.push(resolve);
    return promise;
  }

  #release(thread: Thread): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#idle.push(thread);
    else next(thread);
  }
}

async function checkHere(page: string, readKeys: ReadKeys): Promise<readonly CheckedEntry[]> {
  const stored = storedEntries(page, 'missing');
  return checkPage(stored, await readKeys(peopleIn(stored)));
}

class Thread {
  #worker: Worker | undefined;
  #answer: ((answer: FromThread | undefined) => void) | undefined;

  constructor() {
    const program = import.meta.url.endsWith('.ts')
      ? new URL('./checking-thread-main.ts', import.meta.url)
      : new URL('./checking-thread-main.js', import.meta.url);
    try {
      // Without the environment, in which secrets may be.
      this.#worker = new Worker(program, { name: 'audit-verification', env: {}, resourceLimits });
    } catch {
      // A process may be forbidden to have threads.
      return;
    }
    this.#worker.on('message', (answer: FromThread) => this.#answer?.(answer));
    this.#worker.on('error', () => this.#end());
    this.#worker.on('exit', () => this.#end());
  }

  /** One page at a time. `undefined` when there is no such thread any more. */
  async check(page: string, readKeys: ReadKeys): Promise<readonly CheckedEntry[] | undefined> {
    const first = await this.#ask({ page });
    if (first === undefined || !('people' in first)) return undefined;
    const second = await this.#ask({ keys: await readKeys(first.people) });
    return second === undefined || !('entries' in second) ? undefined : unpackEntries(second.entries);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(message: ToThread): Promise<FromThread | undefined> {
    const { promise, resolve } = Promise.withResolvers<FromThread | undefined>();
    this.#answer = resolve;
    if (this.#worker === undefined) resolve(undefined);
    else this.#worker.postMessage(message, []);
    return promise;
  }

  #end(): void {
    this.#worker = undefined;
    this.#answer?.(undefined);
  }
}
