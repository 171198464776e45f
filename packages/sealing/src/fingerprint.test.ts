import { newUuid, parseUuid } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, sameFingerprint } from './fingerprint.ts';

const publicKey = new Uint8Array(33).fill(7).with(0, 1);
const account = parseUuid('01890a5d-ac96-774b-bcce-b302099a8057');

describe('fingerprints', () => {
  it('are six groups of five digits, the same for the same person and key', async () => {
    const fingerprint = await fingerprintOf({ account, publicKey });
    expect(fingerprint).toMatch(/^\d{5}( \d{5}){5}$/);
    expect(await fingerprintOf({ account, publicKey: publicKey.slice() })).toBe(fingerprint);
  });

  it('stay what docs/format/sealing.md says', async () => {
    expect(await fingerprintOf({ account, publicKey })).toBe('65060 97361 74469 54346 69591 36019');
  });

  it('differ for another key and for another person', async () => {
    const seen = new Set([
      await fingerprintOf({ account, publicKey }),
      await fingerprintOf({ account: newUuid(), publicKey }),
      await fingerprintOf({ account, publicKey: publicKey.with(32, 8) }),
    ]);
    expect(seen.size).toBe(3);
  });

  it('are compared however they were typed, and only whole', () => {
    const text = '12345 00000 99999 00001 54321 11111';
    expect(sameFingerprint(text, '12345-00000-99999-00001-54321-11111 ')).toBe(true);
    expect(sameFingerprint(text, '123450000099999000015432111111')).toBe(true);
    expect(sameFingerprint(text, '12345 00000 99999 00001 54321 11112')).toBe(false);
    expect(sameFingerprint('12345', '12345')).toBe(false);
    expect(sameFingerprint('', '')).toBe(false);
  });

  it('are not made of something that is no public key', async () => {
    await expect(fingerprintOf({ account, publicKey: publicKey.with(0, 9) })).rejects.toMatchObject({
      code: 'sealing.cannot-open',
    });
  });
});
