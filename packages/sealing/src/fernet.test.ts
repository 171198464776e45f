import { createCipheriv, createHmac } from 'node:crypto';
import { fromUtf8, utf8 } from '@strongroom/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SealingError } from './errors.ts';
import { finishFernetToken, generateFernetKey, layOutFernetToken, parseFernetKey } from './fernet-framing.ts';
import { FernetKey, openFernet, sealFernet, sealFernetWith } from './fernet.ts';

const code = (value: string) => expect.objectContaining({ code: value }) as Error;
const invalid = code('sealing.invalid-token');

/** The specification's generate and verify examples (fernet/spec, generate.json and verify.json). */
const example = {
  token: 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==',
  secret: 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=',
  created: Date.parse('1985-10-26T01:20:00-07:00') / 1000,
  vector: Uint8Array.from({ length: 16 }, (_, index) => index),
};

describe('Fernet on WebCrypto', () => {
  it('generates the token of the specification', async () => {
    const key = await FernetKey.import(example.secret);
    expect(await sealFernetWith(key, utf8('hello'), example.created, example.vector)).toBe(example.token);
  });

  it('verifies the token of the specification', async () => {
    const key = await FernetKey.import(example.secret);
    const content = await openFernet(key, example.token, { now: example.created + 1, ttl: 60 });
    expect(fromUtf8(content)).toBe('hello');
  });

  it('opens what it sealed, and seals the same content differently each time', async () => {
    const key = await FernetKey.import(generateFernetKey());
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (content) => {
        const [one, other] = await Promise.all([
          sealFernet(key, new Uint8Array(content)),
          sealFernet(key, new Uint8Array(content)),
        ]);
        expect(one).not.toBe(other);
        expect(Array.from(await openFernet(key, one, { ttl: 60 }))).toEqual(Array.from(content));
        expect(Array.from(await openFernet(key, Buffer.from(one)))).toEqual(Array.from(content));
      }),
      { numRuns: 40 },
    );
  });

  it('does not open with another key, nor with half of the right one', async () => {
    const parts = parseFernetKey(example.secret);
    const wrong = [
      generateFernetKey(),
      new Uint8Array([...parts.encryptionKey, ...parts.signingKey]),
      new Uint8Array([...parts.signingKey.with(0, 0), ...parts.encryptionKey]),
    ];
    for (const key of wrong)
      await expect(openFernet(await FernetKey.import(key), example.token)).rejects.toThrow(invalid);
  });

  it('does not open with any bit changed', async () => {
    const key = await FernetKey.import(example.secret);
    const bytes = Buffer.from(example.token, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index]! ^= 1 << (index % 8);
      await expect(openFernet(key, `${changed.toString('base64url')}==`)).rejects.toThrow(invalid);
    }
  });

  it('refuses bad padding under a right signature', async () => {
    const parts = parseFernetKey(example.secret);
    const key = await FernetKey.import(example.secret);
    const sign = (plain: Uint8Array): string => {
      const cipher = createCipheriv('aes-128-cbc', parts.encryptionKey, example.vector).setAutoPadding(false);
      const layout = layOutFernetToken(example.created, example.vector, cipher.update(plain), cipher.final());
      return finishFernetToken(layout, createHmac('sha256', parts.signingKey).update(layout.signed).digest());
    };
    const good = new Uint8Array(16).fill(9, 7);
    expect((await openFernet(key, sign(good))).length).toBe(7);
    const bad = [good.with(15, 0), good.with(15, 17), good.with(8, 3), new Uint8Array(16), good.with(15, 0x80)];
    for (const plain of bad) await expect(openFernet(key, sign(plain))).rejects.toThrow(invalid);
  });

  it('tells expiry only to those who hold the key', async () => {
    const late = { now: example.created + 61, ttl: 60 };
    const early = { now: example.created - 61, ttl: 60 };
    const key = await FernetKey.import(example.secret);
    await expect(openFernet(key, example.token, late)).rejects.toThrow(code('sealing.expired-token'));
    await expect(openFernet(key, example.token, early)).rejects.toThrow(code('sealing.expired-token'));
    const other = await FernetKey.import(generateFernetKey());
    await expect(openFernet(other, example.token, late)).rejects.toThrow(invalid);
  });

  it('shows an expired token to the outside as an invalid one', () => {
    const expired = new SealingError('sealing.expired-token').toProblem();
    expect(expired).toEqual(new SealingError('sealing.invalid-token').toProblem());
    expect(new SealingError('sealing.cannot-open').toProblem().code).toBe('sealing.cannot-open');
  });

  it('stamps the time it was given, or the present', async () => {
    const key = await FernetKey.import(generateFernetKey());
    const old = await sealFernet(key, utf8('x'), { now: 1_000_000 });
    await expect(openFernet(key, old, { ttl: 60, now: 1_000_060 })).resolves.toEqual(utf8('x'));
    await expect(openFernet(key, old, { ttl: 60 })).rejects.toThrow(code('sealing.expired-token'));
  });
});
