/** The same people without a mouse: everything about members and sharing by keyboard alone. */
import { figure, needs } from '@strongroom/testing';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { button, command, press, tabTo, toast } from './keyboard.test-support.ts';
import { BEN, comeBack, proving } from './people.test-support.ts';
import { ADA, heading, itNeverComplained, tell, eventually, title } from './story.test-support.ts';

describe.skipIf(!needs('chromium'))('other people by keyboard alone', () => {
  const story = tell({ from: 'account' });
  let ada: Page;
  let ben: Page;
  let link = '';

  it('invites', async () => {
    ada = story.page;
    await story.signIn();
    await command(ada, 'Invite somebody', heading(ada, 'Invite somebody'));
    await tabTo(ada, ada.getByRole('radio', { name: 'Member' }));
    await ada.keyboard.press('ArrowUp');
    expect(await ada.getByRole('radio', { name: 'Viewer' }).isChecked()).toBe(true);
    await ada.keyboard.press('ArrowDown');
    await press(ada, button(ada, 'Make the link'));
    await proving(ada, ADA.password, heading(ada, 'The invitation is ready'));
    link = await ada.getByLabel('Invitation link').inputValue();
    await tabTo(ada, button(ada, 'Copy link'));
  });

  it('withdraws an invitation', async () => {
    await press(ada, button(ada, 'Invite somebody else'));
    await press(ada, button(ada, 'Make the link'));
    await proving(ada, ADA.password, heading(ada, 'The invitation is ready'));
    await press(ada, ada.getByRole('link', { name: 'To the members' }));
    await heading(ada, 'Open invitations').waitFor();
    const withdraw = ada.getByRole('button', { name: /^Withdraw/ });
    await eventually(() => withdraw.count()).toBe(2);
    await press(ada, withdraw.first());
    await ada.getByRole('alertdialog').waitFor();
    await press(ada, ada.getByRole('alertdialog').getByRole('button', { name: 'Withdraw', exact: true }));
    await eventually(() => withdraw.count()).toBe(1);
  });

  it('joins', async () => {
    ben = await story.somebody();
    await ben.goto(link);
    await heading(ben, 'You are invited').waitFor();
    await tabTo(ben, ben.getByLabel('Your name'));
    await ben.keyboard.type(BEN.displayName);
    await ben.keyboard.press('Tab');
    await ben.keyboard.type(BEN.email);
    await ben.keyboard.press('Tab');
    await ben.keyboard.type(BEN.password);
    await ben.keyboard.press('Enter');
    await heading(ben, 'Your recovery kit').waitFor();
    await press(ben, ben.getByLabel('I have printed or saved the code'), 'Space');
    await press(ben, button(ben, 'Open my vault'));
    await ben.getByText('Nothing is kept here yet').waitFor();
  });

  it('compares fingerprints', async () => {
    await command(ben, 'Members', heading(ben, 'Your fingerprint'));
    const digits = ben.locator('.panel', { hasText: 'Your fingerprint' }).locator('.digits-group');
    await eventually(() => digits.count()).toBe(6);
    const read = await digits.allTextContents();
    // On the page of the members since before he joined.
    await comeBack(ada);
    await press(ada, ada.locator('.person', { hasText: 'Ben Okafor' }));
    await heading(ada, 'Ben Okafor').waitFor();
    for (const [index, group] of read.entries())
      await press(ada, ada.getByLabel(`Group ${index + 1}: ${group}`), 'Space');
    await press(ada, button(ada, 'All six are the same'));
    await ada.getByText('You compared this fingerprint with Ben Okafor.').waitFor();
  });

  const share = async (past: 'with' | 'without'): Promise<void> => {
    await tabTo(ada, ada.getByRole('combobox', { name: /^Person/ }));
    await ada.keyboard.type('Ben');
    await tabTo(ada, ada.getByRole('radio', { name: 'Viewer' }));
    if (past === 'without') await press(ada, ada.getByLabel('Also what is there already'), 'Space');
    await press(ada, button(ada, 'Share'));
    await toast(ada, 'Shared with Ben Okafor.').waitFor();
  };

  it('shares a space and gives another role in it', async () => {
    await command(ada, 'All spaces', title(ada, 'Spaces'));
    await press(ada, button(ada, 'New space'));
    await ada.locator('.dialog').waitFor();
    await eventually(() => ada.evaluate(() => document.activeElement?.tagName)).toBe('INPUT');
    await ada.keyboard.type('Family');
    await ada.keyboard.press('Enter');
    await ada.locator('.list-title', { hasText: 'Family' }).waitFor();
    await command(ada, 'Members of this space', heading(ada, 'Who can open Family'));
    await share('with');
    const role = ada.getByRole('button', { name: /^Role of Ben Okafor/ });
    await press(ada, role);
    await ada.getByRole('menuitemradio', { name: 'Viewer' }).waitFor();
    // The arrow keys only look; Enter decides.
    await ada.keyboard.press('ArrowDown');
    await eventually(() => ada.getByRole('menuitemradio', { name: 'Member' }).getAttribute('data-highlighted')).toBe(
      '',
    );
    expect(await role.innerText()).toBe('Viewer');
    await ada.keyboard.press('Enter');
    await toast(ada, 'Ben Okafor: Member in this space from now on.').waitFor();
    await eventually(() => role.innerText()).toBe('Member');
    await comeBack(ben);
    await command(ben, 'Family', ben.locator('.list-title', { hasText: 'Family' }));
  });

  it('leaves, and gives the space a new key', async () => {
    await command(ben, 'Members of this space', heading(ben, 'Who can open Family'));
    await press(ben, button(ben, 'Leave this space'));
    await ben.getByRole('alertdialog').waitFor();
    await press(ben, ben.getByRole('alertdialog').getByRole('button', { name: 'Leave this space' }));
    await toast(ben, 'You have left the space.').waitFor();
    await eventually(() => ben.locator('.sidebar-spaces').textContent()).not.toContain('Family');
    await comeBack(ada);
    await press(ada, button(ada, 'Give it a new key'));
    await toast(ada, 'The space has a new key.').waitFor();
    await eventually(() => button(ada, 'Give it a new key').count()).toBe(0);
  });

  it('removes from a space', async () => {
    await command(ada, 'Members of this space', heading(ada, 'Who can open Family'));
    await share('without');
    await ada.getByText('without what was written before').waitFor();
    await comeBack(ben);
    await command(ben, 'Family', ben.locator('.list-title', { hasText: 'Family' }));
    await press(ada, button(ada, 'Remove: Ben Okafor'));
    await ada.getByRole('alertdialog').waitFor();
    await press(ada, ada.getByRole('alertdialog').getByRole('button', { name: 'Remove', exact: true }));
    await toast(ada, 'Ben Okafor was removed, and the space has a new key.').waitFor();
    await story.expecting([/404/], async () => {
      await comeBack(ben);
      await heading(ben, 'This space is not among yours').waitFor();
    });
    await press(ben, ben.getByRole('link', { name: 'To your spaces' }));
    await title(ben, 'Spaces').waitFor();
  });

  it('gives another role in the vault, and removes from it after naming what ends', async () => {
    await command(ada, 'Members', heading(ada, 'Members'));
    await press(ada, ada.locator('.person', { hasText: 'Ben Okafor' }));
    await tabTo(ada, ada.getByRole('radio', { name: 'Member' }));
    await ada.keyboard.press('ArrowUp');
    await press(ada, button(ada, 'Change role'));
    await proving(ada, ADA.password, toast(ada, 'Ben Okafor: Viewer from now on.'));
    await press(ada, button(ada, 'Remove from the vault'));
    await ada.locator('.dialog').waitFor();
    await eventually(() => ada.evaluate(() => document.activeElement?.tagName)).toBe('INPUT');
    await ada.keyboard.type('Ben Okafor');
    await story.expecting([/409/], async () => {
      await ada.keyboard.press('Enter');
      await proving(ada, ADA.password, ada.getByText('One space in which nobody else is would be deleted'));
    });
    await press(ada, ada.locator('.dialog').getByRole('button', { name: 'Delete these spaces and remove' }));
    await toast(ada, 'Ben Okafor was removed.').waitFor();
    await heading(ada, 'Members').waitFor();
    await eventually(() => ada.locator('.person', { hasText: 'Ben Okafor' }).count()).toBe(0);
    figure('11 things done with other people by keyboard alone, from inviting to removing');
  });

  itNeverComplained(story);
});
