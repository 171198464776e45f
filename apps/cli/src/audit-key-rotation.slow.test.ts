/** New keys for the log by the command line: whoever trusted the former ones follows, over the network, on the machine and offline. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { figure, temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { Device, startVault } from './running-vault.fixture.ts';

describe('audit checkpoint --rotate-key', () => {
  it('is followed by everybody who remembers the former keys', async () => {
    const vault = await startVault();
    const ada = new Device();
    await ada.lines('signup', '--invitation', vault.setupLink!);
    const files = temporaryFolder();
    const file = (name: string) => path.join(files, name);
    const onMachine = ['audit', 'verify', '--data', vault.data];
    const rotate = ['audit', 'checkpoint', '--data', vault.data, '--rotate-key'];
    const keysOf = (bundle: string) =>
      (JSON.parse(readFileSync(file(bundle), 'utf8').split('\n')[0]!) as { keys: string[] }).keys;
    const pinned = (keys: readonly string[]) => keys.flatMap((key) => ['--key', key]);
    // Remembered on this computer, for both ways.
    await ada.lines('audit', 'verify');
    await ada.lines(...onMachine);
    await ada.lines('audit', 'bundle', '--data', vault.data, '--out', file('before'));
    await ada.lines('audit', 'prove', '0', '--data', vault.data, '--out', file('proof-before'));

    const first = await ada.json<{ size: number; keys: string[] }>(...rotate, '--out', file('handover'));
    expect(first.keys).toHaveLength(2);
    await ada.lines('remember', 'signed with the new keys');
    expect(await ada.lines('audit', 'verify')).toMatch(/^INTACT/);
    expect(await ada.lines(...onMachine)).toMatch(/^INTACT/);
    await vault.stop();
    await ada.lines(...rotate);
    expect(await ada.lines(...onMachine)).toMatch(/^INTACT/);
    expect(await ada.run(['audit', 'verify', '--data', vault.data])).toMatchObject({ code: 0 });

    await ada.lines('audit', 'bundle', '--data', vault.data, '--out', file('after'));
    await ada.lines('audit', 'prove', '0', '--data', vault.data, '--out', file('proof-after'));
    await ada.lines('audit', 'checkpoint', '--data', vault.data, '--publish', file('published'));
    const former = pinned(keysOf('before'));
    const present = pinned(keysOf('after'));
    const offline = async (...parameters: readonly string[]) =>
      (await ada.run(['audit', 'verify', ...parameters])).code;
    for (const keys of [former, present, former.slice(0, 2)]) {
      expect(await offline('--bundle', file('after'), ...keys)).toBe(7);
      expect(await offline('--tiles', file('published'), ...keys)).toBe(7);
    }
    expect(await offline('--bundle', file('before'), ...former)).toBe(7);
    expect(await offline('--bundle', file('before'), ...present)).toBe(3);
    expect(await offline('--proof', file('proof-before'), ...former)).toBe(7);
    // A proof shows no change of keys: somebody has to.
    expect(await offline('--proof', file('proof-after'), ...former)).toBe(3);
    const published = [file('handover'), path.join(file('published'), 'handovers')];
    expect(readFileSync(published[0]!, 'utf8')).toBe(
      readFileSync(path.join(published[1]!, String(first.size)), 'utf8'),
    );
    const middle = pinned(first.keys);
    expect(await offline('--bundle', file('before'), ...middle, '--handover', file('handover'))).toBe(7);
    rmSync(published[1]!, { recursive: true });
    expect(await offline('--tiles', file('published'), ...former)).toBe(3);
    expect(await ada.run(['audit', 'checkpoint', '--rotate-key'])).toMatchObject({ code: 2 });
    figure('two changes of the log’s keys followed over the network, on the machine, by bundle, tiles and proof');
  });
});
