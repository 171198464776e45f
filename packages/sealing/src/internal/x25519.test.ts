import { readFileSync } from 'node:fs';
import { concatBytes, fromHex, toHex, type Bytes } from '@strongroom/kernel';
import { corpora, needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { generateKeyPair, importPrivateKey, isPublicKey } from './x25519.ts';

const agree = async (privateKey: CryptoKey, publicKey: Bytes): Promise<string> => {
  const imported = await crypto.subtle.importKey('raw', publicKey, 'X25519', false, []);
  return toHex(new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: imported }, privateKey, 256)));
};

interface AgreementCase {
  tcId: number;
  flags: string[];
  public: string;
  private: string;
  shared: string;
}

describe('X25519 key pairs', () => {
  it('agree on a shared secret', async () => {
    const [one, other, third] = await Promise.all([generateKeyPair(), generateKeyPair(), generateKeyPair()]);
    const shared = await agree(await importPrivateKey(one.privateKey), other.publicKey.subarray(1));
    expect(await agree(await importPrivateKey(other.privateKey), one.publicKey.subarray(1))).toBe(shared);
    expect(await agree(await importPrivateKey(third.privateKey), one.publicKey.subarray(1))).not.toBe(shared);
  });

  it('carry an algorithm byte, and no other is taken', async () => {
    const pair = await generateKeyPair();
    expect(pair.publicKey.length).toBe(33);
    expect(pair.publicKey[0]).toBe(1);
    expect(pair.privateKey.length).toBe(33);
    expect(isPublicKey(pair.publicKey)).toBe(true);
    expect(isPublicKey(pair.publicKey.with(0, 2))).toBe(false);
    expect(isPublicKey(pair.publicKey.subarray(1))).toBe(false);
    const refused = expect.objectContaining({ code: 'sealing.cannot-open' }) as Error;
    await expect(importPrivateKey(pair.privateKey.with(0, 2))).rejects.toThrow(refused);
    await expect(importPrivateKey(pair.privateKey.subarray(1))).rejects.toThrow(refused);
  });

  it('give the platform keys that cannot be exported', async () => {
    const key = await importPrivateKey((await generateKeyPair()).privateKey);
    await expect(crypto.subtle.exportKey('pkcs8', key)).rejects.toThrow();
  });

  it.skipIf(!needs('corpora:wycheproof'))(
    'give the secret of every Wycheproof case or, for an all-zero one, refuse (RFC 7748 §6.1)',
    async () => {
      const file = JSON.parse(readFileSync(corpora('wycheproof', 'x25519_test.json')!, 'utf8')) as {
        numberOfTests: number;
        testGroups: { tests: AgreementCase[] }[];
      };
      const cases = file.testGroups.flatMap((group) => group.tests);
      expect(cases.length).toBe(file.numberOfTests);
      let refused = 0;
      for (const { tcId, private: scalar, public: point, shared } of cases) {
        const privateKey = await importPrivateKey(concatBytes(Uint8Array.of(1), fromHex(scalar)));
        const agreement = agree(privateKey, fromHex(point));
        if (/^0+$/.test(shared)) {
          await expect(agreement, `case ${tcId}`).rejects.toThrow();
          refused += 1;
        } else {
          expect(await agreement, `case ${tcId}`).toBe(shared);
        }
      }
      expect(refused).toBeGreaterThan(0);
    },
  );
});
