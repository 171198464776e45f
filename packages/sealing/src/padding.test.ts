import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SMALLEST_LENGTH_CLASS, lengthClass, pad, unpad } from './padding.ts';

const cannotOpen = expect.objectContaining({ code: 'sealing.cannot-open' }) as Error;

describe('length classes', () => {
  it('are those of Padmé from 256 bytes on', () => {
    const examples = [
      [0, 256],
      [1, 256],
      [256, 256],
      [257, 272],
      [272, 272],
      [273, 288],
      [512, 512],
      [513, 544],
      [1000, 1024],
      [1025, 1088],
      [65_537, 67_584],
      [1_000_000, 1_015_808],
    ];
    for (const [length, expected] of examples) expect(lengthClass(length!)).toBe(expected);
  });

  it('hold the length, are classes themselves and waste less than 6.3 % above the smallest', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (length) => {
        const size = lengthClass(length);
        expect(size).toBeGreaterThanOrEqual(length);
        expect(lengthClass(size)).toBe(size);
        if (length > SMALLEST_LENGTH_CLASS) expect(size / length).toBeLessThan(1.063);
      }),
      { numRuns: 2000 },
    );
  });

  it('are few: as many up to a mebibyte as the rule says', () => {
    const classes = new Set<number>();
    for (let length = 0; length <= 1024 * 1024; length = lengthClass(length) + 1) classes.add(lengthClass(length));
    expect(classes.size).toBe(expectedClasses());
  });

  it('refuse what is no length', () => {
    for (const length of [-1, 1.5, Number.NaN, 2 ** 31 + 1]) expect(() => lengthClass(length)).toThrow(RangeError);
  });
});

/** Counted another way: in [2^e, 2^(e+1)) there are 2^s steps, s = bits of e. */
function expectedClasses(): number {
  let count = 1;
  for (let exponent = 8; exponent < 20; exponent += 1) count += 2 ** exponent.toString(2).length;
  return count;
}

describe('pad and unpad', () => {
  it('are inverse for any content', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (content) => {
        const padded = pad(content);
        expect(padded.length).toBe(lengthClass(content.length + 1));
        expect(unpad(padded)).toEqual(new Uint8Array(content));
      }),
    );
  });

  it('keep zeros and markers at the end of the content', () => {
    for (const content of [[], [0], [0x80], [0, 0x80, 0], [0x80, 0x80], Array<number>(255).fill(0)]) {
      expect([...unpad(pad(Uint8Array.from(content)))]).toEqual(content);
    }
  });

  it('refuse everything that pad would not have written', () => {
    const padded = pad(new Uint8Array([1, 2, 3]));
    const refused = [
      new Uint8Array(0),
      new Uint8Array(256),
      padded.subarray(0, 255),
      padded.subarray(0, 4),
      new Uint8Array([...padded, 0]),
      new Uint8Array([...padded, ...new Uint8Array(16)]),
      padded.with(3, 0x81),
      padded.with(255, 1),
    ];
    for (const bytes of refused) expect(() => unpad(new Uint8Array(bytes))).toThrow(cannotOpen);
  });

  it('give one encoding to each content: whatever unpads, pads to itself', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 300 }), fc.nat(400), (head, zeros) => {
        const candidate = new Uint8Array([...head, 0x80, ...new Uint8Array(zeros)]);
        let content: Uint8Array;
        try {
          content = unpad(candidate);
        } catch {
          return;
        }
        expect(pad(content)).toEqual(candidate);
      }),
    );
  });
});
