/** The worker's door: one message in, one answer out, under the number of the call. */
import type { CallName, Reply, Request } from './protocol.ts';
import { createVaultService } from './service.ts';
import { wireError } from './wire-error.ts';

/** The part of a dedicated worker's scope that is used; the DOM library describes windows only. */
interface WorkerScope {
  readonly location: Location;
  postMessage(message: Reply, transfer: readonly Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Request>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const reply = (message: Reply): void => scope.postMessage(message, []);
const service = createVaultService(scope.location.origin, (notice) => reply({ notice }));

type AnyCall = (
  report: (progress: { done: number; total: number | null }) => void,
  ...input: readonly unknown[]
) => unknown;

async function answer({ call, name, input }: Request): Promise<Reply> {
  try {
    const run = service[name satisfies CallName] as unknown as AnyCall;
    return { call, value: await run((progress) => reply({ call, progress }), ...input) };
  } catch (error) {
    return { call, error: wireError(error) };
  }
}

scope.addEventListener('message', (event) => {
  void answer(event.data).then(reply);
});
