import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHttp, type HttpRequest } from './internal/http.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let baseUrl: string;
let answers: Answer[];
const received: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (piece: string) => {
    body += piece;
  });
  request.on('end', () => {
    received.push({ method: request.method!, url: request.url!, headers: request.headers, body });
    (answers.length > 1 ? answers.shift()! : answers[0]!)(request, response);
  });
});
beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  received.length = 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const ok =
  (body: unknown): Answer =>
  (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  };
const problem =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
    response.end(JSON.stringify(body));
  };
const hangUp: Answer = (request) => request.socket.destroy();
const get: HttpRequest = { method: 'GET', path: '/v1/things', repeatable: true };
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('requests', () => {
  it('sends token, query and body, and nothing else that identifies', async () => {
    answers = [ok({ done: true })];
    const http = createHttp({ baseUrl, token: 'secret-token' });
    const request: HttpRequest = {
      method: 'POST',
      path: '/v1/things',
      query: { a: 1, b: undefined, c: 'x y' },
      body: { n: 1 },
      repeatable: false,
    };
    expect(await http.json(request)).toEqual({ done: true });
    expect(received).toMatchObject([
      {
        method: 'POST',
        url: '/v1/things?a=1&c=x+y',
        body: '{"n":1}',
        headers: { authorization: 'Bearer secret-token', 'content-type': 'application/json' },
      },
    ]);
    expect(received[0]!.headers).not.toHaveProperty('referer');
  });

  it('without a token sends no authorization', async () => {
    answers = [ok({})];
    await createHttp({ baseUrl }).json(get);
    expect(received[0]!.headers.authorization).toBeUndefined();
  });

  it.each([
    'http://vault.example.org',
    'ftp://127.0.0.1',
    'http://127.0.0.1.evil.example',
    'nonsense',
    'http://localhost.evil.example',
  ])('refuses the address %s', (address) => {
    expect(() => createHttp({ baseUrl: address })).toThrowError(code('client.insecure-address'));
  });

  it.each(['https://vault.example.org', 'http://localhost:1', 'http://[::1]:1', 'http://127.0.0.1:1'])(
    'takes the address %s',
    (address) => {
      expect(() => createHttp({ baseUrl: address })).not.toThrow();
    },
  );

  it('follows no redirect', async () => {
    answers = [
      (_request, response) => {
        response.writeHead(307, { location: '/v1/elsewhere' });
        response.end();
      },
    ];
    const once = createHttp({ baseUrl, token: 'secret-token' }).json({ ...get, repeatable: false });
    await expect(once).rejects.toEqual(code('client.unreachable'));
    expect(received).toHaveLength(1);
  });
});

describe('problems', () => {
  it('become errors with their code, status and members', async () => {
    const body = {
      type: 'x',
      title: 'Conflict.',
      status: 409,
      code: 'memories.conflict',
      detail: 'More.',
      currentVersion: 7,
    };
    answers = [problem(409, body)];
    await expect(createHttp({ baseUrl }).json(get)).rejects.toMatchObject({
      code: 'memories.conflict',
      status: 409,
      publicMessage: 'Conflict.',
      detail: 'More.',
      members: { currentVersion: 7 },
    });
    expect(received).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    ['no code', problem(409, { title: 'x' })],
    ['a list', problem(409, [])],
    ['HTML', (_request, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<p>')],
    ['success that is no JSON', (_request, response) => response.end('<p>')],
    ['success that is no UTF-8', (_request, response) => response.end(Buffer.from([0x22, 0xff, 0x22]))],
  ])('with %s are a bad answer', async (_name, answer) => {
    answers = [answer];
    await expect(createHttp({ baseUrl }).json(get)).rejects.toEqual(code('client.bad-answer'));
    expect(received).toHaveLength(1);
  });
});

describe('retries', () => {
  it('repeats what may be repeated when the connection breaks, with the same body', async () => {
    answers = [hangUp, hangUp, ok({ done: 1 })];
    const request: HttpRequest = { ...get, method: 'PUT', body: { n: 1 } };
    expect(await createHttp({ baseUrl }).json(request)).toEqual({ done: 1 });
    expect(received.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}', '{"n":1}']);
  });

  it('does not repeat what may not', async () => {
    answers = [hangUp];
    await expect(createHttp({ baseUrl }).json({ ...get, repeatable: false })).rejects.toEqual(
      code('client.unreachable'),
    );
    expect(received).toHaveLength(1);
  });

  it('waits as long as the server says, and passes longer waits on', async () => {
    const limited = { title: 'Limited.', code: 'pipeline.limited' };
    answers = [problem(429, limited, { 'retry-after': '0' }), ok({ done: 1 })];
    expect(await createHttp({ baseUrl }).json(get)).toEqual({ done: 1 });
    answers = [problem(429, limited, { 'retry-after': '3600' })];
    received.length = 0;
    await expect(createHttp({ baseUrl }).json(get)).rejects.toMatchObject({
      code: 'pipeline.limited',
      retryAfter: 3600,
    });
    expect(received).toHaveLength(1);
  });

  it("repeats after a proxy's 503, and gives up in the end", async () => {
    answers = [
      (_request, response) => response.writeHead(503, { 'retry-after': '0', 'content-type': 'text/html' }).end(),
    ];
    await expect(createHttp({ baseUrl }).json(get)).rejects.toEqual(code('client.unreachable'));
    expect(received).toHaveLength(5);
  });

  it('ends at once when the caller gives up, with their reason', async () => {
    const controller = new AbortController();
    answers = [() => controller.abort(new Error('enough'))];
    await expect(createHttp({ baseUrl }).json({ ...get, signal: controller.signal })).rejects.toThrow('enough');
    expect(received).toHaveLength(1);
  });

  it('does not wait for ever', async () => {
    answers = [() => undefined];
    const http = createHttp({ baseUrl, timeout: 50 });
    await expect(http.json({ ...get, repeatable: false })).rejects.toEqual(code('client.timeout'));
  });
});
