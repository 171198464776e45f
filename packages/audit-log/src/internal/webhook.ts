/** One delivery to a webhook, signed as https://www.standardwebhooks.com describes. */
import { createHmac, randomBytes } from 'node:crypto';

/** Between the 24 and the 64 bytes that the specification allows; the output of SHA-256. */
const SECRET_BYTES = 32;
const SECRET_PREFIX = 'whsec_';

/** Milliseconds a receiver has to answer: the lower end of the 15 to 30 seconds that the specification names. */
const PATIENCE = 15_000;

export const newSecret = (): string => `${SECRET_PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;

export interface Delivery {
  readonly url: string;
  readonly secret: string;
  /** The same each time that the same is sent. */
  readonly id: string;
  /** JSON lines. */
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** `v1,` and the base64 of HMAC-SHA-256 over id, seconds since the epoch and body, with full stops between. */
function signatureOf({ secret, id, body, now }: Omit<Delivery, 'url'>): string {
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
    const response = await fetch(delivery.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/x-ndjson',
        'user-agent': 'strongroom',
        'webhook-id': delivery.id,
        'webhook-timestamp': String(Math.floor(delivery.now / 1000)),
        'webhook-signature': signatureOf(delivery),
      },
      body: delivery.body,
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    // Whatever it goes on to say is not read.
    await response.body?.cancel();
    return response.ok ? null : `status ${response.status}`;
  } catch (error) {
    if (timeout.aborted) return 'no answer in time';
    return `not reached: ${codeOf(error)}`;
  }
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : 'unknown reason';
}
