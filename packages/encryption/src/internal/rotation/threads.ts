import { availableParallelism } from 'node:os';
import type { Renewer } from './renew.ts';
import { RenewalThread } from './thread.ts';

/** Two where that leaves a core to the server and one to the database; a third one would wait for the database. */
export const threadsFor = (cores: number): number => (cores >= 4 ? 2 : 1);

/** The threads of one rotation. A batch goes to the one with the least to do; those that are never needed are never started. */
export class RenewalThreads {
  readonly #threads: readonly RenewalThread[];

  constructor(cores = availableParallelism()) {
    this.#threads = Array.from({ length: threadsFor(cores) }, () => new RenewalThread());
  }

  readonly renew: Renewer = (keys, renewal) =>
    this.#threads.reduce((least, thread) => (thread.load < least.load ? thread : least)).renew(keys, renewal);

  /** How many of them values go to already. */
  get ready(): number {
    return this.#threads.filter(({ isReady }) => isReady).length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }
}
