import { fromBase64Url, newUuid, toBase64Url } from '@strongroom/kernel';
import { beforeAll, describe, expect, it } from 'vitest';
import { AccountKeys } from './account.ts';
import { importSecret } from './internal/hkdf.ts';
import { generateKeyPair, importPrivateKey } from './internal/x25519.ts';
import { openSharedSpaceKey, shareSpaceKey } from './shared-space-key.ts';
import { createSpaceKey, openSpaceKey, openSpaceName, sealSpaceName, type CreatedSpaceKey } from './space.ts';

const cannotOpen = expect.objectContaining({ code: 'sealing.cannot-open' }) as Error;

const anyAccount = async (account = newUuid()): Promise<AccountKeys> => {
  const pair = await generateKeyPair();
  const secret = await importSecret(crypto.getRandomValues(new Uint8Array(32)));
  return new AccountKeys(account, pair.publicKey, await importPrivateKey(pair.privateKey), secret);
};

describe('a shared space key', () => {
  const space = newUuid();
  let anna: AccountKeys;
  let ben: AccountKeys;
  let eve: AccountKeys;
  let created: CreatedSpaceKey;
  let shared: string;
  beforeAll(async () => {
    [anna, ben, eve] = await Promise.all([anyAccount(), anyAccount(), anyAccount()]);
    created = await createSpaceKey(anna, space, 3);
    shared = await shareSpaceKey(anna, space, 3, created.wrapping, ben);
  });

  it('is 81 bytes, opens for its recipient and is theirs from then on', async () => {
    expect(fromBase64Url(shared)).toHaveLength(81);
    const name = await sealSpaceName(created.spaceKey, 'Home');
    const taken = await openSharedSpaceKey(ben, space, 3, shared, anna);
    expect(await openSpaceName(taken.spaceKey, name)).toBe('Home');
    expect(await openSpaceName(await openSpaceKey(ben, space, 3, taken.wrapping), name)).toBe('Home');
    await expect(openSpaceKey(anna, space, 3, taken.wrapping)).rejects.toThrow(cannotOpen);
  });

  it('can be passed on by whoever took it', async () => {
    const { wrapping } = await openSharedSpaceKey(ben, space, 3, shared, anna);
    const further = await shareSpaceKey(ben, space, 3, wrapping, eve);
    const name = await sealSpaceName(created.spaceKey, 'Home');
    expect(await openSpaceName((await openSharedSpaceKey(eve, space, 3, further, ben)).spaceKey, name)).toBe('Home');
  });

  it('does not open for another account, space, epoch or recipient id', async () => {
    await expect(openSharedSpaceKey(eve, space, 3, shared, anna)).rejects.toThrow(cannotOpen);
    await expect(openSharedSpaceKey(ben, newUuid(), 3, shared, anna)).rejects.toThrow(cannotOpen);
    await expect(openSharedSpaceKey(ben, space, 2, shared, anna)).rejects.toThrow(cannotOpen);
    const renamed = new AccountKeys(newUuid(), ben.publicKey, ben.privateKey, ben.wrappingKey);
    await expect(openSharedSpaceKey(renamed, space, 3, shared, anna)).rejects.toThrow(cannotOpen);
  });

  it('does not open as from anybody else than its sender', async () => {
    await expect(openSharedSpaceKey(ben, space, 3, shared, eve)).rejects.toThrow(cannotOpen);
    await expect(
      openSharedSpaceKey(ben, space, 3, shared, { account: anna.account, publicKey: eve.publicKey }),
    ).rejects.toThrow(cannotOpen);
    await expect(
      openSharedSpaceKey(ben, space, 3, shared, { account: eve.account, publicKey: anna.publicKey }),
    ).rejects.toThrow(cannotOpen);
  });

  it('cannot be made by somebody who knows only public keys and the space key', async () => {
    // What a server could do: it knows every public key and may choose a space key of its own, but has no private key of Anna's.
    const own = await createSpaceKey(eve, space, 3);
    const pretending = new AccountKeys(anna.account, anna.publicKey, eve.privateKey, eve.wrappingKey);
    const ownOfAnna = await createSpaceKey(pretending, space, 3);
    const forged = await shareSpaceKey(pretending, space, 3, ownOfAnna.wrapping, ben);
    await expect(openSharedSpaceKey(ben, space, 3, forged, anna)).rejects.toThrow(cannotOpen);
    await expect(shareSpaceKey(pretending, space, 3, own.wrapping, ben)).rejects.toThrow(cannotOpen);
  });

  it('does not open after any change of a byte, nor cut, nor longer', async () => {
    const bytes = fromBase64Url(shared);
    for (const position of bytes.keys()) {
      const changed = bytes.slice();
      changed[position]! ^= 0x01;
      await expect(openSharedSpaceKey(ben, space, 3, toBase64Url(changed), anna)).rejects.toThrow(cannotOpen);
    }
    for (const other of [shared.slice(0, -4), `${shared}AAAA`, '', 'no base64url!', created.wrapping]) {
      await expect(openSharedSpaceKey(ben, space, 3, other, anna)).rejects.toThrow(cannotOpen);
    }
  });

  it('is different every time', async () => {
    expect(await shareSpaceKey(anna, space, 3, created.wrapping, ben)).not.toBe(shared);
  });

  it.each([
    ['a point of small order', new Uint8Array(33).fill(0).with(0, 1)],
    ['another algorithm', new Uint8Array(33).fill(9).with(0, 2)],
    ['another length', new Uint8Array(32).fill(1)],
  ])('is not made for, nor taken from, a public key that is %s', async (_what, publicKey) => {
    const nobody = { account: newUuid(), publicKey };
    await expect(shareSpaceKey(anna, space, 3, created.wrapping, nobody)).rejects.toThrow(cannotOpen);
    await expect(openSharedSpaceKey(ben, space, 3, shared, nobody)).rejects.toThrow(cannotOpen);
  });
});
