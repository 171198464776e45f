import { hkdfSync } from 'node:crypto';
import { lengthPrefixed, newUuid, uint32, utf8, type Bytes } from '@strongroom/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SealingError } from './errors.ts';
import { FernetKey, openFernet, sealFernet } from './fernet.ts';
import { importSecret } from './internal/hkdf.ts';
import { LARGEST_ITEM, openItem, openItems, sealItem } from './item.ts';
import { pad } from './padding.ts';
import { SpaceKey } from './space.ts';

const cannotOpen = expect.objectContaining({ code: 'sealing.cannot-open' }) as Error;
const secret = crypto.getRandomValues(new Uint8Array(32));
const space = newUuid();
const spaceKey = new SpaceKey(space, 3, await importSecret(secret));
const place = { item: newUuid(), version: 5 };

/** The derivation of docs/format/sealing.md, written again on node:crypto. */
const itemSecrets = (item: string, version: number): Bytes =>
  new Uint8Array(
    hkdfSync('sha256', secret, '', lengthPrefixed('strongroom/v1/item', space, item, uint32(version), uint32(3)), 64),
  );

describe('sealed items', () => {
  it('open where they were sealed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (content) => {
        const token = await sealItem(spaceKey, place, new Uint8Array(content));
        expect(Array.from(await openItem(spaceKey, place, token))).toEqual(Array.from(content));
      }),
      { numRuns: 50 },
    );
  });

  it('are Fernet tokens under the documented key, with the documented content', async () => {
    const token = await sealItem(spaceKey, place, utf8('hello'));
    const derived = itemSecrets(place.item, place.version);
    const plain = await openFernet(await FernetKey.import(derived.subarray(0, 32)), token);
    const expected = pad(new Uint8Array([...derived.subarray(32), ...utf8('hello')]));
    expect(plain).toEqual(expected);
  });

  it('do not open in any other place or under any other key', async () => {
    const token = await sealItem(spaceKey, place, utf8('hello'));
    const same = spaceKey.secret;
    const elsewhere: [SpaceKey, typeof place][] = [
      [spaceKey, { ...place, item: newUuid() }],
      [spaceKey, { ...place, version: 4 }],
      [spaceKey, { ...place, version: 6 }],
      [new SpaceKey(newUuid(), 3, same), place],
      [new SpaceKey(space, 2, same), place],
      [new SpaceKey(space, 5, same), { ...place, version: 3 }],
      [new SpaceKey(space, 3, await importSecret(new Uint8Array(32))), place],
    ];
    expect(await openItem(new SpaceKey(space, 3, same), place, token)).toEqual(utf8('hello'));
    for (const [key, where] of elsewhere) await expect(openItem(key, where, token)).rejects.toThrow(cannotOpen);
  });

  it('do not open when cut, extended or replaced', async () => {
    const token = await sealItem(spaceKey, place, utf8('hello'));
    const plain = await sealFernet(await FernetKey.import(new Uint8Array(32)), utf8('hello'));
    const damaged = ['', token.slice(0, -4), token.slice(4), `${token}AAAA`, `A${token.slice(1)}`, plain, 'hello'];
    for (const other of damaged) await expect(openItem(spaceKey, place, other)).rejects.toThrow(cannotOpen);
  });

  it('commit to the space key: the right Fernet key alone is not enough', async () => {
    const derived = itemSecrets(place.item, place.version);
    const fernet = await FernetKey.import(derived.subarray(0, 32));
    const seal = (commitment: Bytes): Promise<string> =>
      sealFernet(fernet, pad(new Uint8Array([...commitment, ...utf8('forged')])));
    expect(await openItem(spaceKey, place, await seal(derived.slice(32)))).toEqual(utf8('forged'));
    for (const wrong of [derived.slice(32).with(31, derived[63]! ^ 1), new Uint8Array(32), new Uint8Array(0)]) {
      await expect(openItem(spaceKey, place, await seal(new Uint8Array(wrong)))).rejects.toThrow(cannotOpen);
    }
    const unpadded = await sealFernet(fernet, new Uint8Array([...derived.subarray(32), ...utf8('forged')]));
    await expect(openItem(spaceKey, place, unpadded)).rejects.toThrow(cannotOpen);
  });

  it('show a length class, not a length', async () => {
    const lengths = await Promise.all(
      [0, 1, 100, 223, 224].map(async (length) => (await sealItem(spaceKey, place, new Uint8Array(length))).length),
    );
    expect(new Set(lengths.slice(0, 4)).size).toBe(1);
    expect(lengths[4]).toBeGreaterThan(lengths[0]!);
  });

  it('have a limit', async () => {
    const token = await sealItem(spaceKey, place, new Uint8Array(LARGEST_ITEM));
    expect((await openItem(spaceKey, place, token)).length).toBe(LARGEST_ITEM);
    await expect(sealItem(spaceKey, place, new Uint8Array(LARGEST_ITEM + 1))).rejects.toThrow(
      expect.objectContaining({ code: 'sealing.content-too-large' }) as Error,
    );
  });

  it('count versions from 1', async () => {
    for (const version of [0, -1, 1.5, 2 ** 31]) {
      await expect(sealItem(spaceKey, { ...place, version }, utf8('x'))).rejects.toThrow(RangeError);
    }
  });
});

describe('opening many', () => {
  it('keeps the order and closes only what is damaged', async () => {
    const items = await Promise.all(
      Array.from({ length: 150 }, async (_, index) => {
        const where = { item: newUuid(), version: 1 + (index % 3) };
        return { ...where, token: await sealItem(spaceKey, where, utf8(`memory ${index}`)) };
      }),
    );
    items[70] = { ...items[70]!, token: items[71]!.token };
    items[149] = { ...items[149]!, token: '' };
    const opened = await openItems(spaceKey, items);
    expect(opened.length).toBe(150);
    for (const [index, content] of opened.entries()) {
      if (index === 70 || index === 149) {
        expect(content).toBeInstanceOf(SealingError);
        expect(content).toMatchObject({ code: 'sealing.cannot-open' });
      } else {
        expect(content).toEqual(utf8(`memory ${index}`));
      }
    }
    expect(await openItems(spaceKey, [])).toEqual([]);
  });

  it('does not hide a mistake of the caller', async () => {
    await expect(openItems(spaceKey, [{ item: newUuid(), version: 0, token: '' }])).rejects.toThrow(RangeError);
  });
});
