/** What a real browser does with the session cookie when there is no TLS: on loopback it must work, elsewhere it must not. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { needs } from '@strongroom/testing';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clearCookie, presentedCredential, setCookie } from './cookie.ts';

const TOKEN = 'a'.repeat(64);

function answer({ url, headers }: IncomingMessage, response: ServerResponse): void {
  if (url === '/in') response.setHeader('set-cookie', setCookie(TOKEN, 60));
  if (url === '/out') response.setHeader('set-cookie', clearCookie);
  const html = url === '/';
  response.setHeader('content-type', html ? 'text/html' : 'application/json');
  response.end(html ? '<!doctype html><title>Test</title>' : JSON.stringify(presentedCredential(headers as never)));
}

describe.skipIf(!needs('chromium'))('the session cookie in Chromium without TLS', () => {
  let server: Server;
  let browser: Browser;
  beforeAll(async () => {
    server = createServer(answer);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const rules = '--host-resolver-rules=MAP vault.example 127.0.0.1';
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', rules] });
  });
  afterAll(async () => {
    await browser.close();
    server.close();
  });

  /** What the server is shown before signing in, afterwards, and after signing out. */
  async function shown(host: string): Promise<unknown[]> {
    const page = await browser.newPage();
    await page.goto(`http://${host}:${(server.address() as AddressInfo).port}/`);
    const steps = await page.evaluate(async () => {
      const post = async (path: string) => (await fetch(path, { method: 'POST' })).json() as Promise<unknown>;
      const before = await post('/in');
      const after = await post('/out');
      return [before, after, await post('/check'), document.cookie];
    });
    await page.close();
    return steps;
  }

  const none = { transport: 'none' };

  it.each(['127.0.0.1', 'localhost'])('is kept, sent, hidden from scripts and cleared on %s', async (host) => {
    expect(await shown(host)).toEqual([none, { transport: 'cookie', token: TOKEN }, none, '']);
  });

  it('is refused on any other name', async () => {
    expect(await shown('vault.example')).toEqual([none, none, none, '']);
  });
});
