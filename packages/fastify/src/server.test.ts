import { connect, type AddressInfo, type Socket } from 'node:net';
import { databases } from '@strongroom/testing/databases';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BODY_LIMIT, makeFixture, type Fixture } from './fastify.fixture.ts';
import { strongroomFastify } from './plugin.ts';
import { createServer } from './server.ts';

/** No route here uses the database, so one engine is enough. */
const [engine] = databases();
let fixture: Fixture;
let app: FastifyInstance;
let port: number;

beforeAll(async () => {
  fixture = makeFixture(await engine!.open([]));
  app = createServer({ pipeline: fixture.pipeline, bodyTimeoutMilliseconds: 300, headerTimeoutMilliseconds: 500 });
  await app.listen({ host: '127.0.0.1', port: 0 });
  port = (app.server.address() as AddressInfo).port;
});
afterAll(async () => {
  await app.close();
});
beforeEach(() => {
  fixture.log.length = 0;
  fixture.failures.length = 0;
});

const post = (url: string, payload: string | Buffer, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } });

describe('through inject', () => {
  it('hands over path, query and body, and hands back status, headers and body', async () => {
    const response = await post('/v1/echo/J%C3%BCrg?mood=good%20enough', '{"text":"hi"}');
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('application/json');
    expect(response.json()).toEqual({ name: 'Jürg', mood: 'good enough', text: 'hi', address: '127.0.0.0/24' });
    expect((await app.inject('/v1/things/1')).headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect([...(await app.inject('/v1/bytes')).rawPayload]).toEqual([0, 255, 10]);
  });

  it('decodes an encoded slash into the parameter, not into the path', async () => {
    expect((await app.inject('/v1/things/a%2Fb')).json()).toEqual({ thing: 'a/b' });
    expect((await app.inject('/v1%2Fthings/a')).statusCode).toBe(404);
    expect((await app.inject('/v1/things/..%2F..%2Fbytes')).json()).toEqual({ thing: '../../bytes' });
  });

  it.each(['/v1/things/%', '/v1/things/%ZZ', '/v1/things/%C3%28', '/v1/things/%80'])('refuses %s', async (url) => {
    const response = await app.inject(url);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: 'pipeline.malformed-request' });
  });

  it('refuses bad percent-encoding in the query, which URLSearchParams would mend silently', async () => {
    expect((await post('/v1/echo/x?mood=%C3%28', '{"text":""}')).json()).toMatchObject({
      code: 'pipeline.malformed-request',
    });
    expect((await post('/v1/echo/x?mood=%C3%BC', '{"text":""}')).json()).toMatchObject({ mood: 'ü' });
    expect((await post('/v1/echo/x?mood=a&mood=b', '{"text":""}')).json()).toMatchObject({
      code: 'pipeline.invalid-input',
    });
    expect((await app.inject('/v1/things/a%00b')).json()).toMatchObject({ code: 'pipeline.invalid-input' });
  });

  it.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json; charset=latin1', 415],
    ['application/json, text/plain', 415],
    ['nonsense', 415],
    ['', 415],
    ['application/json; charset=utf-8', 200],
    ['APPLICATION/JSON', 200],
  ])('answers content type "%s" with %i', async (type, status) => {
    const response = await post('/v1/echo/x', '{"text":"hi"}', { 'content-type': type });
    expect(response.statusCode).toBe(status);
    if (status === 415) expect(response.headers['content-type']).toBe('application/problem+json');
  });

  it('refuses compressed bodies, broken JSON and bytes that are not UTF-8', async () => {
    expect((await post('/v1/echo/x', '{"text":"hi"}', { 'content-encoding': 'gzip' })).statusCode).toBe(415);
    expect((await post('/v1/echo/x', '{"text":')).json()).toMatchObject({ code: 'pipeline.invalid-json' });
    expect((await post('/v1/echo/x', Buffer.from([0x22, 0xff, 0x22]))).json()).toMatchObject({
      code: 'pipeline.invalid-json',
    });
    expect((await post('/v1/echo/x', '{"text":"hi","extra":1}')).json()).toMatchObject({
      code: 'pipeline.invalid-input',
      fields: [{ path: 'body.extra', problem: 'is not known' }],
    });
  });

  it('answers HEAD like GET without the body', async () => {
    const response = await app.inject({ method: 'HEAD', url: '/v1/things/1' });
    expect(response).toMatchObject({ statusCode: 200, body: '' });
    expect(response.headers['content-length']).toBe(String('{"thing":"1"}'.length));
  });

  it('answers unknown addresses with 404 and wrong methods with 405 and allow', async () => {
    const missing = await app.inject('/nowhere');
    expect(missing.json()).toMatchObject({ status: 404, code: 'pipeline.not-found' });
    expect(missing.headers['x-content-type-options']).toBe('nosniff');
    for (const method of ['PUT', 'OPTIONS', 'PATCH', 'TRACE'] as const) {
      const response = await app.inject({ method, url: '/v1/things/1' });
      expect(response.statusCode).toBe(405);
      expect(response.headers['allow']).toBe('DELETE, GET, HEAD');
    }
    expect((await app.inject(`/v1/things/${'x'.repeat(300)}`)).json()).toMatchObject({ code: 'pipeline.not-found' });
  });

  it('takes no body where none is declared', async () => {
    const response = await app.inject({
      method: 'DELETE',
      url: '/v1/things/1',
      payload: 'x',
      headers: { 'content-type': 'text/plain' },
    });
    expect(response.json()).toMatchObject({ code: 'pipeline.unexpected-body' });
    expect((await app.inject({ method: 'DELETE', url: '/v1/things/1' })).statusCode).toBe(204);
  });
});

/** Sends bytes and collects everything until the server closes. */
function talk(parts: readonly (string | number)[], atPort = port): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(atPort, '127.0.0.1');
    socket.setEncoding('utf8').on('data', (text: string) => (received += text));
    socket.on('close', () => resolve(received)).on('error', reject);
    void sendAll(socket, parts);
  });
}

/** Numbers are pauses in milliseconds. */
async function sendAll(socket: Socket, parts: readonly (string | number)[]): Promise<void> {
  for (const part of parts) {
    if (typeof part === 'string') socket.write(part);
    else await new Promise((resolve) => setTimeout(resolve, part));
  }
}

const problemOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

describe('through a socket', () => {
  it.each([
    ['no HTTP at all', 'hello there\r\n\r\n', 400, 'pipeline.malformed-request'],
    [
      'a header line without a colon',
      'GET /v1/bytes HTTP/1.1\r\nhost: x\r\nbroken line\r\n\r\n',
      400,
      'pipeline.malformed-request',
    ],
    [
      'both lengths, as in request smuggling',
      'POST /v1/echo/x HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'pipeline.malformed-request',
    ],
    ['no host', 'GET /v1/things/1 HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'pipeline.malformed-request'],
    [
      'two hosts',
      'GET /v1/things/1 HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n',
      400,
      'pipeline.malformed-request',
    ],
    ['an invented method', 'BREW /v1/things/1 HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'pipeline.malformed-request'],
    [
      'a method nobody serves',
      'PROPFIND /v1/things/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      405,
      'pipeline.method-not-allowed',
    ],
    [
      'a huge header',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'pipeline.header-too-large',
    ],
    [
      'two content types',
      'POST /v1/echo/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}',
      415,
      'pipeline.unsupported-media-type',
    ],
    [
      'two queries with an encoded newline in a header position',
      'GET /v1/things/a%0d%0aset-cookie:%20x=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      200,
      undefined,
    ],
  ])('answers %s with a problem', async (_name, text, status, code) => {
    const answer = await talk([text]);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain('x-content-type-options: nosniff');
    if (code !== undefined) expect(problemOf(answer)).toMatchObject({ status, code });
    else expect(answer.split('\r\n\r\n')[0]).not.toContain('x=1');
    expect(answer).not.toContain('FST_');
  });

  const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
  const chunkedHead =
    'POST /v1/echo/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';

  it('reads a chunked body, and refuses one that grows beyond the limit without a content-length', async () => {
    const fine = await talk([
      chunkedHead.replace('host', 'connection: close\r\nhost'),
      chunk('{"text"'),
      20,
      chunk(':"hi"}'),
      '0\r\n\r\n',
    ]);
    expect(problemOf(fine)).toMatchObject({ text: 'hi' });
    const answer = await talk([chunkedHead, chunk('x'.repeat(BODY_LIMIT)), 20, chunk('y'), 20, chunk('z'.repeat(100))]);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(problemOf(answer)).toMatchObject({ code: 'pipeline.body-too-large' });
  });

  it('refuses an announced body that is too large before it arrives, and cuts a client that sends it all the same', async () => {
    // The body never comes: waiting for it would end in the timeout of this test.
    const head = `POST /v1/echo/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n`;
    expect(await talk([head])).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('keeps the connection when the excess was small', async () => {
    const body = 'x'.repeat(BODY_LIMIT + 1);
    const head = `POST /v1/echo/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    const next = 'GET /v1/things/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    const answer = await talk([head, body, 50, next]);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('{"thing":"1"}');
  });

  it('gives up on a body that does not come', async () => {
    const head = 'POST /v1/echo/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n';
    const answer = await talk([head, '{"te']);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(problemOf(answer)).toMatchObject({ code: 'pipeline.timeout' });
  });

  it('gives up on a header that does not come', async () => {
    const answer = await talk(['GET /v1/things/1 HTTP/1.1\r\nhost: x\r\n']);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(problemOf(answer)).toMatchObject({ code: 'pipeline.timeout' });
  });

  it('tells the handler that the client has left', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /v1/wait HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(fixture.log).toEqual([]);
    socket.destroy();
    await expect.poll(() => fixture.log).toEqual([{ status: 204 }]);
  });

  it('stops reading a body whose sender left', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /v1/echo/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await expect.poll(() => fixture.log).toEqual([{ status: 499, code: 'pipeline.client-gone' }]);
    expect(fixture.failures).toEqual([]);
  });
});

describe('behind a proxy', () => {
  const forwarded = { 'x-forwarded-for': '198.51.100.9', 'x-forwarded-proto': 'https' };

  it('believes forwarding headers of configured proxies only', async () => {
    const untrusting = await post('/v1/echo/x', '{"text":""}', forwarded);
    expect(untrusting.json()).toMatchObject({ address: '127.0.0.0/24' });
    expect(untrusting.headers).not.toHaveProperty('strict-transport-security');

    for (const [proxies, address] of [
      [['127.0.0.0/8'], '198.51.100.0/24'],
      [['10.0.0.0/8'], '127.0.0.0/24'],
    ] as const) {
      const trusting = createServer({ pipeline: fixture.pipeline, trustedProxies: proxies });
      const response = await trusting.inject({
        method: 'POST',
        url: '/v1/echo/x',
        payload: '{"text":""}',
        headers: { 'content-type': 'application/json', ...forwarded },
      });
      expect(response.json()).toMatchObject({ address });
      expect('strict-transport-security' in response.headers).toBe(address.startsWith('198'));
      await trusting.close();
    }
  });

  it('believes no more proxies than there are, so that a client in a trusted network cannot write an address for itself', async () => {
    // Somebody at 192.168.1.5 sent the first address; the one proxy there is added the second.
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '198.51.100.9, 192.168.1.5' };
    for (const [proxies, address] of [
      [{}, '192.168.1.0/24'],
      [{ proxies: 2 }, '198.51.100.0/24'],
    ] as const) {
      const trusting = createServer({
        pipeline: fixture.pipeline,
        trustedProxies: ['loopback', 'uniquelocal'],
        ...proxies,
      });
      const response = await trusting.inject({ method: 'POST', url: '/v1/echo/x', payload: '{"text":""}', headers });
      expect(response.json()).toMatchObject({ address });
      await trusting.close();
    }
    for (const network of ['intranet', '10.0.0.0/99', ''])
      expect(() => createServer({ pipeline: fixture.pipeline, trustedProxies: [network] })).toThrow(RangeError);
  });
});

describe('in an application that has routes of its own', () => {
  it('changes nothing outside its prefix', async () => {
    const own = Fastify();
    own.post('/own', (request, reply) => reply.send({ got: request.body }));
    await own.register(strongroomFastify, { pipeline: fixture.pipeline, prefix: '/api' });
    expect((await own.inject({ method: 'POST', url: '/own', payload: { a: 1 } })).json()).toEqual({ got: { a: 1 } });
    expect((await own.inject('/api/v1/things/7')).json()).toEqual({ thing: '7' });
    const invalid = await own.inject({
      method: 'POST',
      url: '/api/v1/echo/x',
      payload: 'x',
      headers: { 'content-type': ';' },
    });
    expect(invalid.json()).toMatchObject({ code: 'pipeline.unsupported-media-type' });
    await own.close();
  });
});
