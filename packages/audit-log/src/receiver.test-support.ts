/** A webhook receiver on loopback that checks what it is sent without any code of the sender. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly id: string;
  readonly timestamp: string;
  readonly signature: string;
  readonly body: string;
  /** Places in the log of what it holds. */
  readonly indexes: readonly number[];
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What it answers the next requests with; `hang`: nothing at all; 200 when empty. */
  readonly answers: (number | 'hang')[];
  /** Called when a request has arrived, before it is answered. */
  onRequest: () => void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const server = createServer((request, response) => {
    void (async () => {
      receiver.received.push(await read(request));
      const answer = receiver.answers.shift() ?? 200;
      receiver.onRequest();
      if (answer === 'hang') return;
      response.writeHead(answer, answer === 307 ? { location: '/elsewhere' } : {}).end('thank you');
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    received: [],
    answers: [],
    onRequest: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

async function read(request: IncomingMessage): Promise<Received> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
  const { headers } = request;
  return {
    id: String(headers['webhook-id']),
    timestamp: String(headers['webhook-timestamp']),
    signature: String(headers['webhook-signature']),
    body,
    indexes: indexesOf(body),
  };
}

/** Places in the log of JSON lines; a line that is none, or of no event, has none. */
export const indexesOf = (lines: string): number[] =>
  lines
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const { index } = JSON.parse(line) as { index?: number };
      return index === undefined ? [] : [index];
    });

/** What a receiver does by https://www.standardwebhooks.com, written from its text. */
export function isAuthentic({ id, timestamp, signature, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update([id, timestamp, body].join('.')).digest('base64');
  return key.length >= 24 && signature.split(' ').includes(`v1,${expected}`);
}
