/** One request to the server: time limit, retries where repeating is harmless, problem documents as errors. Nothing is logged. */
import { ClientError } from '../errors.ts';

/** The platform's `fetch`, as far as it is used here. */
export type Fetch = (address: URL, init: RequestInit) => Promise<Response>;

export interface HttpOptions {
  readonly baseUrl: string | URL;
  readonly fetch?: Fetch;
  /** Bearer token; null in a browser, where the session is a cookie. */
  readonly token?: string | null;
  /** Milliseconds for one attempt, answer included. */
  readonly timeout?: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object;
  /** True when sending it twice has the effect of sending it once. */
  readonly repeatable: boolean;
  readonly signal?: AbortSignal | undefined;
}

interface HttpAnswer {
  readonly status: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface Http {
  readonly send: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly json: (request: HttpRequest) => Promise<unknown>;
}

/** Milliseconds for one attempt. A page of memories is a few megabytes; a slow line needs its time. */
const DEFAULT_TIMEOUT = 60_000;
/** Attempts of a repeatable request. */
const ATTEMPTS = 5;
/** Milliseconds before the second attempt; doubles with each further one, and half of it is random. */
const FIRST_WAIT = 250;
/** Seconds that a server may make a request wait by itself; longer ones are told to the caller. */
const LONGEST_RETRY_AFTER = 30;
/** What a proxy or a starting server answers for a while. */
const PASSING = new Set([429, 502, 503, 504]);

/** Throws `client.insecure-address` for plain http to another machine. */
export function createHttp(options: HttpOptions): Http {
  const base = checkedBase(options.baseUrl);
  // A browser's fetch must be called as a method of its window.
  const fetch: Fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  const { token = null, timeout = DEFAULT_TIMEOUT } = options;

  async function attempt(request: HttpRequest): Promise<HttpAnswer> {
    const limit = AbortSignal.timeout(timeout);
    const signal = request.signal === undefined ? limit : AbortSignal.any([request.signal, limit]);
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
    if (token !== null) headers['authorization'] = `Bearer ${token}`;
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    try {
      const response = await fetch(addressOf(base, request), {
        method: request.method,
        headers,
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        signal,
        cache: 'no-store',
        credentials: token === null ? 'same-origin' : 'omit',
        // A redirect could carry the token or a secret to another place.
        redirect: 'error',
        referrerPolicy: 'no-referrer',
      });
      const body = new Uint8Array(await response.arrayBuffer());
      if (response.ok) return { status: response.status, body };
      throw problemOf(response, body);
    } catch (error) {
      if (error instanceof ClientError) throw error;
      request.signal?.throwIfAborted();
      throw new ClientError(limit.aborted ? 'client.timeout' : 'client.unreachable', { cause: error });
    }
  }

  async function send(request: HttpRequest): Promise<HttpAnswer> {
    for (let number = 1; ; number += 1) {
      try {
        return await attempt(request);
      } catch (error) {
        if (!(error instanceof ClientError) || number === ATTEMPTS || !request.repeatable) throw error;
        const wait = waitBeforeRetry(error, number);
        if (wait === null) throw error;
        await pause(wait, request.signal);
      }
    }
  }

  return { send, json: async (request) => parseJson((await send(request)).body) };
}

function checkedBase(baseUrl: string | URL): URL {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch (cause) {
    throw new ClientError('client.insecure-address', { cause });
  }
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname) || url.hostname.endsWith('.localhost');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local)) {
    throw new ClientError('client.insecure-address');
  }
  return url;
}

function addressOf(base: URL, { path, query = {} }: HttpRequest): URL {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function problemOf(response: Response, body: Uint8Array): ClientError {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
  if (!(response.headers.get('content-type') ?? '').startsWith('application/problem+json')) {
    // A proxy's own error page: only its status means something.
    const code = PASSING.has(response.status) ? 'client.unreachable' : 'client.bad-answer';
    return new ClientError(code, retryAfter === undefined ? {} : { retryAfter });
  }
  return ClientError.fromProblem(response.status, parseJson(body), retryAfter);
}

/** Milliseconds, or null when waiting will not help. */
function waitBeforeRetry(error: ClientError, attempts: number): number | null {
  if (!PASSING.has(error.status) || error.code === 'client.bad-answer') return null;
  if (error.retryAfter !== undefined) return error.retryAfter > LONGEST_RETRY_AFTER ? null : error.retryAfter * 1000;
  const longest = FIRST_WAIT * 2 ** (attempts - 1);
  // Clients that were cut off together do not come back together.
  return longest / 2 + (Math.random() * longest) / 2;
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new ClientError('client.bad-answer', { cause });
  }
}
