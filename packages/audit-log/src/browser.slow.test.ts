/**
 * The verifier in headless Chromium, bundled as an application would bundle it: without Node's conditions, so with the portable
 * SHA-256 and signatures.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { figure, headlessChromium, needs } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { type Browser, chromium } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditEvent, type House, openHouse } from './log.test-support.ts';
import type { LogEntry, StoredTile } from './log-source.ts';
import type * as verification from './verify.ts';
import { verifyLog } from './verify-log.ts';

declare global {
  /** Set by the bundle's entry below. */
  var auditVerification: typeof verification;
}

const SIZE = 600;

async function bundle(): Promise<string> {
  const entry = '\0entry';
  const result = (await build({
    configFile: false,
    root: fileURLToPath(new URL('..', import.meta.url)),
    logLevel: 'silent',
    resolve: { conditions: ['source', 'module', 'browser', 'import', 'default'] },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? entry : null),
        load: (id) =>
          id === entry
            ? `import * as verification from '@strongroom/audit-log/verify'; globalThis.auditVerification = verification;`
            : null,
      },
    ],
    build: { write: false, rolldownOptions: { input: 'entry', output: { format: 'es' } } },
  })) as Rolldown.RolldownOutput;
  const [chunk, ...others] = result.output;
  expect(others).toEqual([]);
  return chunk.code;
}

describe.skipIf(!needs('chromium'))('verification in Chromium', () => {
  let code: string;
  let server: Server;
  let browser: Browser;
  let house: House;

  beforeAll(async () => {
    code = await bundle();
    server = createServer((request, response) => {
      if (request.url === '/bundle.js') response.setHeader('content-type', 'text/javascript').end(code);
      else
        response
          .setHeader('content-type', 'text/html')
          .end('<!doctype html><script type="module" src="/bundle.js"></script>');
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch(headlessChromium);
    house = await openHouse(databases()[0]!);
    await house.append(...Array.from({ length: SIZE }, () => auditEvent()));
    await house.auditLog.sequence();
  });
  afterAll(async () => {
    await browser.close();
    server.close();
    await house.close();
  });

  it('needs nothing of Node', () => {
    expect(/["'`]node:|\bBuffer\b|\brequire\(/.exec(code)?.[0]).toBeUndefined();
    figure(`audit verification in a browser bundle: ${(gzipSync(code).length / 1024).toFixed(1)} KiB gzip`);
  });

  it('comes to the same verdict as Node, on an honest log and on a changed one', async () => {
    const source = house.auditLog.source();
    const keys = await house.auditLog.verifierKeys();
    const here = await verifyLog(source, { keys });
    const tiles = await source.tiles([
      { level: 0, index: 0, width: 256 },
      { level: 0, index: 1, width: 256 },
      { level: 0, index: 2, width: SIZE - 512 },
      { level: 1, index: 0, width: 2 },
    ]);
    const log = {
      note: (await source.newestCheckpoint())!.note,
      entries: (await source.entries(0, SIZE)) as LogEntry[],
      tiles: tiles as StoredTile[],
    };
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => globalThis.auditVerification !== undefined);
    const judge = (changed: boolean) =>
      page.evaluate(
        async ({ log, keys, changed }) => {
          const entries = log.entries.map((entry) =>
            changed && entry.index === 300 && typeof entry.event === 'object'
              ? { ...entry, event: { ...entry.event, outcome: 'denied' } }
              : entry,
          );
          const verdict = await globalThis.auditVerification.verifyLog(
            {
              newestCheckpoint: async () => ({ note: log.note }),
              checkpoints: async () => [],
              entries: async (from, to) => entries.slice(from, to),
              tiles: async (places) => places.map(({ level, index }) => log.tiles[level === 0 ? index : 3]!),
              strays: async () => [],
            },
            { keys },
          );
          return { ...verdict, root: [...verdict.root] };
        },
        { log, keys: [...keys], changed },
      );
    expect(await judge(false)).toEqual({ ...here, root: [...here.root] });
    expect(here.ok).toBe(true);
    const verdict = await judge(true);
    expect(verdict.findings).toEqual([
      { where: 'event 300', what: 'its stored columns are not those that were logged' },
    ]);
  });
});
