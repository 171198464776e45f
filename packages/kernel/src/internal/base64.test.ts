import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as node from './base64-node.ts';
import * as portable from './base64-portable.ts';

const codecs = { node, portable };
const ALPHABETS = ['base64', 'base64url'] as const;

describe.each(['node', 'portable'] as const)('base64, %s', (name) => {
  const { decodeBase64, encodeBase64, latin1 } = codecs[name];

  it('writes RFC 4648 §10, padded or not, in both alphabets', () => {
    const examples = {
      '': '',
      f: 'Zg==',
      fo: 'Zm8=',
      foo: 'Zm9v',
      foob: 'Zm9vYg==',
      fooba: 'Zm9vYmE=',
      foobar: 'Zm9vYmFy',
    };
    for (const [plain, encoded] of Object.entries(examples)) {
      for (const alphabet of ALPHABETS) {
        for (const padded of [true, false]) {
          const text = padded ? encoded : encoded.replace(/=+$/, '');
          expect(encodeBase64(new TextEncoder().encode(plain), alphabet, padded)).toBe(text);
          expect(new TextDecoder().decode(decodeBase64(text, alphabet, padded)!)).toBe(plain);
        }
      }
    }
    const bytes = Uint8Array.of(0xfb, 0xff, 0xfe);
    expect(encodeBase64(bytes, 'base64url', true)).toBe('-__-');
    expect(encodeBase64(bytes, 'base64', true)).toBe('+//+');
  });

  it('refuses every spelling but the canonical one', () => {
    const refused = [
      'Zg',
      'Zg=',
      'Zg===',
      'Zh==',
      'Zm9=',
      'Zm9vYg',
      '+/+/',
      '-__-\n',
      ' -__-',
      '-_ -',
      'Zm9v====',
      '====',
      'Zg==Zg==',
      'Zm9é',
      'Zm9\0',
      'Zm9!',
    ];
    for (const text of refused) expect(decodeBase64(text, 'base64url', true), text).toBeNull();
    for (const text of ['-__-', 'Zg', 'Zh==']) expect(decodeBase64(text, 'base64', true), text).toBeNull();
    for (const text of ['Z', 'Zg==', 'Zh', 'Zm9', 'Zm8=', 'Zm9vY', '+/+/', 'Zg\n'])
      expect(decodeBase64(text, 'base64url', false), text).toBeNull();
  });

  it('reads views at an offset', () => {
    const whole = new Uint8Array([9, 9, 0x5a, 0x67, 0x3d, 0x3d]);
    expect(latin1(whole.subarray(2))).toBe('Zg==');
    expect(encodeBase64(whole.subarray(2, 3), 'base64url', true)).toBe('Wg==');
  });
});

describe('both codecs', () => {
  const kinds = ALPHABETS.flatMap((alphabet) => [true, false].map((padded) => [alphabet, padded] as const));

  it.each(kinds)('agree on any bytes and any text: %s, padded %s', (alphabet, padded) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const text = node.encodeBase64(bytes, alphabet, padded);
        expect(portable.encodeBase64(bytes, alphabet, padded)).toBe(text);
        expect(Array.from(portable.decodeBase64(text, alphabet, padded)!)).toEqual(Array.from(bytes));
        expect(Array.from(node.decodeBase64(text, alphabet, padded)!)).toEqual(Array.from(bytes));
        expect(portable.latin1(bytes)).toBe(node.latin1(bytes));
      }),
    );
    const nearly = fc.string({
      unit: fc.constantFrom('A', 'B', 'g', '9', '-', '_', '=', '+', '/', ' '),
      maxLength: 12,
    });
    fc.assert(
      fc.property(nearly, (text) => {
        const one = node.decodeBase64(text, alphabet, padded);
        const other = portable.decodeBase64(text, alphabet, padded);
        expect(one === null, text).toBe(other === null);
        if (one !== null) expect(Array.from(one)).toEqual(Array.from(other!));
      }),
      { numRuns: 1000 },
    );
  });
});
