/** Vectors from c2sp.org/XAES-256-GCM. */
import { createHash, createSecretKey } from 'node:crypto';
import { fromHex, toHex, utf8 } from '@strongroom/kernel';
import { figure } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { XaesKey } from './xaes-gcm.ts';

const nonce = utf8('ABCDEFGHIJKLMNOPQRSTUVWX');

describe('XAES-256-GCM', () => {
  it.each([
    // The encrypted zero block starts with a zero bit, and with a one bit.
    [0x01, '', 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271'],
    [0x03, 'c2sp.org/XAES-256-GCM', '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d'],
  ])('published vector with key bytes %i', (fill, aad, expected) => {
    const key = new XaesKey(createSecretKey(new Uint8Array(32).fill(fill)));
    const { ciphertext, tag } = key.encrypt(nonce, utf8(aad), 'XAES-256-GCM');
    expect(toHex(ciphertext) + toHex(tag)).toBe(expected);
    const sealed = fromHex(expected);
    const open = (bytes: Uint8Array, data = aad): string | undefined =>
      key.decrypt(nonce, utf8(data), bytes.subarray(0, -16), bytes.subarray(-16))?.toString();
    expect(open(sealed)).toBe('XAES-256-GCM');
    expect(open(sealed, `${aad} `)).toBeUndefined();
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Uint8Array.from(sealed);
      changed[index]! ^= 1;
      expect(open(changed)).toBeUndefined();
    }
  });

  it('accumulated hash of 10,000 random operations', () => {
    const iterations = 10_000;
    // One iteration draws at most 32 + 24 + 2 + 2 · 255 bytes; the generator is one SHAKE-128 stream.
    const stream = createHash('shake128', { outputLength: iterations * 568 }).digest();
    let offset = 0;
    const draw = (length: number): Buffer => stream.subarray(offset, (offset += length));
    const drawPrefixed = (): Buffer => draw(draw(1).readUInt8());
    const accumulator = createHash('shake128', { outputLength: 32 });
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      const key = new XaesKey(createSecretKey(draw(32)));
      const drawn = draw(24);
      const plaintext = drawPrefixed();
      const aad = drawPrefixed();
      const { ciphertext, tag } = key.encrypt(drawn, aad, plaintext);
      if (!key.decrypt(drawn, aad, ciphertext, tag)?.equals(plaintext)) expect.fail(`iteration ${iteration}`);
      accumulator.update(ciphertext).update(tag);
    }
    expect(accumulator.digest('hex')).toBe('e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939');
    figure('XAES-256-GCM: both published vectors and the accumulated hash of 10,000 operations');
  });

  it('derives from every bit of the first half of the nonce', () => {
    const key = new XaesKey(createSecretKey(new Uint8Array(32).fill(9)));
    const seen = new Set([toHex(key.encrypt(nonce, utf8(''), 'x').tag)]);
    for (let bit = 0; bit < 192; bit += 1) {
      const changed = Uint8Array.from(nonce);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      seen.add(toHex(key.encrypt(changed, utf8(''), 'x').tag));
    }
    expect(seen.size).toBe(193);
  });
});
