/** A witness over HTTP (C2SP tlog-witness); submission and monitoring prefix are the same. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MAXIMUM_REQUEST, type Witness, type WitnessAnswer } from './witness.ts';

export interface WitnessServerOptions {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** An error nobody expected; the client got status 500. */
  readonly onFailure: (error: unknown) => void;
}

export interface WitnessServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Milliseconds for a whole request: a checkpoint has a few kilobytes. */
const REQUEST_TIMEOUT = 10_000;

export async function serveWitness(witness: Witness, options: WitnessServerOptions): Promise<WitnessServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT }, (request, response) => {
    answer(witness, request, response).catch((error: unknown) => {
      options.onFailure(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function answer(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path] = (request.url ?? '').split('?');
  const monitored = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path!)?.[1];
  if (path === '/add-checkpoint') {
    if (request.method !== 'POST') return end(response, 405);
    const body = await readBody(request);
    if (body === 'aborted') return;
    return body === 'too-large' ? end(response, 413) : send(response, await witness.addCheckpoint(body));
  }
  if (monitored === undefined) return end(response, 404);
  return request.method === 'GET' ? send(response, await witness.latest(monitored)) : end(response, 405);
}

function send(response: ServerResponse, { status, contentType, body }: WitnessAnswer): void {
  response.writeHead(status, {
    'content-type': contentType,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(body);
}

function end(response: ServerResponse, status: number): void {
  // What was not read of a refused request is not waited for.
  response.writeHead(status, { connection: 'close' });
  response.end();
}

async function readBody(request: IncomingMessage): Promise<Uint8Array | 'too-large' | 'aborted'> {
  if (Number(request.headers['content-length'] ?? 0) > MAXIMUM_REQUEST) return 'too-large';
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAXIMUM_REQUEST) return 'too-large';
      chunks.push(chunk);
    }
  } catch (error) {
    // Whoever hangs up needs no answer, and nothing failed here.
    if (request.destroyed) return 'aborted';
    throw error;
  }
  return Buffer.concat(chunks);
}
