/** Other people in the vault: inviting, joining, comparing, roles. Two browsers at one service, each with somebody of their own in front. */
import { needs } from '@strongroom/testing';
import type { BrowserContext, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { fill } from './console.test-support.ts';
import { button, toast } from './keyboard.test-support.ts';
import {
  BEN,
  CLEO,
  comeBack,
  invitationOf,
  join,
  ownDigits,
  proving,
  putKitAway,
  see,
  showAnotherKey,
} from './people.test-support.ts';
import { ADA, axe, eventually, go, heading, itNeverComplained, tell, unlock, unlockAt } from './story.test-support.ts';

const DAY = 24 * 3600_000;

describe.skipIf(!needs('chromium'))('a vault with other people in it', () => {
  let ahead = 0;
  const story = tell({ from: 'account', run: { clock: { now: () => Date.now() + ahead } } });
  let ada: Page;
  let ben: Page;
  let link = '';
  /** Everything that left either browser. */
  const sent: string[] = [];
  const listen = (context: BrowserContext): void => {
    context.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
  };

  it('shows somebody who is alone their own fingerprint, and how to invite', async () => {
    ada = story.page;
    listen(story.context);
    await story.signIn();
    await go(ada, '/members');
    await ada.getByText('Invite the people you want').waitFor();
    await see(ada, 'members-alone');
  });

  it('makes an invitation link after the password was given once more', async () => {
    await ada.getByRole('link', { name: 'Invite somebody' }).click();
    await heading(ada, 'Invite somebody').waitFor();
    await see(ada, 'invite');
    await button(ada, 'Make the link').click();
    await ada.getByRole('dialog').getByText('Your password, once more').waitFor();
    await see(ada, 'proof');
    await story.expecting([/403/], async () => {
      await fill(ada, 'Password', 'not the password of Ada');
      await ada.keyboard.press('Enter');
      await ada.getByText('That password is wrong.').waitFor();
    });
    await fill(ada, 'Password', ADA.password);
    await ada.keyboard.press('Enter');
    await heading(ada, 'The invitation is ready').waitFor();
    link = await ada.getByLabel('Invitation link').inputValue();
    expect(link).toMatch(/\/join#[\w-]{43}\.[0-9a-f-]{36}\.[\w-]{44}$/);
    await see(ada, 'invitation');
    await ada.getByRole('link', { name: 'To the members' }).click();
    await ada.getByText('by Ada Marlow').waitFor();
  });

  it('lets the invited join in another browser, and the link stays out of addresses and requests', async () => {
    ben = await story.somebody();
    listen(ben.context());
    await ben.goto(link);
    await heading(ben, 'You are invited').waitFor();
    expect(ben.url(), 'the code leaves the address').toBe(`${story.running.origin}/join`);
    await see(ben, 'join');
    await join(ben, BEN);
    await putKitAway(ben);
    await ben.getByText('Nothing is kept here yet').waitFor();
    const [token, account, key] = link.split('#')[1]!.split('.');
    const withToken = sent.filter((request) => request.includes(token!));
    expect(withToken, 'the token goes to the server once, in a body').toHaveLength(1);
    expect(withToken[0]).toMatch(/\/v1\/accounts \{/);
    expect(sent.some((request) => request.includes(key!) && request.includes(token!))).toBe(false);
    expect(withToken[0], 'and nothing of who invites').not.toContain(account!);
  });

  it('says clearly that a used link is worth nothing any more', async () => {
    const late = await story.somebody();
    await late.goto(link);
    await story.expecting([/403/], async () => {
      await join(late, CLEO);
      await heading(late, 'This invitation no longer works').waitFor();
    });
    await see(late, 'join-invalid');
    await late.goto('about:blank');
    await late.goto(`${story.running.origin}/join`);
    await late.getByText('needs the whole invitation link').waitFor();
    await axe(late, 'join without a link');
    await late.context().close();
  });

  it('does not put another account in the place of the one that is signed in', async () => {
    await ben.goto('about:blank');
    await ben.goto(link);
    await ben.getByText('Ben Okafor is signed in here.').waitFor();
    await axe(ben, 'join while signed in');
    await ben.getByRole('link', { name: 'Stay signed in' }).click();
    await unlock(ben, BEN.password);
  });

  it('compares fingerprints over another channel, group by group', async () => {
    const read = await ownDigits(ben);
    await see(ben, 'members-invited');
    expect(await ben.locator('.person', { hasText: 'Ada Marlow' }).textContent(), 'the link brought her key').toContain(
      'Compared',
    );
    // On the page of the members since before he joined.
    await comeBack(ada);
    await ada.locator('.person', { hasText: 'Ben Okafor' }).click();
    await heading(ada, 'Ben Okafor').waitFor();
    const shown = await ada.locator('.digits-tick').allTextContents();
    expect(shown).toEqual(read);
    await button(ada, 'They differ').click();
    await heading(ada, 'Do not share anything').waitFor();
    await axe(ada, 'they differ');
    await button(ada, 'Compare again').click();
    for (const [index, group] of read.entries()) {
      expect(await button(ada, 'All six are the same').getAttribute('aria-disabled')).toBe('true');
      await ada.getByLabel(`Group ${index + 1}: ${group}`).check();
      if (index === 3) await see(ada, 'person-compare');
    }
    await button(ada, 'All six are the same').click();
    await ada.getByText('You compared this fingerprint with Ben Okafor.').waitFor();
    await see(ada, 'person');
  });

  it('remembers what was compared behind the lock, and takes it back when asked', async () => {
    await ada.keyboard.press('Control+Shift+L');
    await fill(ada, 'Password', ADA.password);
    await ada.keyboard.press('Enter');
    await ada.getByText('You compared this fingerprint with Ben Okafor.').waitFor();
    await button(ada, 'Mark as not compared').click();
    await ada.locator('.trust', { hasText: 'Taken as shown' }).waitFor();
    await ada.getByText('I have it in writing').click();
    const digits = (await ownDigits(ben)).join('-');
    await fill(ada, 'Fingerprint that you were given', digits.slice(0, -1));
    await button(ada, 'Check').click();
    await ada.getByText('A fingerprint has thirty digits.').waitFor();
    await fill(ada, 'Fingerprint that you were given', `${digits.slice(0, -1)}${(Number(digits.at(-1)) + 1) % 10}`);
    await button(ada, 'Check').click();
    await ada.getByText('That is another fingerprint than the server shows.').waitFor();
    await fill(ada, 'Fingerprint that you were given', digits);
    await button(ada, 'Check').click();
    await ada.getByText('You compared this fingerprint with Ben Okafor.').waitFor();
  });

  it('is loud when the server shows another key', async () => {
    const takeBack = await showAnotherKey(story.context, link.split('.').at(-1)!.replace(/.{6}$/, 'AAAAAA'));
    await go(ada, '/members');
    await ada.getByText('The key of Ben Okafor is not the one that this device knew.').waitFor();
    await see(ada, 'members-key-changed');
    await ada.locator('.person', { hasText: 'Ben Okafor' }).click();
    await heading(ada, 'The key of Ben Okafor has changed').waitFor();
    expect(await ada.locator('.digits-tick').count(), 'nothing to tick, only to type').toBe(0);
    expect(await button(ada, 'Take it without comparing').count()).toBe(0);
    await see(ada, 'person-key-changed');
    await takeBack();
    await go(ada, '/members');
    await ada.locator('.person', { hasText: 'Ben Okafor' }).getByText('Compared').waitFor();
  });

  it('changes a role in the vault with a way back', async () => {
    await ada.locator('.person', { hasText: 'Ben Okafor' }).click();
    await ada.getByLabel('Administrator').check();
    await button(ada, 'Change role').click();
    await proving(ada, ADA.password, toast(ada, 'Ben Okafor: Administrator from now on.'));
    await toast(ada, 'Administrator from now on.').getByRole('button', { name: 'Undo' }).click();
    await toast(ada, 'Ben Okafor: Member again.').waitFor();
    await eventually(() => ada.getByRole('radio', { name: /^Member/ }).isChecked()).toBe(true);
  });

  it('says what is wrong when the server is away, and goes on when it is back', async () => {
    // Where nothing of the others was read before.
    await go(ada, '/account');
    await ada.keyboard.press('Control+Shift+L');
    await unlockAt(ada, ADA.password, 'Account');
    await story.expecting([/ERR_INTERNET_DISCONNECTED/], async () => {
      await story.context.setOffline(true);
      await go(ada, '/members');
      await ada.getByRole('alert').getByText('The server cannot be reached.').waitFor();
      await see(ada, 'members-offline');
      await story.context.setOffline(false);
      // Somebody may press it; the page also finds the server again by itself.
      const again = button(ada, 'Try again');
      await again.or(ada.locator('.person').first()).first().waitFor();
      await again.click({ timeout: 1_000 }).catch(() => undefined);
      await ada.locator('.person', { hasText: 'Ben Okafor' }).waitFor();
    });
  });

  it('says clearly that an invitation expired', async () => {
    const expired = await invitationOf(ada, 'Member');
    ahead = 8 * DAY;
    const late = await story.somebody();
    await late.goto(expired);
    await story.expecting([/403/], async () => {
      await join(late, CLEO);
      await heading(late, 'This invitation no longer works').waitFor();
    });
    ahead = 0;
  });

  itNeverComplained(story);
});
