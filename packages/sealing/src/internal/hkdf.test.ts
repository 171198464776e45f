import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '@strongroom/kernel';
import { corpora, needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { NO_SALT, deriveBytes, importSecret } from './hkdf.ts';

/** RFC 5869 appendix A, the SHA-256 cases: input key, salt, info, output. */
const rfc5869 = [
  [
    '0b'.repeat(22),
    '000102030405060708090a0b0c',
    'f0f1f2f3f4f5f6f7f8f9',
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  ],
  [
    toHex(Uint8Array.from({ length: 80 }, (_, index) => index)),
    toHex(Uint8Array.from({ length: 80 }, (_, index) => 0x60 + index)),
    toHex(Uint8Array.from({ length: 80 }, (_, index) => 0xb0 + index)),
    'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
  ],
  ['0b'.repeat(22), '', '', '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8'],
] as const;

interface HkdfCase {
  tcId: number;
  ikm: string;
  salt: string;
  info: string;
  size: number;
  okm: string;
  result: 'valid' | 'invalid';
}

describe('HKDF-SHA-256', () => {
  it.each(rfc5869)('gives the output of RFC 5869 for input key %s', async (secret, salt, info, output) => {
    const key = await importSecret(fromHex(secret));
    const derived = await deriveBytes(key, fromHex(salt), fromHex(info), output.length / 2);
    expect(toHex(derived)).toBe(output);
    expect(await deriveBytes(key, fromHex(salt), fromHex(`${info}00`), output.length / 2)).not.toEqual(derived);
  });

  it('without a salt equals a salt of 32 zeros, as RFC 5869 §2.2 says', async () => {
    const key = await importSecret(new Uint8Array(32).fill(5));
    expect(await deriveBytes(key, NO_SALT, NO_SALT, 64)).toEqual(
      await deriveBytes(key, new Uint8Array(32), NO_SALT, 64),
    );
  });

  it.skipIf(!needs('corpora:wycheproof'))('passes every Wycheproof case', async () => {
    const file = JSON.parse(readFileSync(corpora('wycheproof', 'hkdf_sha256_test.json')!, 'utf8')) as {
      numberOfTests: number;
      testGroups: { tests: HkdfCase[] }[];
    };
    const cases = file.testGroups.flatMap((group) => group.tests);
    expect(cases.length).toBe(file.numberOfTests);
    for (const { tcId, ikm, salt, info, size, okm, result } of cases) {
      const derived = deriveBytes(await importSecret(fromHex(ikm)), fromHex(salt), fromHex(info), size);
      if (result === 'valid') expect(toHex(await derived), `case ${tcId}`).toBe(okm);
      else await expect(derived, `case ${tcId}`).rejects.toThrow();
    }
  });
});
