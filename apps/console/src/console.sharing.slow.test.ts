/** Spaces that several people open: sharing, reading, writing, taking back. Three browsers at one service, each with somebody of their own in front. */
import { createApi, InMemoryCache, Vault } from '@strongroom/client';
import { fromBase64Url, type Uuid } from '@strongroom/kernel';
import { deriveCredentials, openItem, openSpaceKey, unlockAccount } from '@strongroom/sealing';
import { figure, needs } from '@strongroom/testing';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { fill } from './console.test-support.ts';
import { button, toast } from './keyboard.test-support.ts';
import {
  BEN,
  choosePerson,
  CLEO,
  comeBack,
  giveRole,
  invitationOf,
  join,
  keptSpaces,
  membersOf,
  ownDigits,
  proving,
  putKitAway,
  raw,
  roleOf,
  see,
  showAnotherKey,
  tick,
} from './people.test-support.ts';
import { ADA, axe, eventually, go, heading, headings, itNeverComplained, tell, unlock } from './story.test-support.ts';

/** The wire leaves out what Fernet writes at the end. */
const padded = (token: string): string => token.padEnd(Math.ceil(token.length / 4) * 4, '=');

describe.skipIf(!needs('chromium'))('a space with other people in it', () => {
  const story = tell({ from: 'account' });
  let ada: Page;
  let ben: Page;
  let cleo: Page;
  let family: Uuid;
  /** Of Ben's device while he was a member: what nobody can take back from him. */
  let bensOldKey: { readonly epoch: number; readonly wrappedKey: string };
  let adasKey = '';

  it('begins with two people in one vault', async () => {
    ada = story.page;
    await story.signIn();
    const link = await invitationOf(ada, 'Member');
    adasKey = link.split('.').at(-1)!;
    ben = await story.somebody();
    await ben.goto(link);
    await join(ben, BEN);
    await putKitAway(ben);
    await ben.getByText('Nothing is kept here yet').waitFor();
  });

  it('seals nothing to a key that was not compared', async () => {
    await go(ada, '/spaces');
    await button(ada, 'New space').click();
    await fill(ada, 'Name of the space', 'Family');
    await ada.keyboard.press('Enter');
    await ada.getByText('Nothing is kept here yet').waitFor();
    family = ada.url().split('/').at(-1) as Uuid;
    await ada.locator('.sidebar-write').click();
    await ada.getByRole('textbox', { name: 'Text' }).fill('The spare key of the house is with Ines.');
    await ada.keyboard.press('Control+Enter');
    await ada.getByText('Version 1').waitFor();
    await ada.getByRole('link', { name: 'Members of this space' }).click();
    await heading(ada, 'Who can open Family').waitFor();
    await choosePerson(ada, 'Ben Okafor');
    await ada.getByText('compare fingerprints').first().waitFor();
    expect(await button(ada, 'Share').count()).toBe(0);
    await see(ada, 'share-compare');
  });

  it('opens the way to it with a comparison', async () => {
    const read = await ownDigits(ben);
    await tick(ada, read);
    await button(ada, 'Share').waitFor();
  });

  it('shares a space: a viewer really reads', async () => {
    await ada.goto(`${story.running.origin}/spaces/${family}/members`);
    await unlock(ada);
    await choosePerson(ada, 'Ben Okafor');
    await ada.getByLabel('Viewer').check();
    await see(ada, 'share-space');
    await button(ada, 'Share').click();
    await toast(ada, 'Shared with Ben Okafor.').waitFor();
    await eventually(() => roleOf(ada)).toBe('Viewer');
    await see(ada, 'space-members');
    await comeBack(ben);
    await ben.locator('.sidebar-spaces a', { hasText: 'Family' }).click();
    await eventually(() => headings(ben)).toEqual(['The spare key of the house is with Ines.']);
    await ben.locator('#search').fill('ines house');
    await ben.locator('.entry').first().click();
    await ben.locator('.memory-text', { hasText: 'with Ines' }).waitFor();
    await see(ben, 'space-viewer');
  });

  it('a viewer really writes nothing: neither by the page nor by asking the server', async () => {
    for (const control of ['Edit', 'Delete', 'History']) {
      const found = await ben.locator('.detail-actions').getByText(control, { exact: true }).count();
      expect(found, control).toBe(control === 'History' ? 1 : 0);
    }
    await ben.getByRole('link', { name: 'Read only' }).first().click();
    await heading(ben, 'You can read here').waitFor();
    await ben.getByText('Ada Marlow can give you another role.').waitFor();
    await see(ben, 'read-only');
    await ben.goBack();
    await ben.keyboard.press('n');
    await heading(ben, 'You can read here').waitFor();
    const memory = (await raw(ben, 'GET', `/v1/spaces/${family}/memories`)).text;
    const { id } = (JSON.parse(memory) as { items: { id: string }[] }).items[0]!;
    const token = (JSON.parse(memory) as { items: { token: string }[] }).items[0]!.token;
    await story.expecting([/403/], async () => {
      const at = `/v1/spaces/${family}/memories`;
      const attempts = [
        raw(ben, 'POST', at, { id: id.replace(/.$/, '0'), epoch: 1, token }),
        raw(ben, 'PUT', `${at}/${id}`, { expectedVersion: 1, epoch: 1, token }),
        raw(ben, 'DELETE', `${at}/${id}?expectedVersion=1`),
        raw(ben, 'PUT', `/v1/spaces/${family}/members/${id}`, { role: 'member', keys: [] }),
      ];
      for (const { status, text } of await Promise.all(attempts)) {
        expect(status, text).toBe(403);
        expect(text).toContain('pipeline.forbidden');
      }
    });
  });

  it('gives another role with a way back; then both write', async () => {
    const line = ada.locator('.person', { hasText: 'Ben Okafor' });
    await line.getByLabel(/^Role of Ben Okafor/).click();
    await ada.getByRole('menuitemradio', { name: 'Member' }).waitFor();
    await axe(ada, 'roles in a space');
    await ada.getByRole('menuitemradio', { name: 'Member' }).click();
    await toast(ada, 'Ben Okafor: Member in this space from now on.').waitFor();
    await toast(ada, 'Ben Okafor: Member in this space').getByRole('button', { name: 'Undo' }).click();
    await toast(ada, 'Ben Okafor: Viewer in this space again.').waitFor();
    await eventually(() => roleOf(line)).toBe('Viewer');
    await giveRole(ada, 'Member');
    await eventually(() => roleOf(line)).toBe('Member');
    await comeBack(ben);
    await ben.getByRole('textbox', { name: 'Text' }).fill('Ben feeds the cat on Sundays.');
    await ben.keyboard.press('Control+Enter');
    await ben.getByText('Version 1').waitFor();
    await ada.locator('.sidebar-spaces a', { hasText: 'Family' }).click();
    await comeBack(ada);
    await eventually(() => headings(ada)).toContain('Ben feeds the cat on Sundays.');
  });

  it('shares nothing with a key that is another one than before', async () => {
    const takeBack = await showAnotherKey(story.context, adasKey.replace(/.{6}$/, 'AAAAAA'));
    await membersOf(ada, 'Personal');
    await choosePerson(ada, 'Ben Okafor');
    await heading(ada, 'The key of Ben Okafor has changed').waitFor();
    expect(await button(ada, 'Share').count()).toBe(0);
    await takeBack();
    await go(ada, '/members');
    await ada.locator('.person', { hasText: 'Ben Okafor' }).getByText('Compared').waitFor();
  });

  it('changes nothing while the server is away, and says so', async () => {
    await story.expecting([/ERR_INTERNET_DISCONNECTED/], async () => {
      await ada.locator('.sidebar-spaces a', { hasText: 'Family' }).click();
      await ada.locator('.list-title', { hasText: 'Family' }).waitFor();
      await story.context.setOffline(true);
      await ada.getByRole('link', { name: 'Members of this space' }).click();
      await ada.locator('.strip-warning').waitFor();
      await heading(ada, 'Who can open Family').waitFor();
      await giveRole(ada, 'Viewer');
      await toast(ada, 'The server cannot be reached.').waitFor();
      await eventually(() => roleOf(ada)).toBe('Member');
      await story.context.setOffline(false);
      // The page finds the server again by itself.
      await eventually(() => ada.locator('.strip-warning').count()).toBe(0);
    });
  });

  it('removes somebody with a new key: what comes later stays closed to them, by page, by request and with old keys', async () => {
    const before = JSON.parse((await raw(ben, 'GET', `/v1/spaces/${family}`)).text) as {
      keys: { epoch: number; wrappedKey: string }[];
    };
    bensOldKey = before.keys[0]!;
    await ben.locator('.sidebar-spaces a', { hasText: 'Family' }).click();
    await eventually(() => keptSpaces(ben)).toContain(family);
    await ben.keyboard.press('Control+Shift+L');
    await heading(ben, 'Locked').waitFor();
    await button(ada, 'Remove: Ben Okafor').click();
    await see(ada, 'space-remove');
    await ada.getByRole('alertdialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await toast(ada, 'Ben Okafor was removed, and the space has a new key.').waitFor();
    await ada.getByText('Only you can open this space.').waitFor();
    await ada.locator('.sidebar-write').click();
    await ada.getByRole('textbox', { name: 'Text' }).fill('The new alarm code is in the blue tin.');
    await ada.keyboard.press('Control+Enter');
    await ada.getByText('Version 1').waitFor();

    await story.expecting([/404/], async () => {
      await fill(ben, 'Password', BEN.password);
      await ben.keyboard.press('Enter');
      await heading(ben, 'This space is not among yours').waitFor();
      await see(ben, 'space-gone');
      expect(await keptSpaces(ben), 'the sealed copy is gone').not.toContain(family);
      expect(await ben.locator('.sidebar-spaces').textContent()).not.toContain('Family');
      for (const path of ['', '/memories', '/changes', '/members']) {
        const { status, text } = await raw(ben, 'GET', `/v1/spaces/${family}${path}`);
        expect(status, path).toBe(404);
        expect(text).not.toContain('token');
      }
    });

    // Suppose that somebody hands Ben the ciphertext: he has his keys of before, and the password to them.
    const listed = JSON.parse((await raw(ada, 'GET', `/v1/spaces/${family}/memories`)).text) as {
      items: { id: Uuid; version: number; epoch: number; token: string }[];
    };
    const vault = new Vault({ api: createApi({ baseUrl: story.running.origin }), cache: new InMemoryCache() });
    await vault.signIn({ ...BEN, transport: 'bearer' });
    const { record } = vault.account!;
    const { unlockKey } = await deriveCredentials(BEN.password, fromBase64Url(record.salt), record.parameters);
    const keys = await unlockAccount(record, unlockKey);
    const spaceKey = await openSpaceKey(keys, family, bensOldKey.epoch, bensOldKey.wrappedKey);
    const opened = await Promise.all(
      listed.items.map(async ({ id, version, epoch, token }) => {
        const content = await openItem(spaceKey, { item: id, version }, padded(token)).catch(() => null);
        return { epoch, opens: content !== null };
      }),
    );
    expect(opened.filter(({ epoch }) => epoch === bensOldKey.epoch).map(({ opens }) => opens)).toEqual([true, true]);
    expect(opened.filter(({ epoch }) => epoch > bensOldKey.epoch)).toEqual([{ epoch: 2, opens: false }]);
    await expect(vault.sync(family)).rejects.toMatchObject({ code: 'pipeline.not-found' });
    await vault.signOut();
    figure(`${opened.length} memories tried with the keys of somebody removed: only those from before opened`);
  });

  it('opens what a third person shares only after a comparison', async () => {
    const link = await invitationOf(ada, 'Viewer');
    cleo = await story.somebody();
    await cleo.goto(link);
    await join(cleo, CLEO);
    await putKitAway(cleo);
    await heading(cleo, 'No space is shared with you yet').waitFor();
    expect(await button(cleo, 'New space').count()).toBe(0);
    await see(cleo, 'nothing-shared');
    const cleos = await ownDigits(cleo);
    await ben.getByRole('link', { name: 'To your spaces' }).click();
    await ben.locator('.sidebar-spaces a', { hasText: 'Personal' }).click();
    await ben.getByRole('link', { name: 'Members of this space' }).click();
    await choosePerson(ben, 'Cleo Brandt');
    await tick(ben, cleos);
    await button(ben, 'Share').click();
    await toast(ben, 'Shared with Cleo Brandt.').waitFor();
    await comeBack(cleo);
    await cleo.locator('.sidebar-spaces a', { hasText: 'Shared by Ben Okafor' }).click();
    await heading(cleo, 'Ben Okafor shared a space with you').waitFor();
    await see(cleo, 'space-waiting');
    await tick(cleo, await ownDigits(ben));
    await cleo.locator('.list-title', { hasText: 'Personal' }).waitFor();
    await cleo.getByText('Nobody has written anything here yet.').waitFor();
    await axe(cleo, 'an empty space of others');
  });

  it('speaks German', async () => {
    await go(cleo, '/account');
    await cleo.getByLabel('Language').selectOption('Deutsch');
    await go(cleo, '/members');
    await heading(cleo, 'Mitglieder').waitFor();
    await cleo.locator('.person', { hasText: 'Ada Marlow' }).waitFor();
    await see(cleo, 'members-german');
    await cleo.locator('.person', { hasText: 'Ben Okafor' }).click();
    await heading(cleo, 'Rolle im Tresor').waitFor();
    await see(cleo, 'person-german');
  });

  it('a guest sees what is shared, and not who else is here', async () => {
    await go(ada, '/members');
    await ada.locator('.person', { hasText: 'Cleo Brandt' }).click();
    await ada.getByRole('radio', { name: /^Guest/ }).check();
    await button(ada, 'Change role').click();
    await proving(ada, ADA.password, toast(ada, 'Cleo Brandt: Guest from now on.'));
    await cleo.reload();
    await fill(cleo, 'Passwort', CLEO.password);
    await cleo.keyboard.press('Enter');
    await cleo.getByText('Als Gast sehen Sie die Bereiche').waitFor();
    await go(cleo, '/account');
    await cleo.getByLabel('Sprache').selectOption('English');
    await go(cleo, '/members');
    await cleo.getByText('As a guest you see the spaces').waitFor();
    await see(cleo, 'members-guest');
    expect(await cleo.locator('.sidebar a[href="/audit"]').count()).toBe(0);
    await cleo.evaluate(() => {
      history.pushState({}, '', '/audit');
      window.dispatchEvent(new PopStateEvent('popstate'));
    });
    await cleo.getByText('Owners and administrators of the vault read its log.').waitFor();
    await axe(cleo, 'the audit log of others');
    await cleo.locator('.sidebar-spaces a', { hasText: 'Personal' }).click();
    await cleo.getByRole('link', { name: 'Members of this space' }).click();
    await cleo.locator('.person', { hasText: 'Ben Okafor' }).waitFor();
    await axe(cleo, 'members of a space as a guest');
  });

  it('removes somebody from the vault when it is typed, names what ends with them, and gives spaces new keys', async () => {
    await go(ada, '/members');
    await ada.locator('.person', { hasText: 'Cleo Brandt' }).waitFor();
    await ada.locator('.person', { hasText: 'Ben Okafor' }).click();
    await button(ada, 'Remove from the vault').click();
    const dialog = ada.getByRole('dialog');
    await dialog.getByLabel('To confirm, type Ben Okafor').fill('Ben');
    await dialog.getByRole('button', { name: 'Remove from the vault' }).click();
    await dialog.getByText('That is not the name.').waitFor();
    await see(ada, 'remove-person');
    await dialog.getByLabel('To confirm, type Ben Okafor').fill('ben okafor');
    await dialog.getByRole('button', { name: 'Remove from the vault' }).click();
    await proving(ada, ADA.password, toast(ada, 'Ben Okafor was removed.'));
    await eventually(() => ada.locator('.person', { hasText: 'Ben Okafor' }).count()).toBe(0);
    await story.expecting([/401/], async () => {
      await go(ben, '/sessions');
      await heading(ben, 'Sign in').waitFor();
    });
  });

  it('tells apart in the audit log who did what', async () => {
    await go(ada, '/audit');
    await ada.locator('.event-who', { hasText: 'You' }).first().waitFor();
    const who = await ada.locator('.event-who').allTextContents();
    expect(new Set(who).has('Somebody who was removed'), who.join()).toBe(true);
    const shared = ada.locator('.event', { hasText: 'Somebody left a space' });
    expect(await shared.count()).toBe(0);
    const joined = ada.locator('.event', { hasText: 'The key of a space was changed' }).last();
    expect(await joined.locator('.event-who').textContent()).toBe('You');
  });

  itNeverComplained(story);
});
