import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addConsole } from './console.ts';

const PAGE =
  '<script nonce="__STRONGROOM_NONCE__" src="/assets/index-AbCd1234.js"></script><p nonce="__STRONGROOM_NONCE__">';

function build(files: Readonly<Record<string, string>>, page = PAGE, listed: unknown = Object.keys(files)): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'console-'));
  mkdirSync(path.join(folder, 'assets'));
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, 'assets', name), content);
  writeFileSync(path.join(folder, 'index.html'), page);
  writeFileSync(path.join(folder, 'files.json'), JSON.stringify(listed));
  return folder;
}

describe('the console over HTTP', () => {
  const folder = build(
    {
      'index-AbCd1234.js': 'export const a = 1;'.repeat(100),
      'icon-AbCd1234.svg': '<svg/>',
      'secret-AbCd1234.js': 'unlisted',
    },
    PAGE,
    ['index-AbCd1234.js', 'icon-AbCd1234.svg'],
  );
  let application: FastifyInstance;

  beforeAll(async () => {
    application = Fastify();
    await addConsole(application, folder);
  });
  afterAll(async () => {
    await application.close();
    rmSync(folder, { recursive: true });
  });

  const id = '018f0000-0000-7000-8000-000000000000';

  it.each(['/', '/set-up', '/sign-in', '/spaces', `/spaces/${id}`, `/spaces/${id}/memories/${id}/history`, '/audit'])(
    '%s is the page, with a nonce of its own and everything that protects it',
    async (url) => {
      const [one, other] = [await application.inject(url), await application.inject(url)];
      expect(one.statusCode).toBe(200);
      expect(one.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      expect(one.headers['permissions-policy']).toContain('camera=()');
      const nonce = /'nonce-([^']+)'/.exec(String(one.headers['content-security-policy']))![1]!;
      expect(Buffer.from(nonce, 'base64').length).toBeGreaterThanOrEqual(16);
      expect(one.body.split(`nonce="${nonce}"`)).toHaveLength(3);
      expect(one.body).not.toContain('__STRONGROOM_NONCE__');
      expect(other.headers['content-security-policy']).not.toBe(one.headers['content-security-policy']);
    },
  );

  it('answers a mistyped address with the page that says so, and programs as the application does', async () => {
    const strict = Fastify();
    strict.setNotFoundHandler((_request, reply) => reply.code(404).type('application/problem+json').send('{}'));
    await addConsole(strict, folder);
    const typed = { accept: 'text/html,*/*;q=0.8', 'sec-fetch-mode': 'navigate' };
    for (const url of ['/nonsense', '/v1/nonsense', '/assets/unlisted-AbCd1234.js', '/spaces/x/y/z']) {
      const page = await strict.inject({ url, headers: typed });
      expect(page.statusCode).toBe(404);
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      const nonce = /'nonce-([^']+)'/.exec(String(page.headers['content-security-policy']))![1]!;
      expect(page.body).toContain(`nonce="${nonce}"`);
      for (const headers of [{}, { ...typed, 'sec-fetch-mode': 'cors' }, { ...typed, accept: 'application/json' }]) {
        const answer = await strict.inject({ url, headers });
        expect([answer.statusCode, answer.body]).toEqual([404, '{}']);
      }
      expect((await strict.inject({ method: 'POST', url, headers: typed })).body).toBe('{}');
    }
    expect((await strict.inject({ url: '/', headers: typed })).statusCode).toBe(200);
    await strict.close();
  });

  it('asks to be fetched over TLS only, once it was', async () => {
    const proxied = Fastify({ trustProxy: true });
    await addConsole(proxied, folder);
    for (const url of ['/', '/assets/icon-AbCd1234.svg']) {
      const secure = await proxied.inject({ url, headers: { 'x-forwarded-proto': 'https' } });
      expect(secure.headers['strict-transport-security']).toBe('max-age=63072000');
      expect((await proxied.inject({ url })).headers).not.toHaveProperty('strict-transport-security');
    }
    await proxied.close();
  });

  it('assets last for ever, in the shape that the client takes', async () => {
    const plain = await application.inject({ url: '/assets/index-AbCd1234.js' });
    expect(plain.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-security-policy': expect.stringContaining("script-src 'wasm-unsafe-eval'") as string,
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    });
    expect(plain.headers).not.toHaveProperty('content-encoding');
    for (const [accepted, encoding] of [
      ['gzip, deflate, br', 'gzip'],
      ['gzip;q=0, br', undefined],
      ['br, gzip;q=0', undefined],
      ['gzip;q=0.5', 'gzip'],
    ] as const) {
      const answer = await application.inject({
        url: '/assets/index-AbCd1234.js',
        headers: { 'accept-encoding': accepted },
      });
      expect(answer.headers['content-encoding'], accepted).toBe(encoding);
    }
    expect((await application.inject({ method: 'HEAD', url: '/assets/icon-AbCd1234.svg' })).statusCode).toBe(200);
  });

  it.each([
    '/assets/secret-AbCd1234.js',
    '/assets/',
    '/assets/../index.html',
    '/assets/..%2findex.html',
    '/assets/%2e%2e/files.json',
    '/assets/index-AbCd1234.js/',
    '/assets/index-AbCd1234.js%00',
    '/index.html',
    '/files.json',
    '/spaces/a/b/c',
    '/nothing',
    '/v1/nothing',
  ])('%s is not there', async (url) => {
    expect((await application.inject(url)).statusCode).toBe(404);
  });

  it('takes no other method', async () => {
    expect((await application.inject({ method: 'POST', url: '/sign-in' })).statusCode).toBe(404);
  });
});

describe('a folder that is no whole build', () => {
  const refused = async (folder: string): Promise<unknown> => {
    const application = Fastify();
    try {
      return await addConsole(application, folder).then(
        () => 'added',
        (error: { code?: unknown }) => error.code,
      );
    } finally {
      await application.close();
      rmSync(folder, { recursive: true, force: true });
    }
  };

  it.each([
    ['nothing there', () => path.join(tmpdir(), 'no-such-console')],
    ['a file is missing', () => build({}, PAGE, ['gone-AbCd1234.js'])],
    ['a name leaves the folder', () => build({}, PAGE, ['../index-AbCd1234.js'])],
    ['a name without a hash', () => build({ 'index.js': '' })],
    ['an unknown kind', () => build({ 'page-AbCd1234.html': '' })],
    ['no list', () => build({}, PAGE, { a: 1 })],
    ['no place for the nonce', () => build({}, '<p>')],
  ])('%s', async (_case, make) => {
    expect(await refused(make())).toBe('server.console-unusable');
  });

  it('is fine when whole', async () => {
    const folder = build({ 'index-AbCd1234.js': '' });
    expect(readdirSync(path.join(folder, 'assets'))).toHaveLength(1);
    expect(await refused(folder)).toBe('added');
  });
});
