/** One's own vault without a mouse: from the set-up link to signing out. Writing, editing and finding are in console.writing.slow.test.ts. */
import { readFileSync } from 'node:fs';
import { figure, needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { button, command, press, tabTo, toast } from './keyboard.test-support.ts';
import { samples } from './console.test-support.ts';
import { ADA, EYES, heading, headings, itNeverComplained, tell, eventually, title } from './story.test-support.ts';

const COUNT = 350;

describe.skipIf(!needs('chromium'))("one's own vault by keyboard alone", () => {
  const story = tell({ from: 'new' });
  let done = 0;

  it('is set up, and the recovery kit is saved', async () => {
    const { page } = story;
    await page.goto(story.running.setUpLink);
    await heading(page, 'Set up your vault').waitFor();
    await tabTo(page, page.getByLabel('Your name'));
    await page.keyboard.type(ADA.displayName);
    await page.keyboard.press('Tab');
    await page.keyboard.type(ADA.email);
    await page.keyboard.press('Tab');
    await page.keyboard.type(ADA.password);
    await page.keyboard.press('Enter');
    await heading(page, 'Your recovery kit').waitFor();
    const [kit] = await Promise.all([page.waitForEvent('download'), press(page, button(page, 'Save as a file'))]);
    const code = (await page.locator('.kit-code span').allTextContents()).join('-');
    expect(readFileSync(await kit.path(), 'utf8')).toContain(code);
    await press(page, page.getByLabel('I have printed or saved the code'), 'Space');
    await press(page, button(page, 'Open my vault'));
    await page.getByText('Nothing is kept here yet').waitFor();
    done += 2;
  });

  it('is filled from files', async () => {
    const { page } = story;
    await command(page, 'Import', heading(page, 'Import'));
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), press(page, button(page, 'Choose files'))]);
    await chooser.setFiles(await samples());
    await heading(page, 'What was found').waitFor();
    await press(page, button(page, `Import ${COUNT} memories`));
    await page.getByText('Import finished').waitFor();
    await press(page, page.getByRole('link', { name: 'Look at them' }));
    await page.getByText(`${COUNT} memories`).waitFor();
    done += 1;
  });

  it('goes back to an earlier version', async () => {
    const { page } = story;
    await page.keyboard.press('n');
    await page.getByRole('textbox', { name: 'Text' }).waitFor();
    await tabTo(page, page.getByRole('textbox', { name: 'Text' }));
    await page.keyboard.type('The ladder is in the barn.');
    await page.keyboard.press('Control+Enter');
    await page.locator('.memory-text', { hasText: 'barn' }).waitFor();
    await page.keyboard.press('e');
    await tabTo(page, page.getByRole('textbox', { name: 'Text' }));
    await page.keyboard.press('Control+End');
    await page.keyboard.type(' Or was it the attic?');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Version 2').waitFor();
    await press(page, page.getByRole('link', { name: 'History' }));
    await press(page, page.getByRole('button', { name: /^Version 1/ }));
    await press(page, button(page, 'Restore this version'));
    await page.getByText('Version 3').waitFor();
    expect(await page.locator('.memory-text').textContent()).not.toContain('attic');
    done += 1;
  });

  it('deletes a memory and takes that back', async () => {
    const { page } = story;
    await press(page, button(page, 'Delete'));
    await toast(page, 'Deleted:').waitFor();
    await eventually(() => headings(page)).not.toContain('The ladder is in the barn.');
    // The key that leads to notices wherever the focus is (Base UI's toast region).
    await page.keyboard.press('F6');
    await press(page, button(page, 'Undo'));
    await toast(page, 'The memory is back.').waitFor();
    done += 2;
  });

  it('makes a space', async () => {
    const { page } = story;
    await command(page, 'All spaces', title(page, 'Spaces'));
    await press(page, button(page, 'New space'));
    await page.getByRole('dialog', { name: 'New space' }).waitFor();
    await page.keyboard.type('Sailing');
    await page.keyboard.press('Enter');
    await page.locator('.sidebar-spaces').getByText('Sailing').waitFor();
    done += 1;
  });

  it('exports', async () => {
    const { page } = story;
    await command(page, 'Export', heading(page, 'Export'));
    const [file] = await Promise.all([page.waitForEvent('download'), press(page, button(page, 'Export'))]);
    expect(
      readFileSync(await file.path(), 'utf8')
        .trimEnd()
        .split('\n'),
    ).toHaveLength(COUNT + 1);
    done += 1;
  });

  it('checks the audit log', async () => {
    const { page } = story;
    await command(page, 'Audit log', heading(page, 'Audit log'));
    await press(page, page.getByRole('button', { name: /^Check the log/ }));
    await heading(page, 'The log is whole').waitFor();
    done += 1;
  });

  it('ends another session', async () => {
    const { page } = story;
    const elsewhere = await story.browser.newContext(EYES);
    await story.signIn(await elsewhere.newPage());
    await command(page, 'Sessions', heading(page, 'Sessions'));
    const rows = page.locator('.card-row');
    await eventually(() => rows.count()).toBe(2);
    await press(page, rows.filter({ hasNotText: 'This one' }).getByRole('button', { name: /^End/ }));
    await press(page, page.getByRole('alertdialog').getByRole('button', { name: 'End', exact: true }));
    await eventually(() => rows.count()).toBe(1);
    await elsewhere.close();
    done += 1;
  });

  it('changes its colours, locks, opens again, and signs out', async () => {
    const { page } = story;
    await command(page, 'Dark colours', page.locator('html[data-theme="dark"]'));
    await page.keyboard.press('Control+Shift+L');
    await heading(page, 'Locked').waitFor();
    await tabTo(page, page.getByRole('textbox', { name: 'Password' }));
    await page.keyboard.type(ADA.password);
    await page.keyboard.press('Enter');
    // Where the lock had come.
    await heading(page, 'Sessions').waitFor();
    await command(page, 'Sign out', heading(page, 'Sign in'));
    done += 4;
    figure(`${done} things done with one's own vault by keyboard alone, from setting up to signing out`);
  });

  itNeverComplained(story);
});
