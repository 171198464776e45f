/** One delivery to a webhook, signed as https://www.standardwebhooks.com describes. */
import { createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';

/** Between the 24 and the 64 bytes that the specification allows; the output of SHA-256. */
const SECRET_BYTES = 32;
const SECRET_PREFIX = 'whsec_';

/** Milliseconds a receiver has to answer: the lower end of the 15 to 30 seconds that the specification names. */
const PATIENCE = 15_000;

export const newSecret = (): string => `${SECRET_PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;

export interface Delivery {
  readonly url: string;
  /** Certificates in PEM that alone vouch for the receiver; null: the authorities that Node knows. */
  readonly authorities: string | null;
  readonly secret: string;
  /** The same each time that the same is sent. */
  readonly id: string;
  /** JSON lines. */
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** `v1,` and the base64 of HMAC-SHA-256 over id, seconds since the epoch and body, with full stops between. */
function signatureOf({ secret, id, body, now }: Pick<Delivery, 'secret' | 'id' | 'body' | 'now'>): string {
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  const hmac = createHmac('sha256', key).update(`${id}.${Math.floor(now / 1000)}.${body}`);
  return `v1,${hmac.digest('base64')}`;
}

/**
 * Null when the receiver acknowledged with a status of 200 to 299; otherwise what was wrong, in words without anything the receiver said.
 * Redirects are not followed: the address was decided by the operator.
 */
export async function sendToWebhook(delivery: Delivery, signal: AbortSignal | undefined): Promise<string | null> {
  const timeout = AbortSignal.timeout(PATIENCE);
  try {
    const status = await post(delivery, signal === undefined ? timeout : AbortSignal.any([timeout, signal]));
    return status >= 200 && status < 300 ? null : `status ${status}`;
  } catch (error) {
    if (timeout.aborted) return 'no answer in time';
    return `not reached: ${codeOf(error)}`;
  }
}

/** Resolves with the status. Not `fetch`, which takes no authorities of one's own. */
function post(delivery: Delivery, signal: AbortSignal): Promise<number> {
  const { url, authorities, body, id, now } = delivery;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = {
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/x-ndjson',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'strongroom',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now / 1000)),
      'webhook-signature': signatureOf(delivery),
    },
  };
  const answered = (response: http.IncomingMessage): void => {
    resolve(response.statusCode ?? 0);
    // Whatever it goes on to say is not read.
    response.destroy();
  };
  const request = url.startsWith('https:')
    ? https.request(url, { ...options, ...trust(authorities) }, answered)
    : http.request(url, options, answered);
  request.on('error', reject).end(body);
  return promise;
}

/** Said aloud, so that no setting of the environment switches it off. */
const trust = (authorities: string | null) => ({
  rejectUnauthorized: true,
  ...(authorities === null ? {} : { ca: authorities }),
});

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : 'unknown reason';
}
