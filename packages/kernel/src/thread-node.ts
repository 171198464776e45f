/** Long computations in threads of their own, so that the server's goes on serving. Node only. */
import { availableParallelism } from 'node:os';
import { parentPort, type Transferable, Worker } from 'node:worker_threads';

/** What the thread says first. */
const READY = 'ready';

interface Question<Request> {
  readonly number: number;
  readonly request: Request;
}

interface Reply<Answer> {
  readonly number: number;
  /** Absent when it went wrong. */
  readonly answer?: Answer;
}

/**
 * Nobody is kept waiting for its start: a request is answered with `undefined` when the thread cannot start, has not started yet, fails or has ended, and whoever
 * asked does the work. So a thread costs nothing but the time it would have saved.
 */
export class RequestThread<Request, Answer> {
  readonly #program: URL;
  readonly #name: string;
  #worker: Worker | undefined;
  #state: 'none' | 'starting' | 'ready' | 'ended' = 'none';
  #last = 0;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();

  /** `program`: a module that calls `answerRequests`. */
  constructor(program: URL, name: string) {
    this.#program = program;
    this.#name = name;
  }

  /** How many requests it has been given and not yet answered. */
  get load(): number {
    return this.#waiting.size;
  }

  /** Whether requests go to the thread. */
  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** `transfer`: what is given away, and gone here once the thread is ready. The first request starts it. */
  async ask(request: Request, transfer: readonly Transferable[]): Promise<Answer | undefined> {
    this.start();
    if (!this.isReady) return undefined;
    const number = (this.#last += 1);
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.#waiting.set(number, resolve);
    const question: Question<Request> = { number, request };
    this.#worker?.postMessage(question, [...transfer]);
    return promise;
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#worker?.terminate();
  }

  /** Once; from then on it gets ready. */
  start(): void {
    if (this.#state !== 'none') return;
    try {
      // Without the environment, in which secrets may be.
      this.#worker = new Worker(this.#program, { name: this.#name, env: {} });
    } catch {
      // A process may be forbidden to have threads.
      this.#end();
      return;
    }
    this.#state = 'starting';
    this.#worker.unref();
    this.#worker.on('message', (message: typeof READY | Reply<Answer>) => {
      if (message === READY) {
        if (this.#state === 'starting') this.#state = 'ready';
        return;
      }
      this.#waiting.get(message.number)?.(message.answer);
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

const reply = (message: Reply<unknown>, transfer: readonly Transferable[]): void =>
  parentPort?.postMessage(message, [...transfer]);

/**
 * What the program of a thread does: `work` takes what `ask` was given and makes what that resolves with. Whatever is thrown is the business of whoever asked, who does the
 * work again and meets it there.
 */
export function answerRequests(
  work: (request: never) => { readonly answer: unknown; readonly transfer: readonly Transferable[] },
): void {
  parentPort?.on('message', ({ number, request }: Question<never>) => {
    try {
      const { answer, transfer } = work(request);
      reply({ number, answer }, transfer);
    } catch {
      reply({ number }, []);
    }
  });
  parentPort?.postMessage(READY, []);
}

/** Two where that leaves a core to the server and one to the database, which a third thread would only wait for. */
export const threadsFor = (cores: number): number => (cores >= 4 ? 2 : 1);

/** Threads with one program. A request goes to the one with the least to do, and starts it. */
export class RequestThreads<Request, Answer> {
  readonly #threads: readonly RequestThread<Request, Answer>[];

  constructor(program: URL, name: string, threads = threadsFor(availableParallelism())) {
    this.#threads = Array.from({ length: threads }, () => new RequestThread<Request, Answer>(program, name));
  }

  /** All of them, before there is a request. */
  start(): void {
    for (const thread of this.#threads) thread.start();
  }

  /** The one to ask next; `undefined` where there are none. */
  get idlest(): RequestThread<Request, Answer> | undefined {
    const [first, ...others] = this.#threads;
    return others.reduce((least, thread) => (least === undefined || thread.load < least.load ? thread : least), first);
  }

  /** How many of them requests go to already. */
  get ready(): number {
    return this.#threads.filter(({ isReady }) => isReady).length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }
}
