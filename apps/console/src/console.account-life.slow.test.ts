/** An account's whole life after its first day, in a real browser against the real service; every flow by keyboard alone. */
import { readFileSync } from 'node:fs';
import { createApi, InMemoryCache, InMemoryTrustStore, Vault } from '@strongroom/client';
import { figure, needs } from '@strongroom/testing';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { fill } from './console.test-support.ts';
import { comeBack } from './people.test-support.ts';
import {
  ADA,
  axe,
  EYES,
  go,
  heading,
  itNeverComplained,
  keptByBrowser,
  look,
  tell,
  eventually,
} from './story.test-support.ts';

const SECOND = 'the second pass phrase of ada';
const THIRD = 'the third pass phrase of ada';
const FOURTH = 'the fourth pass phrase of ada';
const WRONG = 'not the right password at all';
const BEN = { email: 'ben@example.com', displayName: 'Ben Ode', password: "ben's very own pass phrase" } as const;
const NEW_EMAIL = 'ada.marlow@example.org';
const HOUR = 3_600_000;

/** Presses Tab until the focus is on something of this name. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let press = 0; press < 60; press += 1) {
    const here = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      const label = element?.labels?.[0]?.textContent ?? element?.getAttribute('aria-label') ?? element?.textContent;
      return (label ?? '').trim();
    });
    if (typeof name === 'string' ? here === name : name.test(here)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${String(name)}.`);
}

async function typeInto(page: Page, name: string | RegExp, text: string): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press('Control+a');
  await page.keyboard.type(text);
}

/** By the command palette. */
async function command(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog', { name: 'Commands' }).waitFor();
  await page.keyboard.type(name);
  await page.locator('.palette-item[data-highlighted]', { hasText: name }).waitFor();
  await page.keyboard.press('Enter');
  await heading(page, name).waitFor();
}

/** The field has the focus. */
async function open(page: Page, password: string): Promise<void> {
  await heading(page, 'Locked').waitFor();
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
}

const alert = (page: Page, text: string) => page.getByRole('alert').filter({ hasText: text }).first().waitFor();
const note = (page: Page, text: string) => page.locator('.toast', { hasText: text }).first().waitFor();

describe.skipIf(!needs('chromium') || !needs('corpora:memories'))('the life of an account', () => {
  // A day apart from the browser's: nothing on either side may depend on the other's clock.
  const story = tell({ from: 'samples', run: { clock: { now: () => Date.now() - 26 * HOUR } } });
  let elsewhere: BrowserContext;
  let other: Page;
  let code = '';
  let certificateFile = '';
  afterAll(() => elsewhere?.close());

  const refusedSignIn = async (page: Page, email: string, password: string): Promise<void> => {
    await heading(page, 'Sign in').waitFor();
    await fill(page, 'E-mail address', email);
    await fill(page, 'Password', password);
    await page.keyboard.press('Enter');
    await alert(page, 'The e-mail address or the password is wrong.');
  };

  it('changes the password, and says what is wrong with others', async () => {
    const { page } = story;
    story.expected = [/40[13]/];
    elsewhere = await story.browser.newContext(EYES);
    other = await elsewhere.newPage();
    await story.signIn(other);
    await go(other, '/audit');
    await heading(other, 'Audit log').waitFor();
    await command(page, 'Change password');
    await look(page, 'change-password');
    await typeInto(page, 'Present password', WRONG);
    await typeInto(page, 'New password', 'too short');
    await page.keyboard.press('Enter');
    await alert(page, 'at least 15');
    await typeInto(page, 'New password', SECOND);
    await page.keyboard.press('Enter');
    await alert(page, 'That is not your present password. Nothing was changed.');
    await axe(page, 'change password, refused');
    // The focus is where the mistake is.
    expect(await page.evaluate(() => document.activeElement?.getAttribute('autocomplete'))).toBe('current-password');
    await page.keyboard.type(SECOND);
    await page.keyboard.press('Enter');
    await alert(page, 'That is your present password. Choose another one.');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    await typeInto(page, 'Present password', ADA.password);
    await page.keyboard.press('Enter');
    await note(page, 'Your password is changed. All other sessions have ended.');
    await heading(page, 'Account').waitFor();
    await look(page, 'account-life');
    expect(await page.locator('.toast').count()).toBeLessThan(2);
    // Unless it noticed by itself already.
    await comeBack(other);
    await other.getByText('Your session has ended').waitFor();
    await refusedSignIn(other, ADA.email, ADA.password);
    await fill(other, 'Password', SECOND);
    await other.keyboard.press('Enter');
    await heading(other, 'Audit log').waitFor();
    story.expected = [];
  });

  it('loses nothing when the server goes away before or in the middle of the change', async () => {
    const { page, context } = story;
    story.expected = [/ERR_FAILED/];
    await page.keyboard.press('Escape');
    await command(page, 'Change password');
    await context.route('**/v1/account/password', (route) => route.abort());
    await typeInto(page, 'Present password', SECOND);
    await typeInto(page, 'New password', THIRD);
    await page.keyboard.press('Enter');
    await alert(page, 'The server cannot be reached. Nothing was lost; try again.');
    expect(await page.getByLabel('New password', { exact: true }).inputValue()).toBe(THIRD);
    await context.unroute('**/v1/account/password');
    // This time it arrives, and the answer gets lost.
    let arrived = 0;
    await context.route('**/v1/account/password', async (route) => {
      arrived = (await route.fetch()).status();
      await route.abort();
    });
    await page.keyboard.press('Enter');
    // The note of the first change may still be there.
    await eventually(() => arrived).toBe(200);
    await heading(page, 'Account').waitFor();
    await note(page, 'Your password is changed.');
    await context.unroute('**/v1/account/password');
    await page.keyboard.press('Control+Shift+L');
    await heading(page, 'Locked').waitFor();
    await page.keyboard.type(THIRD);
    await page.keyboard.press('Enter');
    await heading(page, 'Account').waitFor();
    story.expected = [];
  });

  it('changes the e-mail address, in every tab', async () => {
    const { page, context } = story;
    story.expected = [/40[0139]/];
    const tab = await context.newPage();
    await tab.goto(`${story.running.origin}/account`);
    await open(tab, THIRD);
    await tab.locator('.facts').getByText(ADA.email).waitFor();
    await command(page, 'Change e-mail address');
    await look(page, 'change-email');
    await typeInto(page, 'New e-mail address', ADA.email);
    await page.keyboard.press('Enter');
    await alert(page, 'That is your present address.');
    await typeInto(page, 'New e-mail address', 'no address');
    await typeInto(page, 'Your password', WRONG);
    await page.keyboard.press('Enter');
    await alert(page, 'That password is wrong.');
    await page.keyboard.type(THIRD);
    await page.keyboard.press('Enter');
    await alert(page, 'That is not an e-mail address.');
    await axe(page, 'change e-mail, refused');
    await page.keyboard.press('Control+a');
    await page.keyboard.type(NEW_EMAIL);
    await page.keyboard.press('Enter');
    await note(page, `You sign in as ${NEW_EMAIL} from now on.`);
    // The key that leads to notices wherever the focus is (Base UI's toast region).
    await page.keyboard.press('F6');
    await tabTo(page, 'Change it back');
    await page.keyboard.press('Enter');
    await heading(page, 'Change e-mail address').waitFor();
    await page.locator('.facts').getByText(NEW_EMAIL).waitFor();
    await eventually(() => page.getByLabel('New e-mail address').inputValue()).toBe(ADA.email);
    // Only the password is missing, and has the focus.
    await eventually(() => page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('password');
    expect(page.url(), 'no address in an address').toBe(`${story.running.origin}/account/email`);
    await page.getByRole('link', { name: 'Back: Account' }).click();
    await heading(page, 'Account').waitFor();
    await page.locator('.facts').getByText(NEW_EMAIL).waitFor();
    await tab.locator('.facts').getByText(NEW_EMAIL).waitFor();
    await tab.close();
    story.expected = [];
  });

  it('ends all other sessions at once', async () => {
    const { page } = story;
    await elsewhere.close();
    elsewhere = await story.browser.newContext(EYES);
    other = await elsewhere.newPage();
    await story.signIn(other, THIRD, NEW_EMAIL);
    await command(page, 'Sessions');
    await page.locator('.card-row').nth(1).waitFor();
    await tabTo(page, 'End all others');
    await page.keyboard.press('Enter');
    await page.getByRole('alertdialog').waitFor();
    await axe(page, 'end all others');
    await tabTo(page, 'End all others');
    await page.keyboard.press('Enter');
    await page.locator('.toast', { hasText: /sessions? ended/ }).waitFor();
    await eventually(() => page.locator('.card-row').count()).toBe(1);
    await go(other, '/audit');
    await other.getByText('Your session has ended').waitFor();
  });

  it('recovers with the code, which is worthless afterwards, and ends every session', async () => {
    const { page } = story;
    story.expected = [/40[0139]/];
    await tabTo(other, 'Forgot your password?');
    await other.keyboard.press('Enter');
    await heading(other, 'Recover your vault').waitFor();
    await look(other, 'recover');
    await typeInto(other, 'E-mail address', 'nobody@example.org');
    await typeInto(other, 'Recovery code', story.recoveryCode.slice(0, -2));
    await other.keyboard.press('Enter');
    await alert(other, 'There is a typing error in the code');
    await typeInto(other, 'Recovery code', `${story.recoveryCode.slice(0, -1)}!`);
    await typeInto(other, 'New password', FOURTH);
    await other.keyboard.press('Enter');
    await alert(other, 'There is a typing error in the code');
    await axe(other, 'recover, refused');
    await typeInto(other, 'Recovery code', story.recoveryCode.toLowerCase().replaceAll('-', ' '));
    await other.keyboard.press('Enter');
    await alert(other, 'The e-mail address or the code is wrong');
    await typeInto(other, 'E-mail address', NEW_EMAIL);
    await other.keyboard.press('Enter');
    await heading(other, 'Your new recovery kit').waitFor();
    await look(other, 'recovery-kit-new');
    code = (await other.locator('.kit-code span').allTextContents()).join('-');
    expect(code).not.toBe(story.recoveryCode);
    await tabTo(other, 'I have printed or saved the code');
    await other.keyboard.press('Space');
    await tabTo(other, 'Open my vault');
    await other.keyboard.press('Enter');
    await other.getByText('351 memories').waitFor();
    // Where somebody was signed in before, they no longer are.
    await go(page, '/audit');
    await page.getByText('Your session has ended').waitFor();
    await refusedSignIn(page, NEW_EMAIL, THIRD);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await fill(page, 'E-mail address', NEW_EMAIL);
    await fill(page, 'Recovery code', story.recoveryCode);
    await fill(page, 'New password', SECOND);
    await page.keyboard.press('Enter');
    await alert(page, 'or the code was used already');
    await page.getByRole('link', { name: 'I remember the password' }).click();
    await fill(page, 'E-mail address', NEW_EMAIL);
    await fill(page, 'Password', FOURTH);
    await page.keyboard.press('Enter');
    await heading(page, 'Audit log').waitFor();
    story.expected = [];
  });

  it('says when the clock of the device is wrong, and works all the same', async () => {
    const late = await elsewhere.newPage();
    await late.clock.setFixedTime(Date.now() + 3 * HOUR);
    await late.goto(`${story.running.origin}/account`);
    await open(late, FOURTH);
    await late.getByText('The clock of this device is 3 hours ahead of the server’s. Nothing is lost').waitFor();
    await look(late, 'clock');
    await late.close();
    expect(await story.page.locator('.strip-warning').count()).toBe(0);
  });

  it('shows what a deletion would take, and does not let the only owner of others go', async () => {
    const { page, running } = story;
    const { ada, ben } = await withBen(running.origin);
    await command(page, 'Delete account');
    await page.getByText('You are the only owner of this vault').waitFor();
    await look(page, 'delete-account-owner');
    await ada.changeRole(ben.account!.id, 'owner');
    await go(page, '/account');
    await tabTo(page, /^Delete account/);
    await page.keyboard.press('Enter');
    await page.getByText('Type your e-mail address').waitFor();
    const outcomes = await page.locator('.departure').allTextContents();
    expect(outcomes.some((text) => /Personal.*Deleted with 351 memories/.test(text))).toBe(true);
    expect(outcomes.some((text) => /Ben Ode.*Goes on with 1 other person/.test(text))).toBe(true);
    expect(outcomes.some((text) => /Family.*nobody else owns it/.test(text))).toBe(true);
    await look(page, 'delete-account');
    await page.getByRole('button', { name: 'Delete my account for good' }).scrollIntoViewIfNeeded();
    await look(page, 'delete-account-decision');
  });

  it('says it in German as well', async () => {
    const { page } = story;
    await go(page, '/account');
    await page.getByLabel('Language').selectOption('Deutsch');
    await page.getByRole('link', { name: /^Konto löschen/ }).click();
    await page.getByText('Tippen Sie Ihre E-Mail-Adresse').waitFor();
    await look(page, 'delete-account-german');
    await go(page, '/account');
    await page.getByLabel('Sprache').selectOption('English');
    await page.getByRole('link', { name: /^Delete account/ }).click();
    await page.getByText('Type your e-mail address').waitFor();
  });

  it('deletes the account after it was typed and proved, and gives a certificate', async () => {
    const { page, context } = story;
    story.expected = [/40[0139]|ERR_FAILED/];
    const tab = await context.newPage();
    await tab.goto(`${story.running.origin}/account`);
    await open(tab, FOURTH);
    await heading(tab, 'Account').waitFor();
    await tabTo(page, /^Delete it for everybody/);
    await page.keyboard.press('Space');
    await typeInto(page, 'Type your e-mail address', 'ada');
    await page.keyboard.press('Enter');
    await alert(page, 'That is not the address of this account.');
    await typeInto(page, 'Type your e-mail address', NEW_EMAIL);
    await typeInto(page, 'Your password', WRONG);
    await page.keyboard.press('Enter');
    await alert(page, 'That password is wrong.');
    await context.route('**/v1/account/deletion', (route) => route.abort());
    await page.keyboard.type(FOURTH);
    await page.keyboard.press('Enter');
    await alert(page, 'The server went away before it answered.');
    await axe(page, 'delete account, refused');
    await context.unroute('**/v1/account/deletion');
    await page.keyboard.press('Enter');
    await heading(page, 'Your account is deleted').waitFor();
    await look(page, 'certificate');
    await tabTo(page, 'Save certificate');
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    expect(download.suggestedFilename()).toMatch(/^strongroom-certificate-of-deletion-\d{4}-\d\d-\d\d\.json$/);
    certificateFile = readFileSync(await download.path(), 'utf8');
    const certificate = JSON.parse(certificateFile) as { leafHash: string; destroyed: object };
    expect(certificate.destroyed).toMatchObject({ spaces: 2, memories: 352, spacesLeft: 1, tenant: false });
    await page.getByText(certificate.leafHash).waitFor();
    // The other tab and the browser's own memory hold nothing any more.
    await heading(tab, 'Sign in').waitFor();
    await tab.close();
    const kept = await keptByBrowser(page);
    expect(kept).not.toContain('accounts-');
    const left = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    expect(left.filter((name) => !['strongroom.device', 'strongroom.trust'].includes(name!))).toEqual([]);
    await tabTo(page, 'Close');
    await page.keyboard.press('Enter');
    await refusedSignIn(page, NEW_EMAIL, FOURTH);
    story.expected = [];
  });

  it('is proved by the log to whoever stays, and no other certificate is', async () => {
    const { page } = story;
    await fill(page, 'E-mail address', BEN.email);
    await fill(page, 'Password', BEN.password);
    await page.keyboard.press('Enter');
    await page.locator('#search').waitFor();
    await go(page, '/audit');
    const offer = (name: string, content: string) =>
      page
        .getByTestId('certificate-file')
        .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(content) });
    await offer('certificate.json', certificateFile);
    await page.getByText(/Proved: entry [\d,]+ of [\d,]+ in the log is exactly this deletion/).waitFor();
    await page.getByRole('heading', { name: 'Check a certificate of deletion' }).scrollIntoViewIfNeeded();
    await look(page, 'audit-certificate');
    await offer('forged.json', certificateFile.replace(/"leafHash": "..../, '"leafHash": "AAAA'));
    await alert(page, 'That is no certificate of deletion, or it was changed.');
    await offer('poem.json', 'Roses are red');
    await alert(page, 'That is no certificate of deletion, or it was changed.');
    figure('an account from sign-up to a certificate of its deletion, proved by the log; a forged one is refused');
  });

  itNeverComplained(story);
});

/** Ben joins, owns a space that Ada is in, and is in one of hers. Both from other devices. */
async function withBen(origin: string): Promise<{ ada: Vault; ben: Vault }> {
  const device = () =>
    new Vault({
      api: createApi({ baseUrl: origin }),
      cache: new InMemoryCache(),
      trust: new InMemoryTrustStore(),
    });
  const ada = device();
  await ada.signIn({ email: NEW_EMAIL, password: FOURTH, transport: 'bearer' });
  await ada.reauthenticate(FOURTH);
  const ben = device();
  const { code: invitation } = await ada.invite('member');
  await ben.signUp({ ...BEN, invitation, transport: 'bearer' });
  await ada.trust(ben.account!.id, await ben.fingerprint());
  const family = await ada.createSpace('Family');
  await ada.remember(family.id, { text: 'the key is with Ines' });
  await ada.shareSpace(family.id, ben.account!.id, 'member');
  const club = await ben.createSpace('Book club');
  await ben.remember(club.id, { text: 'we read on Thursdays' });
  await ben.shareSpace(club.id, ada.account!.id, 'member');
  return { ada, ben };
}
