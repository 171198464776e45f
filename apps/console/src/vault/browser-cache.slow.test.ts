/** What a browser keeps of a vault: in Chromium's IndexedDB, bundled as the worker is. */
import type { BlockChange, BlockOutcome } from '@strongroom/client';
import { newUuid } from '@strongroom/kernel';
import { needs } from '@strongroom/testing';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launch } from '../console.test-support.ts';
import { serveBundle, type BundlePage } from './bundle-page.test-support.ts';
import type { BrowserCache } from './browser-cache.ts';

declare global {
  /** Set by the bundle's entry below. */
  var BrowserCacheUnderTest: typeof BrowserCache;
  /** Set by `open`. */
  var cache: BrowserCache;
  var cacheProblems: number;
}

const ENTRY = `
  import { BrowserCache } from './src/vault/browser-cache.ts';
  globalThis.BrowserCacheUnderTest = BrowserCache;
`;

/** As a test writes it: bytes as numbers, since pages and tests exchange JSON. */
interface Change {
  readonly expects: string | null;
  readonly stamp: string;
  readonly sequence: number;
  readonly put?: readonly number[];
  readonly remove?: readonly number[];
}

describe.skipIf(!needs('chromium'))('the cache of a browser', () => {
  let served: BundlePage;
  let browser: Browser;
  let context: BrowserContext;
  const account = newUuid();
  const space = newUuid();
  const otherSpace = newUuid();

  const tab = async (): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(served.origin);
    await page.waitForFunction(() => globalThis.BrowserCacheUnderTest !== undefined);
    return page;
  };
  const open = async (): Promise<Page> => {
    const page = await tab();
    await page.evaluate((account) => {
      globalThis.cacheProblems = 0;
      globalThis.cache = new globalThis.BrowserCacheUnderTest(() => {
        globalThis.cacheProblems += 1;
      });
      globalThis.cache.use(account);
    }, account);
    return page;
  };
  const read = (page: Page, of = space) =>
    page.evaluate(async (of) => {
      const kept = await globalThis.cache.read(of);
      if (kept === null) return null;
      const { stamp, head, blocks, index } = kept;
      return {
        stamp,
        head: head && [...head],
        blocks: blocks.map(({ end, bytes }) => [end, ...bytes]),
        index: index && [index.sequence, ...index.bytes],
      };
    }, of);
  const write = (page: Page, change: Change, of = space): Promise<BlockOutcome> =>
    page.evaluate(
      ({ of, change: { expects, stamp, sequence, put = [], remove = [] } }) => {
        const whole: BlockChange = {
          expects,
          stamp,
          sequence,
          head: Uint8Array.of(sequence),
          put: put.map((end) => ({ end, bytes: Uint8Array.of(end, 7) })),
          remove,
        };
        return globalThis.cache.write(of, whole);
      },
      { of, change },
    );
  const problems = (page: Page) => page.evaluate(() => globalThis.cacheProblems);

  beforeAll(async () => {
    served = await serveBundle(ENTRY);
    browser = await launch();
  });
  beforeEach(async () => {
    await context?.close();
    context = await browser.newContext();
  });
  afterAll(async () => {
    await browser.close();
    served.close();
  });

  it('keeps blocks, head and index over visits, space by space', async () => {
    const page = await open();
    const { stamp } = (await read(page))!;
    expect(await write(page, { expects: stamp, stamp: 's1', sequence: 2, put: [1, 2] })).toBe('written');
    expect(await write(page, { expects: 's1', stamp: 's2', sequence: 3, put: [3], remove: [2] })).toBe('written');
    await page.evaluate((space) => globalThis.cache.writeIndex(space, { sequence: 3, bytes: Uint8Array.of(9) }), space);
    await read(page, otherSpace);
    const whole = {
      stamp: 's2',
      head: [3],
      blocks: [
        [1, 1, 7],
        [3, 3, 7],
      ],
      index: [3, 9],
    };
    const again = await open();
    expect(await read(again)).toEqual(whole);
    expect((await read(again, otherSpace))!.blocks).toEqual([]);
    await again.evaluate((space) => globalThis.cache.remove(space), otherSpace);
    expect(await read(again)).toEqual(whole);
    expect(await problems(again)).toBe(0);
  });

  it('lets no tab write over what another wrote since, and replaces only what is not further', async () => {
    const one = await open();
    const { stamp } = (await read(one))!;
    const other = await open();
    expect((await read(other))!.stamp).toBe(stamp);
    expect(await write(one, { expects: stamp, stamp: 'one', sequence: 5, put: [5] })).toBe('written');
    expect(await write(other, { expects: stamp, stamp: 'other', sequence: 6, put: [6] })).toBe('overtaken');
    expect(await write(other, { expects: null, stamp: 'other', sequence: 4, put: [4] })).toBe('overtaken');
    expect((await read(one))!.blocks).toEqual([[5, 5, 7]]);
    expect(await write(other, { expects: null, stamp: 'other', sequence: 6, put: [4, 6] })).toBe('written');
    expect((await read(one))!.blocks).toEqual([
      [4, 4, 7],
      [6, 6, 7],
    ]);
  });

  it('does not begin again what another tab dropped', async () => {
    const one = await open();
    const { stamp } = (await read(one))!;
    const other = await open();
    await other.evaluate((space) => globalThis.cache.remove(space), space);
    expect(await write(one, { expects: stamp, stamp: 's', sequence: 1, put: [1] })).toBe('gone');
    expect(await write(one, { expects: null, stamp: 's', sequence: 1, put: [1] })).toBe('gone');
    await one.evaluate((space) => globalThis.cache.writeIndex(space, { sequence: 1, bytes: Uint8Array.of(1) }), space);
    expect((await read(await open()))!.index).toBeNull();
    await other.evaluate(() => globalThis.cache.clear());
    expect(await one.evaluate(async () => (await indexedDB.databases()).length)).toBe(0);
  });

  it('works without where the browser gives no room, and says so', async () => {
    const first = await context.newPage();
    const devtools = await context.newCDPSession(first);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: served.origin, quotaSize: 3_000_000 });
    const page = await open();
    const { stamp } = (await read(page))!;
    const large = Array.from({ length: 40 }, (_, end) => end + 1);
    const outcome = await page.evaluate(
      ({ space, stamp, large }) =>
        globalThis.cache.write(space, {
          expects: stamp,
          stamp: 's',
          sequence: 40,
          head: Uint8Array.of(1),
          put: large.map((end) => ({ end, bytes: new Uint8Array(500_000) })),
          remove: [],
        }),
      { space, stamp, large },
    );
    expect(outcome).toBe('gone');
    expect(await problems(page)).toBeGreaterThan(0);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: served.origin });
    // All of a change or nothing.
    expect(await read(await open())).toMatchObject({ stamp, blocks: [] });
  });

  it('empties what an earlier version kept, and takes nothing that has another shape', async () => {
    const page = await tab();
    await page.evaluate(
      (name) =>
        new Promise<void>((resolve) => {
          const opening = indexedDB.open(name, 1);
          opening.addEventListener('upgradeneeded', () => {
            for (const store of ['spaces', 'memories']) opening.result.createObjectStore(store).put('old', 'old');
          });
          opening.addEventListener('success', () => {
            opening.result.close();
            resolve();
          });
        }),
      `strongroom.${account}`,
    );
    const later = await open();
    expect(await read(later)).toMatchObject({ head: null, blocks: [], index: null });
    await later.evaluate(
      ({ name, space }) =>
        new Promise<void>((resolve) => {
          const opening = indexedDB.open(name);
          opening.addEventListener('success', () => {
            const transaction = opening.result.transaction(['spaces', 'blocks', 'indexes', 'profile'], 'readwrite');
            transaction.objectStore('spaces').put({ stamp: 1 }, space);
            transaction.objectStore('blocks').put('no bytes', [space, 1]);
            transaction.objectStore('indexes').put({ sequence: 'x' }, space);
            transaction.objectStore('profile').put({ record: 1 }, 'profile');
            transaction.addEventListener('complete', () => {
              opening.result.close();
              resolve();
            });
          });
        }),
      { name: `strongroom.${account}`, space },
    );
    expect(await read(await open())).toMatchObject({ head: null, blocks: [], index: null });
    expect(await later.evaluate(() => globalThis.cache.readProfile())).toBeNull();
  });
});
