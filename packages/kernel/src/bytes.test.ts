import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromHex,
  fromUtf8,
  lengthPrefixed,
  toBase64,
  toBase64Url,
  toHex,
  uint32,
  utf8,
} from './bytes.ts';

describe('bytes', () => {
  it('round-trips every encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      }),
    );
  });

  it('encodes more than one chunk of base64', () => {
    const bytes = new Uint8Array(100_000).map((_, index) => index % 251);
    expect(fromBase64(toBase64(bytes))).toEqual(bytes);
  });

  it.each(['A', 'AB==CD', 'AA=', 'A A=', 'AB==', '-_==', 'AAAA\n'])('refuses base64 %j', (text) => {
    expect(() => fromBase64(text)).toThrow(expect.objectContaining({ code: 'kernel.invalid-encoding' }));
  });

  it.each(['A', 'AB', 'AA==', 'A+', 'A/'])('refuses base64url %j', (text) => {
    expect(() => fromBase64Url(text)).toThrow(expect.objectContaining({ code: 'kernel.invalid-encoding' }));
  });

  it.each(['0', 'AB', 'zz', ' 00'])('refuses hexadecimal %j', (text) => {
    expect(() => fromHex(text)).toThrow(expect.objectContaining({ code: 'kernel.invalid-encoding' }));
  });

  it('refuses malformed UTF-8 instead of replacing it', () => {
    expect(fromUtf8(utf8('Zoë 東京'))).toBe('Zoë 東京');
    expect(() => fromUtf8(new Uint8Array([0xc3, 0x28]))).toThrow(
      expect.objectContaining({ code: 'kernel.invalid-encoding' }),
    );
  });

  it('gives different lists of parts different bytes', () => {
    const parts = fc.array(fc.string({ maxLength: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (left, right) => {
        const same = left.length === right.length && left.every((part, index) => part === right[index]);
        expect(equalBytes(lengthPrefixed(...left), lengthPrefixed(...right))).toBe(same);
      }),
    );
    // What plain concatenation gets wrong.
    expect(concatBytes(utf8('ab'), utf8('c'))).toEqual(concatBytes(utf8('a'), utf8('bc')));
    expect(lengthPrefixed('ab', 'c')).not.toEqual(lengthPrefixed('a', 'bc'));
  });

  it('compares contents and lengths', () => {
    expect(equalBytes(utf8('same'), utf8('same'))).toBe(true);
    expect(equalBytes(utf8('same'), utf8('sane'))).toBe(false);
    expect(equalBytes(utf8('same'), utf8('sam'))).toBe(false);
  });

  it('writes four bytes big endian and refuses what does not fit', () => {
    expect(toHex(uint32(0x0102_03ff))).toBe('010203ff');
    expect(() => uint32(2 ** 32)).toThrow(RangeError);
    expect(() => uint32(-1)).toThrow(RangeError);
    expect(() => uint32(0.5)).toThrow(RangeError);
  });
});
