/** Bundles, proofs and checkpoints by the command line: from a running server, from the folder of a stopped one, and with an account. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  encodeEntry,
  formatVerifierKey,
  parseVerifierKey,
  readEventJson,
  verifierKey,
} from '@strongroom/audit-log/verify';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { Device, startVault } from './running-vault.fixture.ts';

describe('audit bundle, prove and checkpoint', () => {
  it('hold offline, and every change is told by its exit code', async () => {
    const vault = await startVault();
    const ada = new Device();
    await ada.lines('signup', '--invitation', vault.setupLink!);
    await ada.lines('remember', 'the spare key is with Ines');
    await ada.lines('audit', 'verify');
    const files = temporaryFolder();
    const file = (name: string) => path.join(files, name);

    await ada.lines('audit', 'bundle', '--out', file('own'));
    await ada.lines('audit', 'bundle', '--data', vault.data, '--out', file('all'));
    await ada.lines('audit', 'bundle', '--data', vault.data, '--from', '1', '--to', '2', '--out', file('part'));
    await ada.lines('audit', 'prove', '0', '--data', vault.data, '--out', file('proof'));
    const note = await ada.lines('audit', 'checkpoint', '--data', vault.data);
    writeFileSync(file('checkpoint'), note);
    const publish = ['audit', 'checkpoint', '--data', vault.data, '--publish', file('published')];
    const published = await ada.json<{ size: number; keys: string[] }>(...publish);
    await vault.stop();
    await ada.lines('audit', 'bundle', '--data', vault.data, '--out', file('stopped'));
    const grown = await ada.json<{ size: number; keys: string[] }>(...publish, '--entries');
    expect(grown.size).toBeGreaterThan(published.size);

    for (const name of ['own', 'all', 'part', 'stopped']) {
      const { code, stdout } = await ada.run(['audit', 'verify', '--bundle', file(name)]);
      expect(stdout, name).toMatch(/^UNANCHORED, INTACT/);
      expect(code).toBe(7);
    }
    const [header] = readFileSync(file('all'), 'utf8').split('\n');
    const { keys } = JSON.parse(header!) as { keys: string[] };
    const pinned = keys.flatMap((key) => ['--key', key]);
    expect(await ada.run(['audit', 'verify', '--proof', file('proof'), ...pinned])).toMatchObject({ code: 7 });
    const seen = ['audit', 'verify', '--bundle', file('stopped'), '--seen', file('checkpoint')];
    expect(await ada.run(seen)).toMatchObject({ code: 7 });

    const changed = readFileSync(file('all'), 'utf8').replace('"outcome":"success"', '"outcome":"failure"');
    writeFileSync(file('changed'), changed);
    expect(await ada.run(['audit', 'verify', '--bundle', file('changed')])).toMatchObject({ code: 3 });
    expect(await ada.run(['audit', 'verify', '--bundle', file('none')])).toMatchObject({ code: 1 });
    expect(await ada.run(['audit', 'verify', '--bundle', file('all'), '--proof', file('proof')])).toMatchObject({
      code: 2,
    });
    expect(await ada.run(['audit', 'verify', '--tiles', file('published'), ...pinned])).toMatchObject({ code: 7 });
    expect(await ada.run(['audit', 'checkpoint', '--data', vault.data, '--entries'])).toMatchObject({ code: 2 });
    // A checkpoint and no tiles is a log without its entries; no checkpoint is no log.
    expect(await ada.run(['audit', 'verify', '--tiles', files, ...pinned])).toMatchObject({ code: 3 });
    expect(await ada.run(['audit', 'verify', '--tiles', vault.data, ...pinned])).toMatchObject({ code: 1 });

    // The log lines of a policy stand for --key: what any of them signed is the log, and nothing else is.
    const { name } = parseVerifierKey(keys[0]!);
    const foreign = formatVerifierKey(verifierKey(name, 'ed25519', new Uint8Array(32)));
    const policies = { one: [foreign, keys[1]!], foreign: [foreign], none: [] };
    for (const [kind, logs] of Object.entries(policies)) {
      writeFileSync(file(`${kind}.policy`), `${logs.map((key) => `log ${key}\n`).join('')}quorum none\n`);
    }
    const judged = async (...options: string[]) => (await ada.run(['audit', 'verify', ...options])).code;
    for (const [kind, place] of [
      ['--bundle', 'all'],
      ['--tiles', 'published'],
      ['--proof', 'proof'],
    ] as const) {
      const by = (policy: string) => judged(kind, file(place), '--policy', file(`${policy}.policy`));
      expect([await by('one'), await by('foreign')], kind).toEqual([7, 3]);
      expect(await by('none'), kind).toBe(kind === '--bundle' ? 7 : 2);
    }
    const tiles = ['--tiles', file('published'), ...pinned];
    expect(await judged(...tiles, '--policy', file('foreign.policy'))).toBe(7);
    expect(await judged(...tiles, '--origin', name)).toBe(7);
    expect(await judged(...tiles, '--origin', 'example.com/other')).toBe(3);
    expect(await judged('--origin', name)).toBe(2);
    // A proof of somebody else's log shows no event; what it is about comes beside it.
    const proof = readFileSync(file('proof'), 'utf8');
    const { event } = JSON.parse(Buffer.from(/^extra (.*)$/m.exec(proof)![1]!, 'base64').toString()) as {
      event: unknown;
    };
    writeFileSync(file('foreign-proof'), proof.replace(/^extra .*\n/m, ''));
    writeFileSync(file('entry'), encodeEntry(readEventJson(event)));
    expect(await judged('--proof', file('foreign-proof'), ...pinned)).toBe(1);
    expect(await judged('--proof', file('foreign-proof'), '--entry', file('entry'), ...pinned)).toBe(7);
    expect(await judged('--proof', file('foreign-proof'), '--entry', file('proof'), ...pinned)).toBe(3);
    expect(await judged('--bundle', file('all'), '--entry', file('entry'))).toBe(2);
    const broken = [Buffer.from('— x'), Buffer.from([0xff]), Buffer.from(' AAAAAAA=\n')];
    writeFileSync(file('broken'), Buffer.concat([readFileSync(file('proof')), ...broken]));
    expect(await judged('--proof', file('broken'), ...pinned)).toBe(1);
  });
});
