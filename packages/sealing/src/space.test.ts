import { newUuid } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { AccountKeys } from './account.ts';
import { importSecret } from './internal/hkdf.ts';
import { generateKeyPair, importPrivateKey } from './internal/x25519.ts';
import { createSpaceKey, openSpaceKey, openSpaceName, sealSpaceName } from './space.ts';

const cannotOpen = expect.objectContaining({ code: 'sealing.cannot-open' }) as Error;

/** Account keys without the slow way through a password. */
const anyAccount = async (account = newUuid(), secret = crypto.getRandomValues(new Uint8Array(32))) => {
  const pair = await generateKeyPair();
  return new AccountKeys(account, pair.publicKey, await importPrivateKey(pair.privateKey), await importSecret(secret));
};

describe('space keys', () => {
  it('open for the account, space and epoch they were wrapped for, and for no other', async () => {
    const secret = new Uint8Array(32).fill(3);
    const keys = await anyAccount(newUuid(), secret);
    const space = newUuid();
    const { spaceKey, wrapping } = await createSpaceKey(keys, space);
    expect(spaceKey.epoch).toBe(1);
    const opened = await openSpaceKey(keys, space, 1, wrapping);
    expect(await openSpaceName(opened, await sealSpaceName(spaceKey, 'Home'))).toBe('Home');

    await expect(openSpaceKey(keys, newUuid(), 1, wrapping)).rejects.toThrow(cannotOpen);
    await expect(openSpaceKey(keys, space, 2, wrapping)).rejects.toThrow(cannotOpen);
    await expect(openSpaceKey(await anyAccount(), space, 1, wrapping)).rejects.toThrow(cannotOpen);
    await expect(openSpaceKey(await anyAccount(newUuid(), secret), space, 1, wrapping)).rejects.toThrow(cannotOpen);
  });

  it('are new in every epoch', async () => {
    const keys = await anyAccount();
    const space = newUuid();
    const first = await createSpaceKey(keys, space);
    const second = await createSpaceKey(keys, space, 2);
    const name = await sealSpaceName(first.spaceKey, 'Home');
    await expect(openSpaceName(second.spaceKey, name)).rejects.toThrow(cannotOpen);
  });

  it('count epochs from 1', async () => {
    const keys = await anyAccount();
    for (const epoch of [0, -1, 1.5, 2 ** 31, Number.NaN]) {
      await expect(createSpaceKey(keys, newUuid(), epoch)).rejects.toThrow(RangeError);
      await expect(openSpaceKey(keys, newUuid(), epoch, '')).rejects.toThrow(RangeError);
    }
  });
});

describe('space names', () => {
  it('hide their length up to 255 bytes', async () => {
    const { spaceKey } = await createSpaceKey(await anyAccount(), newUuid());
    const names = ['', 'A', '家族の思い出', 'x'.repeat(255)];
    const sealed = await Promise.all(names.map((name) => sealSpaceName(spaceKey, name)));
    expect(new Set(sealed.map((text) => text.length)).size).toBe(1);
    for (const [index, name] of names.entries()) expect(await openSpaceName(spaceKey, sealed[index]!)).toBe(name);
  });

  it('do not open in another space, nor when cut', async () => {
    const keys = await anyAccount();
    const [one, other] = await Promise.all([createSpaceKey(keys, newUuid()), createSpaceKey(keys, newUuid())]);
    const sealed = await sealSpaceName(one.spaceKey, 'Home');
    await expect(openSpaceName(other.spaceKey, sealed)).rejects.toThrow(cannotOpen);
    await expect(openSpaceName(one.spaceKey, sealed.slice(0, -4))).rejects.toThrow(cannotOpen);
  });
});
