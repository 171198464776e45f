/** The page's end of the lines to its workers: the vault's, and for a while that of the files' reader. */
import type {
  Functions,
  Notice,
  Progress,
  ReaderCalls,
  Reply,
  Request,
  VaultCalls,
  WireError,
} from '../vault/protocol.ts';
import vaultAddress from '#vault-worker?worker&url';
import readerAddress from '#vault-worker/reader?worker&url';
import { TRUSTED_TYPES_POLICY } from '../csp.ts';

/** What a call to the vault rejects with: the code of the room where it went wrong, and what may be shown. */
export class VaultError extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: string | null;
  /** Seconds. */
  readonly retryAfter: number | null;
  readonly members: WireError['members'];

  constructor({ code, status, message, detail, retryAfter, members }: WireError) {
    super(message);
    this.name = 'VaultError';
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.retryAfter = retryAfter;
    this.members = members;
  }
}

const failed = (code: string, status: number): VaultError =>
  new VaultError({ code, status, message: '', detail: null, retryAfter: null, members: {} });

/** The worker was ended, or broke down, while the call was under way. */
const locked = (): VaultError => failed('client.locked', 401);
/** Its file did not come. */
const notThere = (): VaultError => failed('client.unreachable', 503);

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

interface TrustedTypesFactory {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

const addresses: ReadonlySet<string> = new Set([vaultAddress, readerAddress]);
/** Browsers with Trusted Types take a worker's address from a policy only; this one knows two addresses. */
const factory = (globalThis as { readonly trustedTypes?: TrustedTypesFactory }).trustedTypes;
const policy = factory?.createPolicy(TRUSTED_TYPES_POLICY, {
  createScriptURL(url) {
    if (!addresses.has(url)) throw new TypeError('Only the vault and the reader of files run as workers.');
    return url;
  },
});

export interface Connection<Calls extends Functions<Calls>> {
  call<Name extends keyof Calls & string>(
    name: Name,
    ...input: Parameters<Calls[Name]>
  ): Promise<ReturnType<Calls[Name]>>;
  /** The same with reports in between. */
  callWithProgress<Name extends keyof Calls & string>(
    onProgress: (progress: Progress) => void,
    name: Name,
    ...input: Parameters<Calls[Name]>
  ): Promise<ReturnType<Calls[Name]>>;
  /** Ends the worker, and with it every key; calls under way reject with `client.locked`. The next call starts a new one. */
  end(): void;
}

export const connectVault = (onNotice: (notice: Notice) => void): Connection<VaultCalls> =>
  connect<VaultCalls>('vault', vaultAddress, onNotice);

export const connectReader = (): Connection<ReaderCalls> =>
  connect<ReaderCalls>('reader', readerAddress, () => undefined);

function connect<Calls extends Functions<Calls>>(
  name: string,
  address: string,
  onNotice: (notice: Notice) => void,
): Connection<Calls> {
  let worker: Worker | null = null;
  let last = 0;
  const waiting = new Map<number, Waiting>();

  function receive({ data }: MessageEvent<Reply>): void {
    if ('notice' in data) {
      onNotice(data.notice);
      return;
    }
    const call = waiting.get(data.call);
    if (call === undefined) return;
    if ('progress' in data) {
      call.onProgress?.(data.progress);
      return;
    }
    waiting.delete(data.call);
    if ('error' in data) call.reject(new VaultError(data.error));
    else call.resolve(data.value as never);
  }

  function rejectAll(why: VaultError): void {
    for (const { reject } of waiting.values()) reject(why);
    waiting.clear();
  }

  function start(): Worker {
    const started = new Worker(policy?.createScriptURL(address) ?? address, { type: 'module', name });
    started.addEventListener('message', receive);
    // A file that does not come is a plain event; what goes wrong inside has a message (HTML §10.2.4).
    started.addEventListener('error', (event) => {
      const lost = !(event instanceof ErrorEvent);
      // Another try fetches it again.
      if (lost) worker = null;
      rejectAll(lost ? notThere() : locked());
    });
    return started;
  }

  function send<Name extends keyof Calls & string>(
    onProgress: ((progress: Progress) => void) | undefined,
    name: Name,
    input: Parameters<Calls[Name]>,
  ): Promise<ReturnType<Calls[Name]>> {
    worker ??= start();
    last += 1;
    const request: Request = { call: last, name, input };
    const answer = new Promise<ReturnType<Calls[Name]>>((resolve, reject) => {
      waiting.set(request.call, { resolve, reject, onProgress });
    });
    worker.postMessage(
      request,
      (input as readonly unknown[]).filter((part) => part instanceof MessagePort),
    );
    return answer;
  }

  return {
    call: (name, ...input) => send(undefined, name, input),
    callWithProgress: (onProgress, name, ...input) => send(onProgress, name, input),
    end() {
      worker?.terminate();
      worker = null;
      rejectAll(locked());
    },
  };
}
