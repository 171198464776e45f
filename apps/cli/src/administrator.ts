/** The running server's administrator socket, as a client sees it. */
import { request } from 'node:http';
import path from 'node:path';

/** Milliseconds. Verifying a long log takes its time. */
const TIMEOUT = 10 * 60 * 1000;

export const administratorSocket = (data: string): string => path.join(data, 'administrator.sock');

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Undefined when no server listens there. Throws ClientError for what the server refuses. `timeout`: milliseconds. */
export async function askServer(
  socketPath: string,
  method: Method,
  route: string,
  body?: object,
  timeout = TIMEOUT,
): Promise<unknown> {
  const reply = await exchange(socketPath, method, route, body, timeout);
  if (reply === undefined || reply.status === 200) return reply?.value;
  // Only now: a client is not needed for anything else here.
  const { ClientError } = await import('@strongroom/client');
  if (reply.status === 'broken') throw new ClientError('client.unreachable', { cause: reply.cause });
  throw ClientError.fromProblem(reply.status, reply.value);
}

type Reply =
  | { readonly status: number; readonly value: unknown }
  | { readonly status: 'broken'; readonly cause: Error; readonly value?: undefined };

function exchange(
  socketPath: string,
  method: Method,
  route: string,
  body: object | undefined,
  timeout: number,
): Promise<Reply | undefined> {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const call = request(
      {
        socketPath,
        method,
        path: route,
        timeout,
        headers: { host: 'localhost', ...(content === undefined ? {} : { 'content-type': 'application/json' }) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 500, value: parse(text) }));
      },
    );
    call.on('timeout', () => call.destroy());
    call.on('error', (cause: NodeJS.ErrnoException) =>
      resolve(cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED' ? undefined : { status: 'broken', cause }),
    );
    call.end(content);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
