/** What one member shares, opened by a program written from docs/format/sealing.md and RFC 9180, which knows nothing of this package. */
import { fromBase64Url, newUuid, toBase64Url } from '@strongroom/kernel';
import { needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { AccountKeys } from './account.ts';
import { fingerprintOf } from './fingerprint.ts';
import { importSecret } from './internal/hkdf.ts';
import { generateKeyPair, importPrivateKey } from './internal/x25519.ts';
import { runFormatProgram } from './python.test-support.ts';
import { shareSpaceKey } from './shared-space-key.ts';
import { openSpaceName, sealSpaceName, takeSpaceKey } from './space.ts';

describe.skipIf(!needs('python-cryptography'))('docs/format/open_shared_key.py', () => {
  it('opens a shared key, says the same fingerprint, and opens nothing that was exchanged', async () => {
    const people = await Promise.all(
      [0, 1].map(async () => {
        const pair = await generateKeyPair();
        const secret = await importSecret(crypto.getRandomValues(new Uint8Array(32)));
        const keys = new AccountKeys(newUuid(), pair.publicKey, await importPrivateKey(pair.privateKey), secret);
        return { keys, privateKey: toBase64Url(pair.privateKey) };
      }),
    );
    const [anna, ben] = people as [(typeof people)[0], (typeof people)[0]];
    const space = newUuid();
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    const { wrapping } = await takeSpaceKey(anna.keys, space, 7, bytes.slice());
    const named = ({ keys }: typeof anna) => ({ account: keys.account, publicKey: toBase64Url(keys.publicKey) });
    const question = {
      space,
      epoch: 7,
      shared: await shareSpaceKey(anna.keys, space, 7, wrapping, ben.keys),
      sender: named(anna),
      recipient: named(ben),
      privateKey: ben.privateKey,
    };
    const changes = [{ epoch: 8 }, { space: newUuid() }, { sender: named(ben) }, { privateKey: anna.privateKey }];
    const [run, ...refused] = runFormatProgram('open_shared_key.py', [
      question,
      ...changes.map((change) => ({ ...question, ...change })),
    ]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    const opened = JSON.parse(run!.stdout) as { spaceKey: string; fingerprint: string };
    expect(opened).toEqual({ spaceKey: toBase64Url(bytes), fingerprint: await fingerprintOf(anna.keys) });
    // What it opened is the key itself: it names the space.
    const taken = await takeSpaceKey(ben.keys, space, 7, fromBase64Url(opened.spaceKey));
    const original = await takeSpaceKey(anna.keys, space, 7, bytes);
    expect(await openSpaceName(taken.spaceKey, await sealSpaceName(original.spaceKey, 'Home'))).toBe('Home');

    for (const [index, change] of changes.entries()) {
      expect(refused[index]!.stderr, JSON.stringify(Object.keys(change))).toContain('cannot open');
    }
  });
});
