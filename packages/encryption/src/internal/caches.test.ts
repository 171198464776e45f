import { lengthPrefixed } from '@strongroom/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical } from './canonical.ts';
import { GenerationalCache } from './generational-cache.ts';
import { RandomPool } from './random-pool.ts';
import { ValueSlab } from './value-slab.ts';

describe('GenerationalCache', () => {
  it('holds at most two generations, and keeps what is in use', () => {
    const cache = new GenerationalCache<number>(100);
    cache.set('kept', -1);
    for (let index = 0; index < 10_000; index += 1) {
      cache.set(`key ${index}`, index);
      if (index % 50 === 0 && cache.get('kept') !== -1) expect.fail(`forgotten after ${index}`);
      if (cache.size > 200) expect.fail(`${cache.size} entries`);
    }
    expect(cache.get('key 9999')).toBe(9999);
    expect(cache.get('key 0')).toBeUndefined();
  });

  it('never answers with the value of another key', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 300 }), (steps) => {
        const cache = new GenerationalCache<string>(4);
        for (const [key, write] of steps) {
          if (write) cache.set(`${key}`, `value ${key}`);
          expect([undefined, `value ${key}`]).toContain(cache.get(`${key}`));
          if (write) expect(cache.get(`${key}`)).toBe(`value ${key}`);
        }
      }),
    );
  });
});

describe('RandomPool', () => {
  it('hands out every vector once, across refills', () => {
    const pool = new RandomPool(12);
    const seen = new Set<string>();
    for (let index = 0; index < 5000; index += 1) {
      const vector = pool.next();
      if (vector.length !== 12) expect.fail(`a vector of ${vector.length} bytes`);
      seen.add(Buffer.from(vector).toString('hex'));
    }
    expect(seen.size).toBe(5000);
  });
});

describe('ValueSlab', () => {
  it('hands out memory that nobody else has', () => {
    const slab = new ValueSlab();
    const taken = Array.from({ length: 500 }, (_, index) => slab.take(1 + ((index * 37) % 5000)).fill(index % 251));
    for (const [index, bytes] of taken.entries()) {
      expect(bytes).toHaveLength(1 + ((index * 37) % 5000));
      expect(bytes.every((byte) => byte === index % 251)).toBe(true);
    }
  });

  it('cannot lose neighbours to another thread', () => {
    const slab = new ValueSlab();
    const bytes = slab.take(100);
    expect(() => structuredClone(bytes, { transfer: [bytes.buffer] })).toThrow(
      /could not be cloned|DataClone|transfer/i,
    );
    expect(structuredClone(bytes)).toEqual(bytes);
  });
});

describe('canonical', () => {
  it("gives the bytes of the kernel's encoding", () => {
    const part = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 40 }));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        expect(Uint8Array.from(canonical(...parts))).toEqual(lengthPrefixed(...parts));
      }),
    );
  });
});
