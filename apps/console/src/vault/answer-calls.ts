/** A worker's door: one message in, one answer out, under the number of the call. */
import type { Functions, Progress, Reply, Request } from './protocol.ts';
import { wireError } from './wire-error.ts';

/** The part of a dedicated worker's scope that is used; the DOM library describes windows only. */
export interface WorkerScope {
  readonly location: Location;
  postMessage(message: Reply, transfer: readonly Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Request>) => void): void;
}

type Report = (progress: Progress) => void;

/** The same functions as the page sees, answered later and with a way to report. */
export type Service<Calls extends Functions<Calls>> = {
  readonly [Name in keyof Calls]: (
    report: Report,
    ...input: Parameters<Calls[Name]>
  ) => ReturnType<Calls[Name]> | Promise<ReturnType<Calls[Name]>>;
};

type AnyCall = (report: Report, ...input: readonly unknown[]) => unknown;

export function answerCalls<Calls extends Functions<Calls>>(scope: WorkerScope, service: Service<Calls>): void {
  const reply = (message: Reply): void => scope.postMessage(message, []);

  async function answer({ call, name, input }: Request): Promise<Reply> {
    try {
      const run = service[name as keyof Calls] as unknown as AnyCall;
      return { call, value: await run((progress) => reply({ call, progress }), ...input) };
    } catch (error) {
      return { call, error: wireError(error) };
    }
  }

  scope.addEventListener('message', (event) => {
    void answer(event.data).then(reply);
  });
}
