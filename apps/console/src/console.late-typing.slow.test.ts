/** What is typed while a save is under way: on a slow line that is a sentence, and it must not be swallowed. */
import { figure, needs } from '@strongroom/testing';
import type { BrowserContext } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { fill } from './console.test-support.ts';
import { eventually, go, heading, headings, itNeverComplained, tell, title } from './story.test-support.ts';

/** Lets no write through until `release` is called. `held` is fulfilled once there is one. */
async function holdWrites(context: BrowserContext) {
  const arrived = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  await context.route(/\/v1\/spaces\/[^/]+\/memories(\/[^/]+)?$/, async (route) => {
    if (route.request().method() !== 'GET') {
      arrived.resolve();
      await gate.promise;
    }
    await route.continue();
  });
  return { held: arrived.promise, release: () => gate.resolve() };
}

describe.skipIf(!needs('chromium'))('typing while it is being saved', () => {
  const story = tell({ from: 'account' });
  const text = () => story.page.getByRole('textbox', { name: 'Text' });

  it('keeps the rest of a new memory, as the next version to be saved', async () => {
    const { page, context } = story;
    await story.signIn();
    await page.locator('.list-title').click();
    await page.keyboard.press('n');
    await fill(page, 'Title', 'Boat');
    await text().fill('The blue boat');
    const { held, release } = await holdWrites(context);
    await page.keyboard.press('Control+Enter');
    await held;
    await text().press('Control+End');
    await page.keyboard.type(' lies at the quay.');
    release();
    await page.waitForURL(/\/memories\/[^/]+\/edit$/);
    await page.getByText('it was not saved yet').waitFor();
    await eventually(() => text().inputValue()).toBe('The blue boat lies at the quay.');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Version 2').waitFor();
    await page.locator('.memory').getByText('The blue boat lies at the quay.').waitFor();
  });

  it('keeps the rest of a change', async () => {
    const { page, context } = story;
    await page.getByRole('link', { name: 'Edit' }).click();
    await text().fill('The boat is sold.');
    const { held, release } = await holdWrites(context);
    await page.keyboard.press('Control+Enter');
    await held;
    await text().press('Control+End');
    await page.keyboard.type(' To Ines.');
    release();
    await page.getByRole('button', { name: 'Save', exact: true }).waitFor();
    await eventually(() => text().inputValue()).toBe('The boat is sold. To Ines.');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Version 4').waitFor();
    figure('typed while a save was under way: kept, in a new memory and in a change');
  });

  it('leaves alone who went elsewhere, and tells them', async () => {
    const { page, context } = story;
    await page.getByRole('link', { name: 'Edit' }).click();
    await fill(page, 'Title', 'Sold');
    const { held, release } = await holdWrites(context);
    await page.keyboard.press('Control+Enter');
    await held;
    await go(page, '/sessions');
    await title(page, 'Sessions').waitFor();
    release();
    await eventually(() => page.getByText('Saved.').count()).toBeGreaterThan(0);
    expect(new URL(page.url()).pathname).toBe('/sessions');
    await page.locator('.sidebar').getByRole('link', { name: 'Personal' }).click();
    await eventually(() => headings(page)).toEqual(['Sold']);
    await page.locator('.entry').click();
    await heading(page, 'Sold').waitFor();
    await page.getByRole('link', { name: 'Edit' }).click();
    await text().waitFor();
    expect(await page.getByText('not saved yet').count()).toBe(0);
  });

  it('says on a phone, where it is seen, that it was not saved', async () => {
    const { page, context } = story;
    await page.setViewportSize({ width: 390, height: 844 });
    await fill(page, 'Title', 'Sold, and gone');
    await context.route(/\/v1\/spaces\/[^/]+\/memories\/[^/]+$/, (route) => route.abort());
    await story.expecting([/Failed to load resource/], async () => {
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('alert').waitFor();
    });
    const bar = (await page.locator('nav.bottom').boundingBox())!;
    for (const seen of [page.getByRole('alert'), page.getByRole('button', { name: 'Save', exact: true })]) {
      const { y, height } = (await seen.boundingBox())!;
      expect(y).toBeGreaterThan(0);
      expect(y + height).toBeLessThanOrEqual(bar.y);
    }
  });

  itNeverComplained(story);
});
