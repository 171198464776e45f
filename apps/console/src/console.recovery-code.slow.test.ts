/** A new recovery code while the password is known, by keyboard alone, in a real browser against the real service. */
import { createApi, InMemoryCache, Vault } from '@strongroom/client';
import { figure, needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { button, command, press, tabTo } from './keyboard.test-support.ts';
import { ADA, axe, heading, itNeverComplained, look, tell } from './story.test-support.ts';

const SECOND = 'the second pass phrase of ada';
const WRONG = 'not the right password at all';

describe.skipIf(!needs('chromium'))('a new recovery code', () => {
  const story = tell({ from: 'account' });
  let code = '';
  const device = (): Vault =>
    new Vault({ api: createApi({ baseUrl: story.running.origin }), cache: new InMemoryCache() });
  const recovering = (recoveryCode: string) =>
    device().recover({ email: ADA.email, recoveryCode, newPassword: SECOND, transport: 'bearer' });

  it('is made with the password, on the page beside the password’s', async () => {
    const { page } = story;
    await story.signIn();
    await command(page, 'Account', heading(page, 'Account'));
    await press(page, page.getByRole('link', { name: /^New recovery code/ }));
    await heading(page, 'New recovery code').waitFor();
    await look(page, 'new-recovery-code');
    const password = page.getByLabel('Your password', { exact: true });
    await tabTo(page, password);
    await page.keyboard.type(WRONG);
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'That is not your password. Nothing was changed.' }).waitFor();
    await axe(page, 'new recovery code, refused');
    await page.keyboard.type(ADA.password);
    await page.keyboard.press('Enter');
    await heading(page, 'Your new recovery kit').waitFor();
    await page.getByText('The old code no longer works').waitFor();
    await axe(page, 'new recovery kit');
    await look(page, 'new-recovery-kit');
    code = (await page.locator('.kit-code span').allTextContents()).join('-');
    expect(code).not.toBe(story.recoveryCode);
  });

  it('is put away like the first one, and is not shown again', async () => {
    const { page } = story;
    expect(await button(page, 'Back to my account').isDisabled()).toBe(true);
    await tabTo(page, button(page, 'Print'));
    await tabTo(page, button(page, 'Save as a file'));
    await press(page, page.getByLabel('I have printed or saved the code'), 'Space');
    await press(page, button(page, 'Back to my account'));
    await heading(page, 'Account').waitFor();
    expect(await page.locator('.kit').count()).toBe(0);
  });

  it('is the only one that opens the vault without the password', async () => {
    const { page } = story;
    // Nothing else changed: the password opens, here and elsewhere.
    await page.keyboard.press('Control+Shift+L');
    await heading(page, 'Locked').waitFor();
    await page.keyboard.type(ADA.password);
    await page.keyboard.press('Enter');
    await heading(page, 'Account').waitFor();
    await device().signIn({ email: ADA.email, password: ADA.password, transport: 'bearer' });
    await expect(recovering(story.recoveryCode)).rejects.toMatchObject({ code: 'authentication.recovery-failed' });
    await expect(recovering(code)).resolves.toBeDefined();
    figure('a new recovery code by keyboard: the old one refused, the new one opens');
  });

  itNeverComplained(story);
});
