/** The server goes away, in the middle of a save too: what this device keeps opens and is searched, and nothing that was typed is lost. */
import { figure, needs } from '@strongroom/testing';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { runConsole } from './console.test-support.ts';
import {
  axe,
  go,
  heading,
  headings,
  itNeverComplained,
  keptByBrowser,
  SAMPLE_MEMORIES,
  search,
  tell,
  unlock,
  eventually,
} from './story.test-support.ts';

/** How far the browser's copy has followed the one space. */
const keptUpTo = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const { name } = (await indexedDB.databases()).find((one) => /^strongroom\.[0-9a-f-]{36}$/.test(one.name!))!;
    const settled = <Result>(request: IDBRequest<Result>): Promise<Result> =>
      new Promise((resolve) => request.addEventListener('success', () => resolve(request.result)));
    const database = await settled(indexedDB.open(name!));
    const [kept] = await settled<{ sequence: number }[]>(database.transaction('spaces').objectStore('spaces').getAll());
    database.close();
    return kept!.sequence;
  });

describe.skipIf(!needs('chromium') || !needs('corpora:memories'))('without a server', () => {
  const story = tell({ from: 'samples' });
  const textField = () => story.page.getByRole('textbox', { name: 'Text' });
  const save = () => story.page.getByRole('button', { name: 'Save', exact: true }).click();
  const lock = async (): Promise<void> => {
    await story.page.keyboard.press('Control+Shift+L');
    await heading(story.page, 'Locked').waitFor();
  };
  const away = [/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_FAILED|ERR_EMPTY_RESPONSE/];

  it('saves once what the server stored although its answer was lost', async () => {
    const { page, context } = story;
    story.expected = away;
    await page.locator('.sidebar-write').click();
    await textField().fill('Answered into the void.');
    let arrived = 0;
    await context.route('**/v1/spaces/*/memories', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      arrived += 1;
      await route.fetch();
      return route.abort('connectionreset');
    });
    await save();
    await page.getByText('Not saved. What you wrote is still here.').waitFor();
    expect(arrived).toBeGreaterThan(1);
    await context.unroute('**/v1/spaces/*/memories');
    await save();
    await page.locator('.memory-text', { hasText: 'Answered into the void.' }).waitFor();
    await page.getByText(`${SAMPLE_MEMORIES + 1} memories`).waitFor();
  });

  it('takes its own lost answer for no conflict', async () => {
    const { page, context } = story;
    await page.keyboard.press('e');
    await textField().fill('Changed into the void.');
    await context.route('**/v1/spaces/*/memories/*', async (route) => {
      if (route.request().method() !== 'PUT') return route.continue();
      await route.fetch();
      return route.abort('connectionreset');
    });
    await save();
    await page.getByText('Not saved. What you wrote is still here.').waitFor();
    await context.unroute('**/v1/spaces/*/memories/*');
    story.expected = [...away, /409/];
    await save();
    await page.locator('.memory-text', { hasText: 'Changed into the void.' }).waitFor();
    await page.getByText('Version 2').waitFor();
    await eventually(() => page.locator('.strip-warning').count()).toBe(0);
  });

  it('opens, lists and searches what this device keeps', async () => {
    const { page } = story;
    // The copy follows what was written a moment later.
    await eventually(() => keptUpTo(page)).toBe(SAMPLE_MEMORIES + 2);
    await lock();
    await story.running.stop();
    await unlock(page);
    await page.getByText(`${SAMPLE_MEMORIES + 1} memories`).waitFor();
    await search(page, 'coeliac');
    await eventually(async () => (await headings(page))[0]).toBe('Tobias_Renshaw');
    await page.locator('.entry').first().click();
    await page.locator('.memory-text').waitFor();
    await page.getByText('The server cannot be reached. You can go on reading').waitFor();
    expect(await keptByBrowser(page)).not.toContain('Renshaw');
  });

  it('goes to pages where nobody was before', async () => {
    const { page } = story;
    await go(page, '/export');
    await heading(page, 'Export').waitFor();
    await page.goBack();
    await page.locator('.memory-text').waitFor();
  });

  it('does not open with another password', async () => {
    const { page } = story;
    await lock();
    await page.getByLabel('Password', { exact: true }).fill('not the right password at all');
    await page.keyboard.press('Enter');
    await page.getByText('That password does not open this vault.').waitFor();
    await unlock(page);
  });

  it('says that nothing can be saved, keeps it over the lock, and saves it when the server is back', async () => {
    const { page } = story;
    await page.locator('.sidebar-write').click();
    await textField().fill('Typed while nobody listened.');
    await save();
    await page.getByText('Not saved. What you wrote is still here.').waitFor();
    await lock();
    await unlock(page);
    await eventually(() => textField().inputValue()).toBe('Typed while nobody listened.');
    story.running = await runConsole(story.data, { port: Number(new URL(story.running.origin).port) });
    await save();
    await page.locator('.memory-text', { hasText: 'Typed while nobody listened.' }).waitFor();
    await eventually(() => page.locator('.strip-warning').count()).toBe(0);
    await page.getByText(`${SAMPLE_MEMORIES + 2} memories`).waitFor();
    figure(`${SAMPLE_MEMORIES} memories opened and searched without the server, what was typed saved when it was back`);
    story.expected = [];
  });

  it('stays open when the file of a page does not come, and tries again', async () => {
    const { page, context } = story;
    const file = /\/assets\/sessions-[^/]+\.js$/;
    story.expected = away;
    await context.route(file, (route) => route.abort());
    await page.reload();
    await unlock(page);
    await go(page, '/sessions');
    await heading(page, 'This page did not arrive').waitFor();
    await axe(page, 'a page that did not arrive');
    await context.unroute(file);
    await page.getByRole('button', { name: 'Try again' }).click();
    await heading(page, 'Sessions').waitFor();
    await page.goBack();
    await page.locator('#search').waitFor();
    story.expected = [];
  });

  it('leaves no open vault in a page that the browser keeps for going back', async () => {
    const { page } = story;
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
    await heading(page, 'Locked').waitFor();
    await unlock(page);
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: false })));
    await page.locator('#search').waitFor();
  });

  itNeverComplained(story);
});
