/** What chapters about other people share: who they are, and how each of them is met. */
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { fill } from './console.test-support.ts';
import { button } from './keyboard.test-support.ts';
import { ADA, eventually, go, heading, look } from './story.test-support.ts';

export const BEN = {
  email: 'ben@example.com',
  displayName: 'Ben Okafor',
  password: 'seven silent sailors sing',
} as const;
export const CLEO = {
  email: 'cleo@example.com',
  displayName: 'Cleo Brandt',
  password: 'every otter owns an orchard',
} as const;
type Somebody = Readonly<Record<'email' | 'displayName' | 'password', string>>;

/** Gives the password where it is asked for: it counts for some minutes, which a slow machine may take. */
export async function proving(page: Page, password: string, done: Locator): Promise<void> {
  const question = page.getByRole('dialog', { name: 'Your password, once more' });
  await question.or(done).first().waitFor();
  if (await question.isVisible()) {
    // The question has the focus in its field.
    await eventually(() => page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('password');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
  }
  await done.waitFor();
}

/** As `look`; notes of what was done before do not stand in the way. */
export async function see(page: Page, name: string): Promise<void> {
  await eventually(async () => {
    const close = page.locator('.toast-close').last();
    // One may go by itself meanwhile.
    if ((await close.count()) > 0) await close.click({ timeout: 1_000 }).catch(() => undefined);
    return page.locator('.toast').count();
  }).toBe(0);
  await look(page, name);
}

/** A window that comes to the front looks at what others did, within some seconds. */
export const comeBack = (page: Page): Promise<void> =>
  page.evaluate(() => void window.dispatchEvent(new Event('focus')));

/** The invitation, for somebody of the role, from wherever the page is. */
export async function invitationOf(page: Page, role: 'Viewer' | 'Member'): Promise<string> {
  await go(page, '/members');
  await page.getByRole('link', { name: 'Invite somebody' }).click();
  await heading(page, 'Invite somebody').waitFor();
  await page.getByRole('radio', { name: role }).check();
  await button(page, 'Make the link').click();
  await proving(page, ADA.password, heading(page, 'The invitation is ready'));
  return page.getByLabel('Invitation link').inputValue();
}

export async function join(page: Page, { displayName, email, password }: Somebody): Promise<void> {
  await fill(page, 'Your name', displayName);
  await fill(page, 'E-mail address', email);
  await fill(page, 'Password', password);
  await button(page, 'Join').click();
}

export async function putKitAway(page: Page): Promise<void> {
  await heading(page, 'Your recovery kit').waitFor();
  await page.getByLabel('I have printed or saved the code').check();
  await button(page, 'Open my vault').click();
}

/** As somebody reads them out. */
export async function ownDigits(page: Page): Promise<string[]> {
  await go(page, '/members');
  await heading(page, 'Your fingerprint').waitFor();
  const digits = page.locator('.panel', { hasText: 'Your fingerprint' }).locator('.digits-group');
  await eventually(() => digits.count()).toBe(6);
  return digits.allTextContents();
}

/** Ticks what was read out, where fingerprints are compared. */
export async function tick(page: Page, digits: readonly string[]): Promise<void> {
  for (const [index, group] of digits.entries()) await page.getByLabel(`Group ${index + 1}: ${group}`).check();
  await button(page, 'All six are the same').click();
}

export const choosePerson = async (page: Page, name: string): Promise<void> => {
  await page.getByRole('combobox', { name: /^Person/ }).selectOption(name);
};

/** Gives Ben the role in the space on the screen. */
export async function giveRole(page: Page, role: string): Promise<void> {
  await page.getByLabel(/^Role of Ben Okafor/).click();
  await page.getByRole('menuitemradio', { name: role }).click();
}

export const roleOf = (inside: Page | Locator): Promise<string> => inside.getByLabel(/^Role of Ben Okafor/).innerText();

/** From the list of spaces to its members. */
export async function membersOf(page: Page, space: string): Promise<void> {
  await page.locator('.sidebar-spaces a', { hasText: space }).click();
  await page.getByRole('link', { name: 'Members of this space' }).click();
}

/** The server shows a key for Ben that is not his, until the returned function is called. */
export async function showAnotherKey(context: BrowserContext, key: string): Promise<() => Promise<void>> {
  const pattern = '**/v1/members';
  await context.route(pattern, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as { items: { displayName: string; publicKey: string }[] };
    for (const member of body.items) if (member.displayName === BEN.displayName) member.publicKey = key;
    await route.fulfill({ response: answer, json: body });
  });
  return () => context.unroute(pattern);
}

/** A request as the page could make it, with the session that the browser holds. */
export const raw = (
  page: Page,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; text: string }> =>
  page.evaluate(
    async ([verb, address, content]) => {
      const answer = await fetch(address, {
        method: verb,
        ...(content === undefined ? {} : { body: content, headers: { 'content-type': 'application/json' } }),
      });
      return { status: answer.status, text: await answer.text() };
    },
    [method, path, body === undefined ? undefined : JSON.stringify(body)] as const,
  );

/** Ids of the spaces of which this browser keeps a sealed copy. */
export const keptSpaces = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const found: string[] = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name!);
        request.addEventListener('success', () => resolve(request.result));
        request.addEventListener('error', () => reject(new Error('closed')));
      });
      if (database.objectStoreNames.contains('spaces')) {
        const keys = await new Promise<IDBValidKey[]>((resolve) => {
          const request = database.transaction('spaces').objectStore('spaces').getAllKeys();
          request.addEventListener('success', () => resolve(request.result));
        });
        found.push(...keys.map(String));
      }
      database.close();
    }
    return found;
  });
