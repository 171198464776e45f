/** Writing, in a real browser against the real service: edit, undo, two tabs, no server, lock and the second visit. */
import { needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { fill } from './console.test-support.ts';
import {
  ADA,
  go,
  heading,
  headings,
  itNeverComplained,
  keptByBrowser,
  look,
  search,
  tell,
  unlock,
  eventually,
} from './story.test-support.ts';

/** Words of the memory that is written here and nowhere else. */
const CANARY = 'umbrella with the parrot handle';

describe.skipIf(!needs('chromium') || !needs('corpora:memories'))('writing in the vault', () => {
  const story = tell({ from: 'samples' });

  it('writes by keyboard alone, finds it, edits it', async () => {
    const { page } = story;
    await page.keyboard.press('Escape');
    await search(page, '');
    await page.locator('.list-title').click();
    await page.keyboard.press('n');
    await page.getByRole('textbox', { name: 'Text' }).waitFor();
    await eventually(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
    await page.keyboard.type(`The spare key hangs behind the blue boat, next to the ${CANARY}.`);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.type('Spare key');
    await page.keyboard.press('Control+Enter');
    await heading(page, 'Spare key').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('blue boat');
    await eventually(async () => (await headings(page))[0]).toBe('Spare key');
    await page.keyboard.press('ArrowDown');
    await eventually(() => page.evaluate(() => document.activeElement?.className ?? '')).toContain('entry');
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
    const { page } = story;
    await page.getByRole('link', { name: 'History' }).click();
    await page.locator('.history ins').waitFor();
    await look(page, 'history');
    await page.getByRole('button', { name: /^Version 1/ }).click();
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await page.getByText('Version 3').waitFor();
    expect(await page.locator('.memory-text').textContent()).not.toContain('boathouse');
  });

  it('shows both when two tabs write at once, and loses neither', async () => {
    const { page } = story;
    await page.keyboard.press('e');
    await page.getByRole('textbox', { name: 'Text' }).waitFor();
    const other = await story.context.newPage();
    await other.goto(page.url().replace('/edit', ''));
    await unlock(other);
    // The kept copy comes first, and may be older than what the server has.
    await other.getByText('Version 3').waitFor();
    await other.keyboard.press('e');
    await other.getByRole('textbox', { name: 'Text' }).fill('The spare key lies under the third stone.');
    await other.keyboard.press('Control+Enter');
    await other.getByText('Version 4').waitFor();
    story.expected = [/409/];
    await page.getByRole('textbox', { name: 'Text' }).fill('The spare key hangs behind the red boat.');
    await page.keyboard.press('Control+Enter');
    await heading(page, 'Changed in two places').waitFor();
    await page.getByText('third stone').waitFor();
    await look(page, 'conflict');
    await page.getByRole('button', { name: 'Save mine' }).click();
    await page.getByText('Version 5').waitFor();
    story.expected = [];
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByRole('button', { name: /^Version 4/ }).click();
    await page.locator('.history-version').getByText('third stone').first().waitFor();
    await other.close();
    await page.goBack();
  });

  it('deletes with a way back, also from another page', async () => {
    const { page } = story;
    await search(page, 'spare key');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.locator('.toast', { hasText: 'Deleted: Spare key' }).waitFor();
    await eventually(() => headings(page)).not.toContain('Spare key');
    await go(page, '/account');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.locator('.toast', { hasText: 'The memory is back.' }).waitFor();
    await page.locator('.sidebar-spaces a').first().click();
    await search(page, 'spare key');
    await eventually(() => headings(page)).toContain('Spare key');
  });

  it('deletes for good when nobody takes it back', async () => {
    const { page } = story;
    await page.locator('.sidebar-write').click();
    await page.getByRole('textbox', { name: 'Text' }).fill('Boat varnish, to be bought.');
    await page.keyboard.press('Control+Enter');
    await page.locator('.memory-text', { hasText: 'Boat varnish' }).waitFor();
    const path = `/v1${new URL(page.url()).pathname}`;
    await search(page, 'boat');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.locator('.toast', { hasText: 'Deleted: Boat varnish' }).waitFor();
    await eventually(() => headings(page)).not.toContain('Boat varnish, to be bought.');
    await look(page, 'deleted');
    // Here, and for the server: the note that offered a way back is gone by then.
    await page.locator('.toast', { hasText: 'Deleted: Boat varnish' }).waitFor({ state: 'detached' });
    const asked = (): Promise<number> => page.evaluate(async (path) => (await fetch(path)).status, path);
    await story.expecting([/404|410/], () => eventually(asked).toBeGreaterThanOrEqual(404));
  });

  it('keeps what is written when the server is gone, and saves it when it is back', async () => {
    const { page } = story;
    await search(page, 'boat');
    await page.locator('.sidebar-write').click();
    await page.getByRole('textbox', { name: 'Text' }).fill('Written while the server was away.');
    story.expected = [/ERR_INTERNET_DISCONNECTED|ERR_FAILED/];
    await story.context.setOffline(true);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Not saved. What you wrote is still here.').waitFor();
    await page.getByText('The server cannot be reached. You can go on reading').waitFor();
    await look(page, 'offline');
    await search(page, 'coeliac');
    await eventually(async () => (await headings(page))[0]).toBe('Tobias_Renshaw');
    await story.context.setOffline(false);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Written while the server was away.').first().waitFor();
    await eventually(() => page.locator('.strip-warning').count()).toBe(0);
    story.expected = [];
  });

  it('locks, keeps nothing readable, deletes what was waiting, and opens again', async () => {
    const { page } = story;
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
    await fill(page, 'Password', ADA.password);
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Text' }).waitFor();
    expect(await page.getByRole('textbox', { name: 'Text' }).inputValue()).toBe('A draft that survives the lock.');
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByText('352 memories').waitFor();
  });

  it('asks for changes only on the second visit, from a copy that nobody can read', async () => {
    const { page } = story;
    const asked: string[] = [];
    story.context.on('request', (request) => asked.push(request.url()));
    await page.reload();
    await unlock(page);
    await page.getByText('352 memories').waitFor();
    const changesOf = () => asked.filter((url) => url.includes('/changes'));
    // What the device keeps comes first; the server is asked afterwards.
    await eventually(() => changesOf().length).toBeGreaterThan(0);
    const changes = changesOf();
    expect(changes.every((url) => Number(new URL(url).searchParams.get('after')) > 300)).toBe(true);
    const kept = await keptByBrowser(page);
    expect(kept.length, 'the sealed copy is there').toBeGreaterThan(100_000);
    for (const secret of [CANARY, 'spare key', 'Renshaw', 'coeliac', ADA.password, ADA.email])
      expect(kept).not.toContain(secret);
  });

  itNeverComplained(story);
});
