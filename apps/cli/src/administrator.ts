/** The running server's administrator socket, as a client sees it. */
import { request } from 'node:http';
import path from 'node:path';
import { ClientError } from '@strongroom/client';

/** Milliseconds. Verifying a long log takes its time. */
const TIMEOUT = 10 * 60 * 1000;

export const administratorSocket = (data: string): string => path.join(data, 'administrator.sock');

/** Undefined when no server listens there. Throws ClientError for what the server refuses. */
export function askServer(
  socketPath: string,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  route: string,
  body?: object,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const call = request(
      {
        socketPath,
        method,
        path: route,
        timeout: TIMEOUT,
        headers: { host: 'localhost', ...(content === undefined ? {} : { 'content-type': 'application/json' }) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          const value = parse(text);
          if (response.statusCode === 200) resolve(value);
          else reject(ClientError.fromProblem(response.statusCode ?? 500, value));
        });
      },
    );
    call.on('timeout', () => call.destroy());
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(new ClientError('client.unreachable', { cause: error }));
    });
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
