/** A mistyped address, in a real browser against the real service. */
import { needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { ADA, heading, itNeverComplained, look, tell, unlock } from './story.test-support.ts';

describe.skipIf(!needs('chromium'))('a mistyped address', () => {
  const story = tell({ from: 'account' });

  it('shows a page that says so and leads home, signed in or not', async () => {
    const { page, running } = story;
    for (const signedIn of [false, true]) {
      if (signedIn) await story.signIn();
      for (const path of ['/nonsense', '/v1/nonsense', '/account/nonsense', '/spaces/x/y/z']) {
        await story.expecting([/404/], async () => {
          const response = await page.goto(`${running.origin}${path}`);
          expect(response?.status()).toBe(404);
          await heading(page, 'There is nothing at this address').waitFor();
        });
      }
    }
    await look(page, 'not-found');
    await page.getByRole('link', { name: 'To your memories' }).click();
    await unlock(page, ADA.password);
    const data = await fetch(`${running.origin}/v1/nonsense`);
    expect([data.status, data.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  });

  itNeverComplained(story);
});
