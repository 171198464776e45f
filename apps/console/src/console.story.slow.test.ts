/** Somebody's first day with the vault, in a real browser against the real service: everything a person does, and what must not happen. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { figure, needs } from '@strongroom/testing';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { paletted } from './palette-png.test-support.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { consoleFolder } from '../build.ts';
import {
  fill,
  launch,
  runConsole,
  samples,
  watch,
  type Complaints,
  type RunningConsole,
} from './console.test-support.ts';

const PASSWORD = 'correct horse battery staple';
/** 250 kB of script before signing in: what the page loads, its worker included. */
const SCRIPT_BUDGET = 250 * 1000;
const HOSTILE_NAME = '<img src=x onerror=alert(1)>.md';
const HOSTILE_TEXT = [
  '# <img src=x onerror="alert(document.domain)">',
  '[a safe looking link](javascript:alert(1))',
  '<script>alert(2)</script> https://example.com/fine javascript:alert(3)',
].join('\n\n');
/** Words of the memory that is written here and nowhere else. */
const CANARY = 'umbrella with the parrot handle';

/** Written only when asked for, so that a test run leaves the tree as it was. */
const shots =
  process.env['STRONGROOM_SCREENSHOTS'] === '1' ? path.resolve(import.meta.dirname, '../../../docs/screenshots') : null;
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

async function axe(page: Page, where: string): Promise<void> {
  await page.evaluate(axeSource);
  const results = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  )) as AxeResults;
  const found = results.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`,
  );
  expect(found, where).toEqual([]);
}

/** Looks at a page in both colours and on a phone: axe everywhere, pictures where they are wanted. */
async function look(page: Page, name: string): Promise<void> {
  const views = [
    ['light', DESKTOP],
    ['dark', DESKTOP],
    ['phone', PHONE],
  ] as const;
  for (const [view, size] of views) {
    await page.emulateMedia({ colorScheme: view === 'dark' ? 'dark' : 'light', reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    await page.waitForTimeout(150);
    await axe(page, `${name}, ${view}`);
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
      `${name} is not too wide, ${view}`,
    ).toBe(true);
    if (shots !== null) {
      mkdirSync(shots, { recursive: true });
      writeFileSync(path.join(shots, `${name}-${view}.png`), paletted(await page.screenshot()));
    }
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
}

const go = (page: Page, to: string): Promise<void> => page.locator(`.sidebar a[href="${to}"]`).click();
const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true });
const search = async (page: Page, text: string): Promise<void> => page.locator('#search').fill(text);
const headings = (page: Page): Promise<string[]> => page.locator('.entry-heading').allTextContents();

describe.skipIf(!needs('chromium') || !needs('corpora:memories'))('a first day with the vault', () => {
  const data = mkdtempSync(path.join(tmpdir(), 'strongroom-console-'));
  let running: RunningConsole;
  let browser: Browser;
  let context: BrowserContext;
  let complaints: Complaints;
  let page: Page;
  /** Messages that a step provokes on purpose: Chromium writes every refused request to its console. */
  let expected: RegExp[] = [];

  beforeAll(async () => {
    running = await runConsole(data);
    browser = await launch();
    context = await browser.newContext({
      viewport: DESKTOP,
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(20_000);
    complaints = watch(context, running.origin, () => expected);
    page = await context.newPage();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await running?.stop();
    rmSync(data, { recursive: true, force: true });
  });

  afterEach(async ({ task }) => {
    // What somebody would have seen, for whoever looks for the reason.
    if (task.result?.state !== 'fail') return;
    await page.screenshot({ path: path.join(tmpdir(), 'strongroom-story-failed.png') }).catch(() => undefined);
    figure(`complaints so far: ${complaints.list.join('\n') || 'none'}`);
  });

  const unlockPage = async (which: Page): Promise<void> => {
    await fill(which, 'Password', PASSWORD);
    await which.getByRole('button', { name: 'Unlock', exact: true }).click();
    await which.locator('#search').waitFor();
  };

  it('loads little script before signing in', () => {
    const html = readFileSync(path.join(consoleFolder, 'index.html'), 'utf8');
    const files = JSON.parse(readFileSync(path.join(consoleFolder, 'files.json'), 'utf8')) as string[];
    const first = [...html.matchAll(/assets\/([^"]+\.js)/g)].map((match) => match[1]!);
    const worker = files.filter((name) => /^worker-.*\.js$/.test(name));
    expect(worker).toHaveLength(1);
    const size = (name: string): number =>
      gzipSync(readFileSync(path.join(consoleFolder, 'assets', name)), { level: 9 }).length;
    const total = [...new Set(first), ...worker].reduce((sum, name) => sum + size(name), 0);
    figure(
      `script before sign-in: ${(total / 1000).toFixed(0)} kB gzip, of it the worker ${(size(worker[0]!) / 1000).toFixed(0)} kB`,
    );
    expect(total).toBeLessThan(SCRIPT_BUDGET);
  });

  it('says what is missing without the link, and what is wrong with an old one', async () => {
    await page.goto(`${running.origin}/set-up`);
    await page.getByText('needs the whole set-up link').waitFor();
    await axe(page, 'set-up without a link');
    expected = [/403/];
    await page.goto(`${running.origin}/set-up#${'A'.repeat(43)}`);
    await page.reload();
    await page.goto('about:blank');
    await page.goto(`${running.origin}/set-up#${'A'.repeat(43)}`);
    await fill(page, 'Your name', 'Ada');
    await fill(page, 'E-mail address', 'ada@example.com');
    await fill(page, 'Password', 'short');
    await page.getByRole('button', { name: 'Create vault' }).click();
    await page.getByRole('alert').getByText('at least 15').waitFor();
    await fill(page, 'Password', PASSWORD);
    await page.getByRole('button', { name: 'Create vault' }).click();
    await page.getByText('This link is not valid any more').waitFor();
    expected = [];
  });

  it('is set up with the printed link, and the recovery code is put away', async () => {
    await page.goto('about:blank');
    await page.goto(running.setUpLink);
    await heading(page, 'Set up your vault').waitFor();
    expect(page.url(), 'the token leaves the address').toBe(`${running.origin}/set-up`);
    await look(page, 'set-up');
    await fill(page, 'Your name', 'Ada Marlow');
    await fill(page, 'E-mail address', 'ada@example.com');
    await fill(page, 'Password', PASSWORD);
    await page.getByRole('button', { name: 'Create vault' }).click();
    await heading(page, 'Your recovery kit').waitFor();
    await look(page, 'recovery-kit');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as a file' }).click(),
    ]);
    const kit = readFileSync(await download.path(), 'utf8');
    const code = (await page.locator('.kit-code span').allTextContents()).join('-');
    expect(kit).toContain(code);
    expect(code).toMatch(/^(?:[0-9A-Z]{4}-){8}[0-9A-Z]{4}$/);
    await page.getByLabel('I have printed or saved the code').check();
    await page.getByRole('button', { name: 'Open my vault' }).click();
    await page.getByText('Nothing is kept here yet').waitFor();
    await look(page, 'empty');
  });

  it('imports the three samples and a hostile file, with a preview', async () => {
    await go(page, '/import');
    await page.getByText('or drop them here').waitFor();
    await look(page, 'import');
    const hostile = { name: HOSTILE_NAME, mimeType: 'text/markdown', buffer: Buffer.from(HOSTILE_TEXT) };
    const broken = { name: 'broken.jsonl', mimeType: 'text/plain', buffer: Buffer.from('{"type":') };
    await page.getByTestId('import-files').setInputFiles([broken, hostile, ...(await samples())]);
    await heading(page, 'What was found').waitFor();
    expect(await page.locator('.file-name').allTextContents()).toContain(HOSTILE_NAME);
    await page.getByText('This file cannot be imported. (Line 1 is not JSON.)').waitFor();
    await look(page, 'import-preview');
    await page.getByRole('button', { name: 'Import 351 memories' }).click();
    await page.getByText('Import finished').waitFor();
    await look(page, 'import-result');
    await page.getByRole('link', { name: 'Look at them' }).click();
    await page.getByText('351 memories').waitFor();
  });

  it.each([
    ['en', 'who has coeliac disease', 'Tobias_Renshaw'],
    ['de', 'steuererklarung', 'Steuererklärung vorbereiten'],
    ['fr', 'numero du pediatre', 'Numéros utiles'],
    ['es', 'la tarjeta esta caducada', 'Tarjeta caducada'],
    ['ja', '緊急連絡先', '緊急連絡先'],
  ])('finds in five languages: %s', async (_language, query, title) => {
    await search(page, query);
    await expect.poll(async () => (await headings(page)).slice(0, 3)).toContain(title);
  });

  it('says so when nothing matches', async () => {
    await search(page, 'zzzqqqxxx');
    await page.getByText('Nothing matches “zzzqqqxxx”').waitFor();
    await look(page, 'search-nothing');
  });

  it('shows hostile text as text', async () => {
    await search(page, 'onerror');
    await page.locator('.entry').first().click();
    const text = await page.locator('.memory-text').textContent();
    expect(text).toBe(HOSTILE_TEXT);
    expect(
      await page.locator('.memory-text a').evaluateAll((links) => links.map((link) => link.getAttribute('href'))),
    ).toEqual(['https://example.com/fine']);
    expect(await page.locator('.memory-text a').getAttribute('rel')).toContain('noopener');
    expect(await page.locator('.memory img, .memory script, .entry img').count()).toBe(0);
    await look(page, 'hostile-text');
  });

  it('writes by keyboard alone, finds it, edits it', async () => {
    await page.keyboard.press('Escape');
    await search(page, '');
    await page.locator('.list-title').click();
    await page.keyboard.press('n');
    await page.getByRole('textbox', { name: 'Text' }).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
    await page.keyboard.type(`The spare key hangs behind the blue boat, next to the ${CANARY}.`);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.type('Spare key');
    await page.keyboard.press('Control+Enter');
    await heading(page, 'Spare key').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('blue boat');
    await expect.poll(async () => (await headings(page))[0]).toBe('Spare key');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.evaluate(() => document.activeElement?.className ?? '')).toContain('entry');
    await page.keyboard.press('Enter');
    await heading(page, 'Spare key').waitFor();
    await page.keyboard.press('e');
    await page.getByRole('textbox', { name: 'Text' }).waitFor();
    await look(page, 'editor');
    await page.getByRole('textbox', { name: 'Text' }).focus();
    await page.keyboard.press('Control+End');
    await page.keyboard.type(' Since May it hangs in the boathouse.');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Version 2').waitFor();
    await look(page, 'memory');
  });

  it('shows the history and goes back in it', async () => {
    await page.getByRole('link', { name: 'History' }).click();
    await page.locator('.history ins').waitFor();
    await look(page, 'history');
    await page.getByRole('button', { name: /^Version 1/ }).click();
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await page.getByText('Version 3').waitFor();
    expect(await page.locator('.memory-text').textContent()).not.toContain('boathouse');
  });

  it('shows both when two tabs write at once, and loses neither', async () => {
    await page.keyboard.press('e');
    await page.getByRole('textbox', { name: 'Text' }).waitFor();
    const other = await context.newPage();
    await other.goto(page.url().replace('/edit', ''));
    await unlockPage(other);
    await heading(other, 'Spare key').waitFor();
    await other.keyboard.press('e');
    await other.getByRole('textbox', { name: 'Text' }).fill('The spare key lies under the third stone.');
    await other.keyboard.press('Control+Enter');
    await other.getByText('Version 4').waitFor();
    expected = [/409/];
    await page.getByRole('textbox', { name: 'Text' }).fill('The spare key hangs behind the red boat.');
    await page.keyboard.press('Control+Enter');
    await heading(page, 'Changed in two places').waitFor();
    await page.getByText('third stone').waitFor();
    await look(page, 'conflict');
    await page.getByRole('button', { name: 'Save mine' }).click();
    await page.getByText('Version 5').waitFor();
    expected = [];
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByRole('button', { name: /^Version 4/ }).click();
    await page.locator('.history-version').getByText('third stone').first().waitFor();
    await other.close();
    await page.goBack();
  });

  it('deletes with a way back, also from another page', async () => {
    await search(page, 'spare key');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.locator('.toast', { hasText: 'Deleted: Spare key' }).waitFor();
    await expect.poll(() => headings(page)).not.toContain('Spare key');
    await look(page, 'deleted');
    await go(page, '/account');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.locator('.toast', { hasText: 'The memory is back.' }).waitFor();
    await page.locator('.sidebar-spaces a').first().click();
    await search(page, 'spare key');
    await expect.poll(() => headings(page)).toContain('Spare key');
  });

  it('keeps what is written when the server is gone, and saves it when it is back', async () => {
    await search(page, 'boat');
    await page.locator('.sidebar-write').click();
    await page.getByRole('textbox', { name: 'Text' }).fill('Written while the server was away.');
    expected = [/ERR_INTERNET_DISCONNECTED|ERR_FAILED/];
    await context.setOffline(true);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Not saved. What you wrote is still here.').waitFor();
    await page.getByText('The server cannot be reached. You can go on reading').waitFor();
    await look(page, 'offline');
    await search(page, 'coeliac');
    await expect.poll(async () => (await headings(page))[0]).toBe('Tobias_Renshaw');
    await context.setOffline(false);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Written while the server was away.').first().waitFor();
    await expect.poll(() => page.locator('.strip-warning').count()).toBe(0);
    expected = [];
  });

  it('locks, keeps nothing readable, deletes what was waiting, and opens again', async () => {
    await search(page, 'written while the server');
    await page.locator('.entry').first().click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.locator('.toast', { hasText: 'Deleted:' }).waitFor();
    await page.locator('.sidebar-write').click();
    await page.getByRole('textbox', { name: 'Text' }).fill('A draft that survives the lock.');
    await page.keyboard.press('Control+Shift+L');
    await heading(page, 'Locked').waitFor();
    expect(await page.evaluate(() => document.body.innerText)).not.toContain('Spare key');
    await look(page, 'locked');
    await fill(page, 'Password', 'not the right password at all');
    await page.keyboard.press('Enter');
    await page.getByText('That password does not open this vault.').waitFor();
    await fill(page, 'Password', PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Text' }).waitFor();
    expect(await page.getByRole('textbox', { name: 'Text' }).inputValue()).toBe('A draft that survives the lock.');
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByText('352 memories').waitFor();
  });

  it('asks for changes only on the second visit, from a copy that nobody can read', async () => {
    const asked: string[] = [];
    context.on('request', (request) => asked.push(request.url()));
    await page.reload();
    await unlockPage(page);
    await page.getByText('352 memories').waitFor();
    const changes = asked.filter((url) => url.includes('/changes'));
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.every((url) => Number(new URL(url).searchParams.get('after')) > 300)).toBe(true);
    const kept = await page.evaluate(async () => {
      const found: string[] = [
        JSON.stringify(Object.entries(localStorage)),
        JSON.stringify(Object.entries(sessionStorage)),
        document.cookie,
      ];
      for (const { name } of await indexedDB.databases()) {
        const database = await new Promise<IDBDatabase>((resolve, reject) => {
          const request = indexedDB.open(name!);
          request.addEventListener('success', () => resolve(request.result));
          request.addEventListener('error', () => reject(new Error('closed')));
        });
        for (const store of database.objectStoreNames) {
          const all = await new Promise((resolve) => {
            const request = database.transaction(store).objectStore(store).getAll();
            request.addEventListener('success', () => resolve(request.result));
          });
          found.push(JSON.stringify(all));
        }
        database.close();
      }
      return found.join('\n');
    });
    expect(kept.length, 'the sealed copy is there').toBeGreaterThan(100_000);
    for (const secret of [CANARY, 'spare key', 'Renshaw', 'coeliac', PASSWORD, 'ada@example.com'])
      expect(kept).not.toContain(secret);
  });

  it('makes a second space and keeps it apart', async () => {
    await go(page, '/spaces');
    await page.getByRole('heading', { name: 'Spaces', exact: true, level: 1 }).waitFor();
    await look(page, 'spaces');
    await page.getByRole('button', { name: 'New space' }).click();
    await axe(page, 'new space');
    await fill(page, 'Name of the space', 'Sailing <b>club</b>');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing is kept here yet').waitFor();
    expect(await page.locator('.list-title').textContent()).toBe('Sailing <b>club</b>');
    await search(page, 'spare key');
    await page.getByText('Nothing matches').waitFor();
    await search(page, '');
  });

  it('checks the audit log on the device, and again from what it remembers', async () => {
    await go(page, '/audit');
    await page.getByText('A space was created').first().waitFor();
    await page.getByRole('button', { name: 'Check the log now' }).click();
    await page.getByText('The log is whole').waitFor();
    await look(page, 'audit');
    await page.getByRole('button', { name: 'Check the log now' }).click();
    await page.getByText('It continues exactly what this device saw before').waitFor();
    await page.locator('.event summary').first().click();
    await axe(page, 'audit details');
  });

  it('exports readable files in both formats', async () => {
    await go(page, '/export');
    await heading(page, 'Export').waitFor();
    await look(page, 'export');
    await page.getByLabel('Space').selectOption('Personal');
    const [lines] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export', exact: true }).click(),
    ]);
    const exported = readFileSync(await lines.path(), 'utf8')
      .trimEnd()
      .split('\n');
    expect(exported).toHaveLength(352);
    expect(exported.some((line) => (JSON.parse(line) as { text: string }).text === HOSTILE_TEXT)).toBe(true);
    await page.getByLabel('Markdown').check();
    const [archive] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export', exact: true }).click(),
    ]);
    expect(archive.suggestedFilename()).toMatch(/^strongroom-\d{4}-\d\d-\d\d\.zip$/);
    expect(
      readFileSync(await archive.path())
        .subarray(0, 2)
        .toString(),
    ).toBe('PK');
  });

  it('lists sessions and ends another one', async () => {
    const second = await browser.newContext();
    const elsewhere = await second.newPage();
    await elsewhere.goto(running.origin);
    await heading(elsewhere, 'Sign in').waitFor();
    await look(elsewhere, 'sign-in');
    await fill(elsewhere, 'E-mail address', 'ada@example.com');
    await fill(elsewhere, 'Password', PASSWORD);
    await elsewhere.keyboard.press('Enter');
    await elsewhere.locator('#search').waitFor();
    await go(page, '/sessions');
    await expect.poll(() => page.locator('.card-row').count()).toBe(2);
    await look(page, 'sessions');
    await page.locator('.card-row').filter({ hasNotText: 'This one' }).getByRole('button', { name: /^End/ }).click();
    await axe(page, 'end a session');
    await page.getByRole('alertdialog').getByRole('button', { name: 'End', exact: true }).click();
    await expect.poll(() => page.locator('.card-row').count()).toBe(1);
    await go(elsewhere, '/audit');
    await elsewhere.getByText('Your session has ended').waitFor();
    await second.close();
  });

  it('finds commands, spaces and memories from everywhere', async () => {
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Commands' }).waitFor();
    await look(page, 'commands');
    await page.keyboard.type('audit');
    await page.keyboard.press('Enter');
    await heading(page, 'Audit log').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Keyboard shortcuts').waitFor();
    await axe(page, 'shortcuts');
    await page.keyboard.press('Escape');
  });

  it('speaks German and keeps the choice', async () => {
    await go(page, '/account');
    await heading(page, 'Account').waitFor();
    await look(page, 'account');
    await page.getByLabel('Language').selectOption('Deutsch');
    await heading(page, 'Konto').waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('de');
    await look(page, 'account-german');
    await page.getByLabel('Sprache').selectOption('English');
  });

  it('says where nothing is', async () => {
    // Inside the client; the server answers an unknown address itself.
    await page.evaluate(() => {
      history.pushState({}, '', '/nowhere');
      window.dispatchEvent(new PopStateEvent('popstate'));
    });
    await heading(page, 'There is nothing at this address').waitFor();
    await axe(page, 'not found');
    await page.getByRole('link', { name: 'To your memories' }).click();
    await page.locator('#search').waitFor();
  });

  it('works without room for the sealed copy, and says so', async () => {
    const small = await browser.newContext({ locale: 'en-GB' });
    const poor = await small.newPage();
    const devtools = await small.newCDPSession(poor);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: running.origin, quotaSize: 1 });
    await poor.goto(running.origin);
    await fill(poor, 'E-mail address', 'ada@example.com');
    await fill(poor, 'Password', PASSWORD);
    await poor.keyboard.press('Enter');
    await poor.getByText('This browser keeps no sealed copy').waitFor();
    await poor.getByText('352 memories').waitFor();
    await small.close();
  });

  it('signs out and leaves nothing but preferences', async () => {
    await go(page, '/account');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    const left = await page.evaluate(async () => ({
      databases: (await indexedDB.databases()).map(({ name }) => name),
      local: Object.keys(localStorage),
    }));
    expect(left).toEqual({ databases: ['strongroom.device'], local: ['strongroom.preferences'] });
  });

  it('never complained, never asked another origin, never ran what somebody wrote', () => {
    expect(complaints.list).toEqual([]);
  });
});
