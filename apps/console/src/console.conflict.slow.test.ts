/** Two tabs of a browser and the command line write the same memory at once: nothing is lost, and who was slower decides what counts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createApi, InMemoryCache, Vault } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { figure, needs, temporaryFolder } from '@strongroom/testing';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine } from './processes.test-support.ts';
import { ADA, heading, itNeverComplained, search, tell, unlock, eventually } from './story.test-support.ts';

interface Listed {
  readonly id: Uuid;
  readonly space: Uuid;
  readonly version: number;
  readonly text: string;
}

describe.skipIf(!needs('chromium'))('two tabs and the command line', () => {
  const story = tell({ from: 'account' });
  const notes = path.join(temporaryFolder(), 'notes');
  let terminal: CommandLine;
  /** Looks from outside. */
  let observer: Vault;
  let memory: Listed;
  let tabs: readonly [Page, Page];

  const write = (text: string): void => writeFileSync(path.join(notes, 'plan.md'), `# The plan\n\n${text}\n`);
  const textField = (page: Page) => page.getByRole('textbox', { name: 'Text' });
  const editing = async (page: Page, text: string): Promise<void> => {
    await page.goto(`${story.running.origin}/spaces/${memory.space}/memories/${memory.id}/edit`);
    await unlock(page);
    await textField(page).fill(text);
  };
  const conflict = (page: Page) => heading(page, 'Changed in two places');
  const versions = async (): Promise<readonly string[]> => {
    await observer.sync(memory.space);
    const history = await observer.versions(memory.space, memory.id);
    expect(history.map(({ version }) => version)).toEqual(history.map((_, index) => history.length - index));
    return history.map(({ document }) => document!.text);
  };

  beforeAll(async () => {
    mkdirSync(notes);
    write('First.');
    const { origin } = story.running;
    terminal = new CommandLine({ server: origin, email: ADA.email, password: ADA.password });
    await terminal.json('login');
    expect(await terminal.json('import', notes)).toMatchObject({ created: 1 });
    [memory] = await terminal.json<[Listed]>('list');
    observer = new Vault({ api: createApi({ baseUrl: origin }), cache: new InMemoryCache() });
    await observer.signIn({ email: ADA.email, password: ADA.password, transport: 'bearer' });
    await story.signIn();
    tabs = [story.page, await story.context.newPage()];
  }, 120_000);
  afterAll(() => observer?.signOut());

  it('write at once, and every text is in the history', async () => {
    const [one, other] = tabs;
    await editing(one, 'Written in the first tab.');
    await editing(other, 'Written in the second tab.');
    write('Written by the command line.');
    story.expected = [/409/];
    const [imported] = await Promise.all([
      terminal.json('import', notes),
      ...tabs.map((tab) => tab.getByRole('button', { name: 'Save', exact: true }).click()),
    ]);
    expect(imported).toMatchObject({ updated: 1, failed: [] });
    let conflicts = 0;
    for (const tab of tabs) {
      // Each decision may be overtaken by the other tab's: then it is asked again.
      for (;;) {
        await conflict(tab).or(heading(tab, 'The plan')).first().waitFor();
        if (!(await conflict(tab).isVisible())) break;
        conflicts += 1;
        const theirs = tab.locator('.conflict-side').nth(1);
        await eventually(() => theirs.textContent()).toContain('Written');
        const which = await theirs.locator('h2').textContent();
        await tab.getByRole('button', { name: 'Save mine' }).click();
        await eventually(async () => (await theirs.locator('h2').allTextContents()).join('') !== which).toBe(true);
      }
    }
    story.expected = [];
    expect(conflicts).toBeGreaterThan(0);
    const texts = await versions();
    for (const text of [
      'First.',
      'Written in the first tab.',
      'Written in the second tab.',
      'Written by the command line.',
    ])
      expect(texts.some((version) => version.includes(text))).toBe(true);
    figure(`3 writers at once: ${texts.length} versions, none lost, ${conflicts} conflicts shown and resolved`);
  });

  it('hear of each other without a reload', async () => {
    const [one, other] = tabs;
    await other.keyboard.press('e');
    await textField(other).fill('The second tab goes on.');
    await other.keyboard.press('Control+Enter');
    await heading(other, 'The plan').waitFor();
    await eventually(() => one.locator('.memory-text').textContent()).toBe('The second tab goes on.');
    write('The command line goes on.');
    expect(await terminal.json('import', notes)).toMatchObject({ updated: 1 });
    // A window that comes to the front looks at once.
    await one.evaluate(() => window.dispatchEvent(new Event('focus')));
    await eventually(() => one.locator('.memory-text').textContent()).toContain('The command line goes on.');
    await search(one, 'command goes');
    await one.locator('.entry').first().waitFor();
  });

  it('can take the two texts together', async () => {
    const [one, other] = tabs;
    await editing(one, 'Together: mine.');
    await editing(other, 'Together: theirs.');
    await other.keyboard.press('Control+Enter');
    await heading(other, 'The plan').waitFor();
    await story.expecting([/409/], async () => {
      await one.keyboard.press('Control+Enter');
      await conflict(one).waitFor();
    });
    await one.getByRole('button', { name: 'Edit both together' }).click();
    const both = await textField(one).inputValue();
    expect(both).toContain('Together: mine.');
    expect(both).toContain('Together: theirs.');
    await textField(one).focus();
    await one.keyboard.press('Control+Enter');
    await heading(one, 'The plan').waitFor();
    expect((await versions())[0]).toBe(both);
  });

  it('lose no text that was being written when the command line deletes the memory', async () => {
    const [one] = tabs;
    await editing(one, 'Still being written.');
    await terminal.json('forget', memory.id, '--yes');
    await story.expecting([/404|409|410/], async () => {
      await one.keyboard.press('Control+Enter');
      await one.getByText('this memory was deleted elsewhere').waitFor();
    });
    await one.getByRole('button', { name: 'Keep as a new memory' }).click();
    await heading(one, 'The plan').waitFor();
    await observer.sync(memory.space);
    const left = await observer.list(memory.space);
    expect(left.map(({ document }) => document.text)).toEqual(['Still being written.']);
    expect(left[0]!.id).not.toBe(memory.id);
  });

  itNeverComplained(story);
});
