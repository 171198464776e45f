import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newUuid } from '@strongroom/kernel';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { FileTrust } from './file-trust.ts';
import { StateFolder } from './state.ts';

const known = { publicKey: 'AQ', compared: true, since: '2026-01-01T00:00:00.000Z' };

describe('what this computer knows of others', () => {
  it('lasts, for each account by itself, in a file for its owner only', async () => {
    const folder = temporaryFolder();
    const [account, other, person, space] = [newUuid(), newUuid(), newUuid(), newUuid()];
    const trust = new FileTrust(new StateFolder(folder), account);
    expect([await trust.key(person), await trust.epoch(space)]).toEqual([null, 0]);
    await trust.putKey(person, known);
    await trust.putEpoch(space, 3);
    await trust.putKey(other, { ...known, compared: false });
    const later = new FileTrust(new StateFolder(folder), account);
    expect([await later.key(person), await later.epoch(space)]).toEqual([known, 3]);
    const stranger = new FileTrust(new StateFolder(folder), other);
    expect([await stranger.key(person), await stranger.epoch(space)]).toEqual([null, 0]);
    expect((await stat(join(folder, 'trust', `${account}.json`))).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['cut', (text: string) => text.slice(0, -10)],
    ['of another shape', () => '{"keys":[],"epochs":{}}'.replace('[]', '{"x":{}}')],
    ['with half a key', (text: string) => text.replace('"compared": true', '"compared": "yes"')],
  ])('that is damaged (%s) is not forgotten silently', async (_how, damage) => {
    const folder = temporaryFolder();
    const account = newUuid();
    const trust = new FileTrust(new StateFolder(folder), account);
    await trust.putKey(newUuid(), known);
    const file = join(folder, 'trust', `${account}.json`);
    await writeFile(file, damage(await readFile(file, 'utf8')));
    await expect(trust.key(newUuid())).rejects.toMatchObject({ code: 'cli.state-damaged' });
    await expect(trust.putEpoch(newUuid(), 1)).rejects.toMatchObject({ code: 'cli.state-damaged' });
  });
});
