/** The ciphers of a long rotation in a thread of their own, so that the server's goes on serving. docs/design/rotation.md tells what that thread gets to know. */
import { Worker } from 'node:worker_threads';
import { concatBytes, type Bytes } from '@strongroom/kernel';
import type { SubjectKeys } from '../../sealer.ts';
import { LoadedKeys, type SentKeys } from '../loaded-keys.ts';
import { renewHere, type Renewal, type Renewed } from './renew.ts';

/** Values one behind the other, so that all of them travel without being copied. */
interface PackedValues {
  readonly bytes: Bytes;
  /** Of each; negative for one that is not there. */
  readonly lengths: readonly number[];
}

export interface RenewalRequest extends Pick<Renewal, 'table' | 'keyVersion'>, PackedValues {
  /** As JSON: much cheaper than a copy of so many objects. */
  readonly places: string;
  readonly number: number;
  readonly keys: SentKeys;
}

/** In place of a length. */
export const ANSWERS = { authenticated: -1, damaged: -2 } as const;

export interface RenewalAnswer extends PackedValues {
  readonly number: number;
  /** It went wrong in a way that is no value's fault. */
  readonly isFailed: boolean;
}

/** What the thread says first. */
export const READY = 'ready';

/**
 * Starts with the first values it gets, which are not kept waiting for it. A thread that cannot start, or ends, costs nothing but the time it would
 * have saved.
 */
export class RenewalThread {
  #worker: Worker | undefined;
  #state: 'none' | 'starting' | 'ready' | 'ended' = 'none';
  #last = 0;
  readonly #waiting = new Map<number, (answer: RenewalAnswer | undefined) => void>();

  async renew(keys: SubjectKeys, renewal: Renewal): Promise<readonly Renewed[]> {
    const sent = LoadedKeys.send(keys);
    const answer = sent === undefined ? undefined : await this.#ask(sent, renewal);
    // Errors are thrown where they can be told apart.
    if (answer === undefined || answer.isFailed) return renewHere(keys, renewal);
    let offset = 0;
    return answer.lengths.map((length): Renewed => {
      if (length === ANSWERS.authenticated) return 'authenticated';
      if (length === ANSWERS.damaged) return 'damaged';
      offset += length;
      return answer.bytes.subarray(offset - length, offset);
    });
  }

  /** How many batches of values it has been given and not yet answered. */
  get load(): number {
    return this.#waiting.size;
  }

  /** Whether values go to the thread already. */
  get isReady(): boolean {
    return this.#state === 'ready';
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#worker?.terminate();
  }

  async #ask(keys: SentKeys, { table, keyVersion, places, values }: Renewal): Promise<RenewalAnswer | undefined> {
    if (this.#state === 'none') this.#start();
    if (!this.isReady || values.length === 0) return undefined;
    const number = (this.#last += 1);
    const { promise, resolve } = Promise.withResolvers<RenewalAnswer | undefined>();
    this.#waiting.set(number, resolve);
    const bytes = concatBytes(...values);
    const lengths = values.map(({ length }) => length);
    const request: RenewalRequest = { number, keys, table, keyVersion, places: JSON.stringify(places), bytes, lengths };
    this.#worker?.postMessage(request, [bytes.buffer]);
    return promise;
  }

  #start(): void {
    const program = import.meta.url.endsWith('.ts')
      ? new URL('./thread-main.ts', import.meta.url)
      : new URL('./thread-main.js', import.meta.url);
    try {
      // Without the environment, in which secrets may be.
      this.#worker = new Worker(program, { name: 'rotation', env: {} });
    } catch {
      // A process may be forbidden to have threads.
      this.#end();
      return;
    }
    this.#state = 'starting';
    this.#worker.unref();
    this.#worker.on('message', (message: typeof READY | RenewalAnswer) => {
      if (message === READY) {
        if (this.#state === 'starting') this.#state = 'ready';
        return;
      }
      this.#waiting.get(message.number)?.(message);
      this.#waiting.delete(message.number);
    });
    this.#worker.on('error', () => this.#end());
    this.#worker.on('exit', () => this.#end());
  }

  #end(): void {
    this.#state = 'ended';
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }
}
