/** A vault whose device keeps sealed blocks: what it asks the server for on the second visit, and what it can do without one. */
import type { Uuid } from '@strongroom/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MapBlockCache } from './block-cache.test-support.ts';
import { createApi } from './api.ts';
import { EMAIL, Live, PASSWORD } from './live.test-support.ts';
import { Vault } from './vault.ts';

const gone = (): Promise<Response> => Promise.reject(new TypeError('no line'));

describe('a device with sealed blocks', () => {
  let live: Live;
  let space: Uuid;
  const cache = new MapBlockCache();

  const device = (): Vault => new Vault({ api: createApi({ baseUrl: live.baseUrl, fetch: live.fetch }), cache });

  beforeAll(async () => {
    live = await Live.start();
    await live.signUp();
    const vault = device();
    await vault.signIn({ email: EMAIL, password: PASSWORD, transport: 'bearer' });
    space = (await vault.createSpace('Boats')).id;
    await vault.listSpaces();
    await vault.remember(space, { text: 'The spare key hangs behind the blue boat.' });
    const { id, version } = await vault.remember(space, { text: 'The umbrella stands in the hall.' });
    await vault.sync(space);
    await vault.forget(space, id, version);
    await vault.sync(space);
    vault.lock();
  });
  afterAll(() => live.close());

  it('opens, lists and searches without a single request', async () => {
    live.sent.length = 0;
    const vault = device();
    expect(await vault.unlockKept(PASSWORD)).toBe(true);
    expect(vault.account).toMatchObject({ email: EMAIL, displayName: 'Anna' });
    expect((await vault.keptSpaces()).map(({ name }) => name)).toEqual(['Boats']);
    expect(await vault.openKept(space)).toBe(1);
    expect((await vault.recall('blue boat')).map(({ document }) => document.text)).toEqual([
      'The spare key hangs behind the blue boat.',
    ]);
    expect(await vault.recall('umbrella')).toEqual([]);
    expect(live.sent).toEqual([]);
  });

  it('does not open with another password, and keeps nothing readable', async () => {
    await expect(device().unlockKept('another long pass phrase')).rejects.toMatchObject({
      code: 'client.wrong-password',
    });
    const { record, sealed } = cache.profile!;
    const { head, blocks } = cache.spaces.get(space)!;
    const blockBytes = [...blocks.values()].map(({ bytes }) => bytes);
    const kept = Buffer.concat([Buffer.from(record), sealed, head!, ...blockBytes]).toString('latin1');
    for (const secret of [EMAIL, 'Anna', 'Boats', 'blue boat', 'umbrella']) expect(kept).not.toContain(secret);
  });

  it('says that the server is away when something is to be written, and writes when it is back', async () => {
    const { token } = await (async () => {
      const vault = live.vault();
      return vault.signIn({ email: EMAIL, password: PASSWORD, transport: 'bearer' });
    })();
    const vault = new Vault({ api: createApi({ baseUrl: live.baseUrl, fetch: live.fetch, token }), cache });
    await vault.unlockKept(PASSWORD);
    await vault.keptSpaces();
    await vault.openKept(space);
    live.wire = gone;
    const input = { text: 'Written while nobody answered.' };
    await expect(vault.remember(space, input)).rejects.toMatchObject({ code: 'client.unreachable' });
    await expect(vault.sync(space)).rejects.toMatchObject({ code: 'client.unreachable' });
    expect(await vault.recall('spare key')).toHaveLength(1);
    live.wire = fetch;
    await vault.remember(space, input);
    await vault.sync(space);
    const again = device();
    await again.unlockKept(PASSWORD);
    await again.keptSpaces();
    expect(await again.openKept(space)).toBe(2);
  });

  it('is nothing to a device that keeps nothing', async () => {
    const vault = live.vault();
    expect(await vault.unlockKept(PASSWORD)).toBe(false);
  });

  it.each([
    ['ten years behind', -10],
    ['ten years ahead', 10],
  ])('works with a clock %s', async (_name, years) => {
    const clock = { now: () => Date.now() + years * 365.25 * 86_400_000 };
    const fresh = new MapBlockCache();
    const vault = new Vault({ api: createApi({ baseUrl: live.baseUrl, fetch: live.fetch }), cache: fresh, clock });
    await vault.signIn({ email: EMAIL, password: PASSWORD, transport: 'bearer' });
    const written = await vault.remember(space, { text: `Written ${years} years from now` });
    await vault.update(space, written.id, 1, { text: `Changed ${years} years from now` });
    await vault.sync(space);
    const texts = (await vault.list(space)).map(({ document }) => document.text);
    expect(texts).toContain(`Changed ${years} years from now`);
    const { writtenAt } = await vault.get(space, written.id);
    expect(Math.abs(Date.parse(writtenAt) - Date.now())).toBeLessThan(60_000);
    expect((await vault.versions(space, written.id)).map(({ version }) => version)).toEqual([2, 1]);
  });
});
