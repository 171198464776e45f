/** The page's end of the line to the vault's worker. */
import type { CallName, Notice, Progress, Reply, Request, VaultCalls, WireError } from '../vault/protocol.ts';
import workerAddress from '#vault-worker?worker&url';
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

/** The worker was ended while the call was under way. */
const locked = (): VaultError =>
  new VaultError({ code: 'client.locked', status: 401, message: '', detail: null, retryAfter: null, members: {} });

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

/** Browsers with Trusted Types take a worker's address from a policy only; this one knows a single address. */
const factory = (globalThis as { readonly trustedTypes?: TrustedTypesFactory }).trustedTypes;
const policy = factory?.createPolicy(TRUSTED_TYPES_POLICY, {
  createScriptURL(url) {
    if (url !== workerAddress) throw new TypeError('Only the vault runs as a worker.');
    return url;
  },
});

export interface VaultConnection {
  call<Name extends CallName>(
    name: Name,
    ...input: Parameters<VaultCalls[Name]>
  ): Promise<ReturnType<VaultCalls[Name]>>;
  /** The same with reports in between. */
  callWithProgress<Name extends CallName>(
    onProgress: (progress: Progress) => void,
    name: Name,
    ...input: Parameters<VaultCalls[Name]>
  ): Promise<ReturnType<VaultCalls[Name]>>;
  /** Ends the worker, and with it every key; calls under way reject with `client.locked`. The next call starts a new one. */
  end(): void;
}

export function connectVault(onNotice: (notice: Notice) => void): VaultConnection {
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

  function rejectAll(): void {
    for (const { reject } of waiting.values()) reject(locked());
    waiting.clear();
  }

  function start(): Worker {
    const address = policy?.createScriptURL(workerAddress) ?? workerAddress;
    const started = new Worker(address, { type: 'module', name: 'vault' });
    started.addEventListener('message', receive);
    started.addEventListener('error', rejectAll);
    return started;
  }

  function send<Name extends CallName>(
    onProgress: ((progress: Progress) => void) | undefined,
    name: Name,
    input: Parameters<VaultCalls[Name]>,
  ): Promise<ReturnType<VaultCalls[Name]>> {
    worker ??= start();
    last += 1;
    const request: Request = { call: last, name, input };
    const answer = new Promise<ReturnType<VaultCalls[Name]>>((resolve, reject) => {
      waiting.set(request.call, { resolve, reject, onProgress });
    });
    worker.postMessage(request, []);
    return answer;
  }

  return {
    call: (name, ...input) => send(undefined, name, input),
    callWithProgress: (onProgress, name, ...input) => send(onProgress, name, input),
    end() {
      worker?.terminate();
      worker = null;
      rejectAll();
    },
  };
}
