/** The vault's other pages, in a real browser against the real service: spaces, audit log, export, sessions, commands, languages, no room, signing out. */
import { readFileSync } from 'node:fs';
import { needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { fill } from './console.test-support.ts';
import {
  ADA,
  axe,
  focused,
  go,
  heading,
  HOSTILE_TEXT,
  itNeverComplained,
  look,
  SAMPLE_MEMORIES,
  search,
  tell,
  unlock,
  eventually,
  title,
} from './story.test-support.ts';

describe.skipIf(!needs('chromium') || !needs('corpora:memories'))('keeping a vault', () => {
  const story = tell({ from: 'samples' });

  it('makes a second space and keeps it apart', async () => {
    const { page } = story;
    await go(page, '/spaces');
    await title(page, 'Spaces').waitFor();
    await look(page, 'spaces');
    await page.getByRole('button', { name: 'New space' }).click();
    await axe(page, 'new space');
    await fill(page, 'Name of the space', 'Sailing <b>club</b>');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing is kept here yet').waitFor();
    expect(await page.locator('.list-title').textContent()).toBe('Sailing <b>club</b>');
    await search(page, 'coeliac');
    await page.getByText('Nothing matches').waitFor();
    await search(page, '');
  });

  it('checks the audit log on the device, and again from what it remembers', async () => {
    const { page } = story;
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
    const { page } = story;
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
    expect(exported).toHaveLength(SAMPLE_MEMORIES);
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
    const { page } = story;
    const second = await story.browser.newContext();
    const elsewhere = await second.newPage();
    await elsewhere.goto(story.running.origin);
    await heading(elsewhere, 'Sign in').waitFor();
    await look(elsewhere, 'sign-in');
    await fill(elsewhere, 'E-mail address', ADA.email);
    await fill(elsewhere, 'Password', ADA.password);
    await elsewhere.keyboard.press('Enter');
    await elsewhere.locator('#search').waitFor();
    await eventually(() => focused(elsewhere)).toMatch(/^H1 (?:Personal|Sailing)/);
    await go(page, '/sessions');
    await eventually(() => page.locator('.card-row').count()).toBe(2);
    await look(page, 'sessions');
    await page.locator('.card-row').filter({ hasNotText: 'This one' }).getByRole('button', { name: /^End/ }).click();
    await axe(page, 'end a session');
    await page.getByRole('alertdialog').getByRole('button', { name: 'End', exact: true }).click();
    await eventually(() => page.locator('.card-row').count()).toBe(1);
    // The button went with its card: whoever cannot see that is not left at the top of the document.
    await eventually(() => focused(page)).toBe('H1 Sessions');
    await go(elsewhere, '/audit');
    await elsewhere.getByText('Your session has ended').waitFor();
    await second.close();
  });

  it('finds commands, spaces and memories from everywhere', async () => {
    const { page } = story;
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
    const { page } = story;
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
    const { page } = story;
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
    const small = await story.browser.newContext({ locale: 'en-GB' });
    const poor = await small.newPage();
    const devtools = await small.newCDPSession(poor);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: story.running.origin, quotaSize: 1 });
    await poor.goto(story.running.origin);
    await fill(poor, 'E-mail address', ADA.email);
    await fill(poor, 'Password', ADA.password);
    await poor.keyboard.press('Enter');
    await poor.getByText('This browser keeps no sealed copy').waitFor();
    await poor.getByText(`${SAMPLE_MEMORIES} memories`).waitFor();
    await small.close();
  });

  it('says when what this browser knew of other people is damaged, and goes on', async () => {
    const { page } = story;
    await page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const opening = indexedDB.open('strongroom.trust');
          opening.addEventListener('success', () => {
            const transaction = opening.result.transaction('accounts', 'readwrite');
            const store = transaction.objectStore('accounts');
            const keys = store.getAllKeys();
            keys.addEventListener('success', () => keys.result.forEach((key) => store.put('AAAA', key)));
            transaction.addEventListener('complete', () => {
              opening.result.close();
              resolve();
            });
          });
        }),
    );
    await page.reload();
    await unlock(page);
    await page.getByText('What this browser knew of other people’s keys is damaged').waitFor();
    await axe(page, 'trust damaged');
    await page.reload();
    await unlock(page);
    await page.getByText(`${SAMPLE_MEMORIES} memories`).waitFor();
    expect(await page.locator('.strip-warning').count()).toBe(0);
  });

  it('signs out and leaves preferences, the log as it was verified, and whose key is whose, sealed', async () => {
    const { page } = story;
    await go(page, '/account');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    const left = await page.evaluate(async () => ({
      databases: (await indexedDB.databases()).map(({ name }) => name),
      local: Object.keys(localStorage),
    }));
    expect(left).toEqual({ databases: ['strongroom.device', 'strongroom.trust'], local: ['strongroom.preferences'] });
  });

  itNeverComplained(story);
});
