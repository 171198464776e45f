/** A set-up link that came too late, in a real browser against the real service. */
import { needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { fill, runConsole } from './console.test-support.ts';
import { ADA, heading, itNeverComplained, look, tell } from './story.test-support.ts';

const HOUR = 3_600_000;

describe.skipIf(!needs('chromium'))('a set-up link', () => {
  let ahead = 0;
  const clock = { now: () => Date.now() + ahead };
  const story = tell({ from: 'new', run: { clock } });

  it('that expired says what to do, and the next one works', async () => {
    const { page } = story;
    ahead = 25 * HOUR;
    const submit = async (): Promise<void> => {
      await fill(page, 'Your name', ADA.displayName);
      await fill(page, 'E-mail address', ADA.email);
      await fill(page, 'Password', ADA.password);
      await page.getByRole('button', { name: 'Create vault' }).click();
    };
    await page.goto(story.running.setUpLink);
    await story.expecting([/403/], async () => {
      await submit();
      const alert = page.getByRole('alert');
      await alert.filter({ hasText: 'This link is not valid any more: it expired' }).waitFor();
      await alert.filter({ hasText: 'Restarting the server prints a new one' }).waitFor();
    });
    await look(page, 'set-up-expired');
    // What was typed is still there.
    expect(await page.getByLabel('Your name').inputValue()).toBe(ADA.displayName);
    const port = Number(new URL(story.running.origin).port);
    await story.running.stop();
    story.running = await runConsole(story.data, { clock, port });
    await page.goto('about:blank');
    await page.goto(story.running.setUpLink);
    await submit();
    await heading(page, 'Your recovery kit').waitFor();
  });

  itNeverComplained(story);
});
