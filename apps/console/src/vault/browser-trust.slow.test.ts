/** What a browser knows of other people's keys: in Chromium, bundled as the worker is. */
import type * as kernel from '@strongroom/kernel';
import { newUuid } from '@strongroom/kernel';
import type * as sealing from '@strongroom/sealing';
import { needs } from '@strongroom/testing';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launch } from '../console.test-support.ts';
import { serveBundle, type BundlePage } from './bundle-page.test-support.ts';
import type { BrowserTrust } from './browser-trust.ts';

type Trust = InstanceType<typeof BrowserTrust>;

declare global {
  /** Set by the bundle's entry below. */
  var device: { sealing: typeof sealing; kernel: typeof kernel; BrowserTrust: typeof BrowserTrust };
  /** Set by `open`. */
  var trust: Trust;
  var problems: string[];
}

const ENTRY = `
  import * as sealing from '@strongroom/sealing';
  import * as kernel from '@strongroom/kernel';
  import { BrowserTrust } from './src/vault/browser-trust.ts';
  globalThis.device = { sealing, kernel, BrowserTrust };
`;

describe.skipIf(!needs('chromium'))('the trust store of a browser', () => {
  let served: BundlePage;
  let browser: Browser;
  let context: BrowserContext;
  let record: sealing.AccountRecord;
  /** Another account of the same browser. */
  let other: sealing.AccountRecord;
  const PASSWORD = 'correct horse battery staple';
  const ben = newUuid();
  const space = newUuid();
  const KEY = { publicKey: 'AQIDBA', compared: true, since: '2026-11-22T01:02:03.000Z' } as const;

  const tab = async (): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(served.origin);
    await page.waitForFunction(() => globalThis.device !== undefined);
    return page;
  };

  /** An unlocked account with its store. */
  const open = async (of = record): Promise<Page> => {
    const page = await tab();
    await page.evaluate(
      async ({ of, PASSWORD }) => {
        const { sealing, kernel, BrowserTrust } = globalThis.device;
        const { unlockKey } = await sealing.deriveCredentials(PASSWORD, kernel.fromBase64Url(of.salt), of.parameters);
        const keys = await sealing.unlockAccount(of, unlockKey);
        globalThis.problems = [];
        globalThis.trust = new BrowserTrust(
          () => keys,
          (problem) => globalThis.problems.push(problem),
        );
      },
      { of, PASSWORD },
    );
    return page;
  };
  const keyOf = (page: Page, account = ben) => page.evaluate((account) => globalThis.trust.key(account), account);
  const put = (page: Page, account = ben) =>
    page.evaluate(({ account, KEY }) => globalThis.trust.putKey(account, KEY), { account, KEY });
  const problems = (page: Page) => page.evaluate(() => globalThis.problems);

  /** What lies in the browser under a key, or a change of it. */
  const stored = (page: Page, account: string, change?: string | null): Promise<string | undefined> =>
    page.evaluate(
      ({ account, change }) =>
        new Promise<string | undefined>((resolve, reject) => {
          const opening = indexedDB.open('strongroom.trust', 1);
          opening.addEventListener('error', () => reject(new Error('closed')));
          opening.addEventListener('success', () => {
            const transaction = opening.result.transaction('accounts', 'readwrite');
            const store = transaction.objectStore('accounts');
            const request = store.get(account) as IDBRequest<string | undefined>;
            if (change === null) store.delete(account);
            else if (change !== undefined) store.put(change, account);
            transaction.addEventListener('complete', () => {
              opening.result.close();
              resolve(request.result);
            });
          });
        }),
      { account, change },
    );

  beforeAll(async () => {
    served = await serveBundle(ENTRY);
    browser = await launch();
    context = await browser.newContext();
    const page = await tab();
    [record, other] = await page.evaluate(async (password) => {
      const { sealing, kernel } = globalThis.device;
      const make = async () => (await sealing.createAccount({ account: kernel.newUuid(), password })).record;
      return [await make(), await make()] as const;
    }, PASSWORD);
    await context.close();
  });
  beforeEach(async () => {
    await context.close();
    context = await browser.newContext();
  });
  afterAll(async () => {
    await browser.close();
    served.close();
  });

  it('remembers over a new start, for its own account alone', async () => {
    const first = await open();
    expect(await keyOf(first)).toBeNull();
    await put(first);
    await first.evaluate((space) => globalThis.trust.putEpoch(space, 3), space);
    const second = await open();
    expect(await keyOf(second)).toEqual(KEY);
    expect(await second.evaluate((space) => globalThis.trust.epoch(space), space)).toBe(3);
    expect(await keyOf(await open(other))).toBeNull();
    expect(await problems(second)).toEqual([]);
  });

  it('keeps nothing that tells whom somebody knows', async () => {
    const page = await open();
    await put(page);
    const sealed = (await stored(page, record.account))!;
    expect(sealed.length).toBeGreaterThan(300);
    const bytes = Buffer.from(sealed, 'base64url').toString('latin1');
    for (const secret of [ben, KEY.publicKey, 'compared']) expect(`${sealed}${bytes}`).not.toContain(secret);
  });

  it('loses nothing when tabs write at once, and epochs never fall', async () => {
    const tabs = [await open(), await open(), await open()];
    const people = tabs.map(() => Array.from({ length: 6 }, () => newUuid()));
    await Promise.all(
      tabs.map((page, index) =>
        page.evaluate(
          async ({ accounts, KEY, space, index }) => {
            await Promise.all(accounts.map((account) => globalThis.trust.putKey(account, KEY)));
            await globalThis.trust.putEpoch(space, 5 - index);
          },
          { accounts: people[index]!, KEY, space, index },
        ),
      ),
    );
    const later = await open();
    for (const account of people.flat()) expect(await keyOf(later, account)).toEqual(KEY);
    expect(await later.evaluate((space) => globalThis.trust.epoch(space), space)).toBe(5);
  });

  it.each([
    ['was put there by somebody else', (sealed: string) => sealed.replace(/.{4}$/, 'AAAA')],
    ['is no sealed text at all', () => '{"keys":{},"epochs":{}}'],
    ['is that of another account', null],
  ])('does not believe what %s, says so, and goes on from nothing', async (_what, change) => {
    const before = await open();
    await put(before);
    const sealed = (await stored(before, record.account))!;
    const mine = change === null ? other : record;
    await stored(before, mine.account, change === null ? sealed : change(sealed));
    const page = await open(mine);
    expect(await keyOf(page)).toBeNull();
    expect(await problems(page)).toContain('damaged');
    await put(page, ben);
    const after = await open(mine);
    expect(await keyOf(after)).toEqual(KEY);
    expect(await problems(after)).toEqual([]);
  });

  it('does not forget under an open vault, and says when it was cleared', async () => {
    const page = await open();
    await put(page);
    await stored(page, record.account, null);
    expect(await keyOf(page)).toEqual(KEY);
    expect(await problems(page)).toEqual(['damaged']);
  });

  it('works without room for the visit, and says so', async () => {
    const page = await open();
    const devtools = await context.newCDPSession(page);
    const origin = new URL(page.url()).origin;
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    await put(page);
    await page.evaluate((space) => globalThis.trust.putEpoch(space, 2), space);
    expect(await keyOf(page)).toEqual(KEY);
    expect(await page.evaluate((space) => globalThis.trust.epoch(space), space)).toBe(2);
    expect(await problems(page)).toContain('no-room');
  });

  it('is gone with the account', async () => {
    const page = await open();
    await put(page);
    await page.evaluate((account) => globalThis.trust.forget(account), record.account);
    expect(await stored(page, record.account)).toBeUndefined();
    expect(await keyOf(page)).toBeNull();
  });
});
