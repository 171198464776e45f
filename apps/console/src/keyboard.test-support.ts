/** The ways of somebody who has no mouse. */
import type { Locator, Page } from 'playwright-core';

/** Far more than any page of this console has. */
const MOST_STEPS = 80;

/** With Tab until it has the focus; that there is a way is part of what is shown. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`No way by Tab to ${target.toString()}`);
}

export async function press(page: Page, target: Locator, key = 'Enter'): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

export const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
export const toast = (page: Page, text: string) => page.locator('.toast', { hasText: text }).first();

/** By the command palette: a few letters, then down to the command where others match too. */
export async function command(page: Page, name: string, arrived: Locator): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog', { name: 'Commands' }).waitFor();
  await page.keyboard.type(name.slice(0, -1));
  const wanted = page.getByRole('option', { name, exact: true });
  await wanted.waitFor();
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if ((await wanted.getAttribute('data-highlighted')) !== null) break;
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Enter');
  await arrived.waitFor();
}
