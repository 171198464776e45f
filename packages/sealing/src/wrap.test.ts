import { readFileSync } from 'node:fs';
import { fromBase64Url, fromHex, newUuid, toBase64Url, toHex } from '@strongroom/kernel';
import { corpora, needs } from '@strongroom/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importSecret } from './internal/hkdf.ts';
import { unwrap, wrap, wrappedLength, type WrapContext } from './wrap.ts';

const cannotOpen = expect.objectContaining({ code: 'sealing.cannot-open' }) as Error;
const secret = (): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(32));
const key = await importSecret(secret());
const context: WrapContext = ['space-key', newUuid(), 7];

describe('wraps', () => {
  it('open under the same key and context', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (content) => {
        const wrapping = await wrap(key, context, new Uint8Array(content));
        expect(fromBase64Url(wrapping).length).toBe(wrappedLength(content.length));
        expect(Array.from(await unwrap(key, context, wrapping))).toEqual(Array.from(content));
      }),
      { numRuns: 30 },
    );
  });

  it('begin with version 1 and are different every time', async () => {
    const content = secret();
    const wraps = await Promise.all(Array.from({ length: 20 }, () => wrap(key, context, content)));
    const parts = wraps.map((wrapping) => toHex(fromBase64Url(wrapping)));
    for (const part of parts) expect(part.slice(0, 2)).toBe('01');
    // Salt, commitment, ciphertext and tag are all fresh.
    for (const [from, to] of [
      [2, 66],
      [66, 130],
      [130, 194],
      [194, 226],
    ]) {
      expect(new Set(parts.map((part) => part.slice(from, to))).size).toBe(20);
    }
  });

  it('do not open under another key', async () => {
    const wrapping = await wrap(key, context, secret());
    await expect(unwrap(await importSecret(secret()), context, wrapping)).rejects.toThrow(cannotOpen);
  });

  it.each<[string, WrapContext]>([
    ['another kind', ['space-name', context[1]!, 7]],
    ['another id', ['space-key', newUuid(), 7]],
    ['another number', ['space-key', context[1]!, 8]],
    ['a number as text', ['space-key', context[1]!, '7']],
    ['one part fewer', ['space-key', context[1]!]],
    ['one part more', ['space-key', context[1]!, 7, '']],
    ['parts run together', [`space-key${context[1] as string}`, 7]],
  ])('do not open in another context: %s', async (_, other) => {
    const wrapping = await wrap(key, context, secret());
    await expect(unwrap(key, other, wrapping)).rejects.toThrow(cannotOpen);
  });

  it('do not open with any bit changed, any length changed or of another version', async () => {
    const wrapping = await wrap(key, context, secret());
    const bytes = fromBase64Url(wrapping);
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = toBase64Url(bytes.with(index, bytes[index]! ^ (1 << (index % 8))));
      await expect(unwrap(key, context, changed), `byte ${index}`).rejects.toThrow(cannotOpen);
      await expect(unwrap(key, context, toBase64Url(bytes.subarray(0, index)))).rejects.toThrow(cannotOpen);
    }
    for (const other of [`${wrapping}AAAA`, '', 'no base64url!', `${wrapping}=`]) {
      await expect(unwrap(key, context, other)).rejects.toThrow(cannotOpen);
    }
  });
});

interface AeadCase {
  tcId: number;
  key: string;
  iv: string;
  aad: string;
  msg: string;
  ct: string;
  tag: string;
  result: 'valid' | 'invalid';
}

describe.skipIf(!needs('corpora:wycheproof'))('AES-GCM of the platform', () => {
  it('passes every Wycheproof case of the only parameters used here: 256-bit key, 96-bit nonce, 128-bit tag', async () => {
    const file = JSON.parse(readFileSync(corpora('wycheproof', 'aes_gcm_test.json')!, 'utf8')) as {
      testGroups: { ivSize: number; keySize: number; tagSize: number; tests: AeadCase[] }[];
    };
    const cases = file.testGroups
      .filter((group) => group.ivSize === 96 && group.keySize === 256 && group.tagSize === 128)
      .flatMap((group) => group.tests);
    expect(cases.length).toBeGreaterThan(60);
    for (const test of cases) {
      const imported = await crypto.subtle.importKey('raw', fromHex(test.key), 'AES-GCM', false, ['decrypt']);
      const opened = crypto.subtle.decrypt(
        { name: 'AES-GCM', iv: fromHex(test.iv), additionalData: fromHex(test.aad) },
        imported,
        fromHex(test.ct + test.tag),
      );
      if (test.result === 'valid') expect(toHex(new Uint8Array(await opened)), `case ${test.tcId}`).toBe(test.msg);
      else await expect(opened, `case ${test.tcId}`).rejects.toThrow();
    }
  });
});
