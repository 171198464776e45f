import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as node from './base64url-node.ts';
import * as portable from './base64url-portable.ts';

const codecs = { node, portable };

describe.each(['node', 'portable'] as const)('padded base64url, %s', (name) => {
  const { decodePaddedBase64Url, encodePaddedBase64Url, textOfBytes } = codecs[name];

  it('writes RFC 4648 §10 in the URL alphabet, with padding', () => {
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
      expect(encodePaddedBase64Url(new TextEncoder().encode(plain))).toBe(encoded);
      expect(new TextDecoder().decode(decodePaddedBase64Url(encoded)!)).toBe(plain);
    }
    expect(encodePaddedBase64Url(Uint8Array.of(0xfb, 0xff, 0xfe))).toBe('-__-');
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
    for (const text of refused) expect(decodePaddedBase64Url(text)).toBeNull();
  });

  it('reads views at an offset', () => {
    const whole = new Uint8Array([9, 9, 0x5a, 0x67, 0x3d, 0x3d]);
    expect(textOfBytes(whole.subarray(2))).toBe('Zg==');
    expect(encodePaddedBase64Url(whole.subarray(2, 3))).toBe('Wg==');
  });
});

describe('both codecs', () => {
  it('agree on any bytes and any text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const text = node.encodePaddedBase64Url(bytes);
        expect(portable.encodePaddedBase64Url(bytes)).toBe(text);
        expect(Array.from(portable.decodePaddedBase64Url(text)!)).toEqual(Array.from(bytes));
        expect(Array.from(node.decodePaddedBase64Url(text)!)).toEqual(Array.from(bytes));
        expect(portable.textOfBytes(bytes)).toBe(node.textOfBytes(bytes));
      }),
    );
    const nearly = fc.string({
      unit: fc.constantFrom('A', 'B', 'g', '9', '-', '_', '=', '+', '/', ' '),
      maxLength: 12,
    });
    fc.assert(
      fc.property(nearly, (text) => {
        const one = node.decodePaddedBase64Url(text);
        const other = portable.decodePaddedBase64Url(text);
        expect(one === null).toBe(other === null);
        if (one !== null) expect(Array.from(one)).toEqual(Array.from(other!));
      }),
      { numRuns: 2000 },
    );
  });
});
