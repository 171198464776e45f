import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeSlot, IMAGE_BYTES, MOST_MATERIAL_BYTES, readImage, SLOT_BYTES } from './root-image.ts';

const older = Uint8Array.from(randomBytes(60));
const newer = Uint8Array.from(randomBytes(105));

/** An image with the given slots; an absent one is zeros. */
function imageOf(first: Uint8Array | undefined, second: Uint8Array | undefined): Uint8Array {
  const image = new Uint8Array(IMAGE_BYTES);
  if (first !== undefined) image.set(first);
  if (second !== undefined) image.set(second, SLOT_BYTES);
  return image;
}

/** What is on disk when a write stopped after `length` bytes: the rest is what was there before. */
function torn(before: Uint8Array, written: Uint8Array, length: number): Uint8Array {
  const after = Uint8Array.from(before);
  after.set(written.subarray(0, length));
  return after;
}

const isMaterial = (image: Uint8Array, expected: Uint8Array): boolean =>
  Buffer.from(readImage(image)?.material ?? []).equals(expected);

describe('root image', () => {
  const zeros = new Uint8Array(SLOT_BYTES);

  it('reads what was written, from either half', () => {
    expect(readImage(imageOf(encodeSlot(5, older), undefined))).toEqual({
      position: 0,
      generation: 5,
      material: older,
    });
    expect(readImage(imageOf(undefined, encodeSlot(6, newer)))).toEqual({
      position: 1,
      generation: 6,
      material: newer,
    });
    expect(readImage(imageOf(encodeSlot(5, older), encodeSlot(6, newer)))?.material).toEqual(newer);
    expect(readImage(imageOf(encodeSlot(7, newer), encodeSlot(6, older)))?.material).toEqual(newer);
    expect(readImage(imageOf(undefined, undefined))).toBeUndefined();
    const whole = Uint8Array.from(randomBytes(MOST_MATERIAL_BYTES));
    expect(readImage(imageOf(encodeSlot(1, whole), undefined))?.material).toEqual(whole);
    expect(() => encodeSlot(1, new Uint8Array(MOST_MATERIAL_BYTES + 1))).toThrow(RangeError);
  });

  it.each<[string, () => Uint8Array]>([
    ['zeros', () => zeros],
    ['an older key that was not overwritten yet', () => encodeSlot(4, Uint8Array.from(randomBytes(105)))],
    ['random bytes', () => Uint8Array.from(randomBytes(SLOT_BYTES))],
  ])('a write torn at any byte leaves the former key readable, over %s', (_, make) => {
    const free = make();
    const slot = encodeSlot(6, newer);
    const expected = Array.from({ length: SLOT_BYTES + 1 }, (_, length) =>
      Buffer.from(torn(free, slot, length)).equals(slot) ? newer : older,
    );
    expect(expected.slice(0, 4000)).not.toContain(newer);
    expect(expected.at(-1)).toBe(newer);
    const wrong = expected.flatMap((material, length) =>
      isMaterial(imageOf(encodeSlot(5, older), torn(free, slot, length)), material) ? [] : [length],
    );
    expect(wrong).toEqual([]);
  });

  it('a write torn at any byte may leave anything behind it', () => {
    const slot = encodeSlot(6, newer);
    for (let length = 0; length < SLOT_BYTES; length += 16) {
      const garbage = Uint8Array.from(randomBytes(SLOT_BYTES));
      expect(readImage(imageOf(encodeSlot(5, older), torn(garbage, slot, length)))?.material).toEqual(older);
      // Sectors arrive in any order: the end without the beginning.
      const end = Uint8Array.from(slot);
      end.set(garbage.subarray(0, length + 1));
      expect(readImage(imageOf(encodeSlot(5, older), end))?.material).toEqual(older);
    }
  });

  it('an erasure torn at any byte leaves the new key readable', () => {
    const former = encodeSlot(5, older);
    for (let length = 0; length <= SLOT_BYTES; length += 1) {
      if (!isMaterial(imageOf(torn(former, zeros, length), encodeSlot(6, newer)), newer))
        expect.fail(`after ${length} bytes`);
    }
  });

  it('a lone slot with any byte changed does not read, nor an image cut short', () => {
    const image = imageOf(encodeSlot(5, older), undefined);
    for (let index = 0; index < SLOT_BYTES; index += 1) {
      const changed = Uint8Array.from(image);
      changed[index]! ^= 1;
      expect(readImage(changed), `byte ${index}`).toBeUndefined();
    }
    expect(readImage(image.subarray(0, SLOT_BYTES - 1))).toBeUndefined();
    expect(readImage(new Uint8Array(0))).toBeUndefined();
    expect(readImage(image.subarray(0, SLOT_BYTES))?.material).toEqual(older);
  });
});
