/** Finding in the audit log what matters, in a real browser against the real service. */
import { createApi, InMemoryCache, Vault } from '@strongroom/client';
import { figure, needs } from '@strongroom/testing';
import type { Page, Request } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { fill } from './console.test-support.ts';
import {
  ADA,
  axe,
  eventually,
  go,
  focused,
  heading,
  itNeverComplained,
  look,
  tell,
  type Story,
} from './story.test-support.ts';

const BEN = { email: 'ben@example.com', displayName: 'Ben Okafor', password: 'eight small boats at noon' } as const;

const newVault = ({ running }: Story) =>
  new Vault({ api: createApi({ baseUrl: running.origin }), cache: new InMemoryCache() });

const choose = (page: Page, label: string, option: string) =>
  page.getByRole('combobox', { name: label }).selectOption(option);
const events = (page: Page) => page.locator('.event-what').allTextContents();
const who = async (page: Page) => new Set(await page.locator('.event-who').allTextContents());

/** More than a page of entries holds. */
const READS = 120;

describe.skipIf(!needs('chromium'))('the audit log as people read it', () => {
  const story = tell({ from: 'account' });

  it('shows first what people did, however much was read since', async () => {
    const ada = newVault(story);
    await ada.signIn({ ...ADA, transport: 'bearer' });
    await ada.reauthenticate(ADA.password);
    const { code } = await ada.invite('member');
    const ben = newVault(story);
    await ben.signUp({ ...BEN, invitation: code, transport: 'bearer' });
    const { id } = await ben.createSpace('Sailing');
    await ben.remember(id, { text: 'The blue boat', tags: [] });
    for (let read = 0; read < READS; read += 1) await ben.api.space(id);
    const { page } = story;
    await story.signIn();
    await go(page, '/audit');
    await page.locator('.event', { hasText: 'Somebody was invited' }).waitFor();
    await eventually(() => events(page)).toContain('A memory was stored');
    const shown = await events(page);
    expect(shown.filter((event) => /read|fetched|searched|opened/.test(event))).toEqual([]);
    expect(await who(page)).toEqual(new Set(['You', BEN.displayName]));
    await page.getByText('What was only read is left out.').waitFor();
    figure(`after ${READS} reads, ${shown.length} lines show what two people did`);
    await look(page, 'audit-filter');
  });

  it('shows everything to whoever asks for it, page after page', async () => {
    const { page } = story;
    await choose(page, 'Show', 'Everything');
    await page.getByText('The newest 100 entries.').waitFor();
    await page.locator('.event', { hasText: 'A space was opened' }).waitFor();
    expect(await events(page)).not.toContain('Somebody was invited');
    const before = await page.locator('.event summary').count();
    await page.getByRole('button', { name: 'Show older entries' }).click();
    await page.locator('.event', { hasText: 'Somebody was invited' }).waitFor();
    // Reading goes on at the first of the older ones.
    await eventually(() => focused(page)).toBe(
      `SUMMARY ${await page.locator('.event summary').nth(before).textContent()}`,
    );
    expect(await page.getByText('What was only read is left out.').count()).toBe(0);
    await choose(page, 'Show', 'What was read');
    await eventually(async () => (await events(page)).some((event) => /invited|stored/.test(event))).toBe(false);
  });

  it('narrows to a person, to days, and to one object, and back', async () => {
    const { page } = story;
    await choose(page, 'Show', 'Changes and sign-ins');
    await choose(page, 'Done by', BEN.displayName);
    await eventually(() => who(page)).toEqual(new Set([BEN.displayName]));
    await page.locator('.event summary', { hasText: 'A memory was stored' }).click();
    await axe(page, 'an open entry');
    await page.getByRole('button', { name: /^Only this object.*memory / }).click();
    await eventually(() => events(page)).toEqual(['A memory was stored']);
    expect(await page.evaluate(() => document.activeElement?.id), 'the place is kept').toBe('audit-entries');
    await page.getByText(/^Only memory [0-9a-f-]{36}$/).waitFor();
    await look(page, 'audit-filter-object');
    await page.getByRole('button', { name: 'All objects' }).click();
    await eventually(async () => (await events(page)).length).toBeGreaterThan(1);
    await choose(page, 'Done by', 'Everybody');
    await page.locator('.event summary', { hasText: 'Somebody was invited' }).click();
    await page.getByRole('button', { name: /^Only this person.*You/ }).click();
    await eventually(() => who(page)).toEqual(new Set(['You']));
    expect(await page.getByRole('combobox', { name: 'Done by' }).inputValue()).toMatch(/^[0-9a-f-]{36}$/);
    await page.getByRole('button', { name: 'Reset the choice' }).click();
    await eventually(() => who(page)).toEqual(new Set(['You', BEN.displayName]));
  });

  it('says which choice hides everything, and leads out of it', async () => {
    const { page } = story;
    await choose(page, 'Show', 'Refused and failed');
    await choose(page, 'Done by', BEN.displayName);
    const tomorrow = new Date(Date.now() + 24 * 3_600_000).toISOString().slice(0, 10);
    await page.getByLabel('From').fill(tomorrow);
    await heading(page, 'Nothing to show').waitFor();
    await page.getByText(/fits this choice: Refused and failed, Ben Okafor, since \d+ \w+ \d{4}\.$/).waitFor();
    await page.getByLabel('Until').fill('2026-01-01');
    await page.getByText('This is before the first day.').waitFor();
    await look(page, 'audit-filter-nothing');
    await page.getByRole('button', { name: 'Show everything' }).click();
    await page.locator('.event', { hasText: 'A space was opened' }).waitFor();
    expect(await page.getByLabel('From').inputValue()).toBe('');
  });

  it('is chosen by keyboard alone, and asks the server for what was chosen only', async () => {
    const { page } = story;
    const asked: string[] = [];
    const see = (request: Request): void => {
      if (request.url().includes('/v1/audit/events?')) asked.push(new URL(request.url()).search);
    };
    story.context.on('request', see);
    await page.getByRole('combobox', { name: 'Show' }).focus();
    await page.keyboard.type('Sign');
    await eventually(() => asked).toEqual(['?class=sign-in%2Csecurity%2Cpermission&limit=100']);
    await eventually(async () => (await events(page)).includes('A memory was stored')).toBe(false);
    await page.keyboard.press('Tab');
    await page.keyboard.type(BEN.displayName);
    await eventually(() => who(page)).toEqual(new Set([BEN.displayName]));
    story.context.off('request', see);
  });

  it('speaks German', async () => {
    const { page } = story;
    await go(page, '/account');
    await page.getByLabel('Language').selectOption('Deutsch');
    await heading(page, 'Konto').waitFor();
    await go(page, '/audit');
    await page.locator('.event', { hasText: 'Jemand wurde eingeladen' }).waitFor();
    await choose(page, 'Zeigen', 'Abgelehntes und Fehlgeschlagenes');
    await heading(page, 'Nichts zu zeigen').waitFor();
    await page.getByText('Nichts im Protokoll passt zu dieser Auswahl: Abgelehntes und Fehlgeschlagenes.').waitFor();
    await look(page, 'audit-filter-german');
    // The smallest width that pages must bear (WCAG 2.2, 1.4.10), and the longest heading.
    await page.setViewportSize({ width: 320, height: 640 });
    await page.goto(`${story.running.origin}/account/recovery-code`);
    await fill(page, 'Passwort', ADA.password);
    await page.keyboard.press('Enter');
    await heading(page, 'Neuer Wiederherstellungscode').waitFor();
    const frame = page.locator('.content-main');
    await eventually(() => frame.evaluate((main) => main.scrollWidth - main.clientWidth)).toBe(0);
  });

  itNeverComplained(story);
});
