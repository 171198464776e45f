import { argon2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fromHex, toHex, utf8 } from '@strongroom/kernel';
import { argon2id as computeInWasm } from 'hash-wasm';
import { describe, expect, it } from 'vitest';
import { argon2id as chosen } from '#argon2id';
import { argon2id as node } from './argon2id-node.ts';
import { argon2id as wasm } from './argon2id-wasm.ts';

const fill = (length: number, value: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(value);

describe('Argon2id', () => {
  it('of the platform gives the tag of RFC 9106 §5.3', () => {
    const tag = argon2Sync('argon2id', {
      message: fill(32, 1),
      nonce: fill(16, 2),
      secret: fill(8, 3),
      associatedData: fill(12, 4),
      memory: 32,
      passes: 3,
      parallelism: 4,
      tagLength: 32,
    });
    expect(toHex(tag)).toBe('0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659');
  });

  it('in WebAssembly agrees with the platform on that vector as far as it goes: it takes no associated data', async () => {
    const tag = await computeInWasm({
      password: fill(32, 1),
      salt: fill(16, 2),
      secret: fill(8, 3),
      memorySize: 32,
      iterations: 3,
      parallelism: 4,
      hashLength: 32,
      outputType: 'hex',
    });
    const expected = argon2Sync('argon2id', {
      message: fill(32, 1),
      nonce: fill(16, 2),
      secret: fill(8, 3),
      memory: 32,
      passes: 3,
      parallelism: 4,
      tagLength: 32,
    });
    expect(tag).toBe(toHex(expected));
  });

  it.each([
    // Tag of the reference implementation's own tests (P-H-C/phc-winner-argon2).
    [65_536, 2, 1, '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7'],
    [256, 2, 2, null],
    [8192, 1, 4, null],
    [1000, 4, 3, null],
  ])('is the same in both: m=%i t=%i p=%i', async (memoryKibibytes, passes, lanes, tag) => {
    const input = { password: utf8('password'), salt: utf8('somesalt'), memoryKibibytes, passes, lanes, length: 32 };
    const [one, other] = await Promise.all([node(input), wasm(input)]);
    expect(toHex(one)).toBe(toHex(other));
    if (tag !== null) expect(one).toEqual(fromHex(tag));
    expect(await chosen(input)).toEqual(one);
    expect(await node({ ...input, passes: passes + 1 })).not.toEqual(one);
  });
});

describe('conditional imports', () => {
  const { imports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    imports: Record<string, Record<'node' | 'default', { source: string; default: string }>>;
  };

  it('choose the Node file under node, the other one elsewhere, and the same file before and after the build', () => {
    for (const [name, conditions] of Object.entries(imports)) {
      expect(conditions.node.source, name).toMatch(/-node\.ts$/);
      expect(conditions.default.source, name).not.toMatch(/-node\.ts$/);
      for (const { source, default: built } of Object.values(conditions)) {
        expect(built).toBe(source.replace('./src/', './dist/').replace(/\.ts$/, '.js'));
      }
    }
  });

  it('load the file of Node here', () => {
    expect(chosen).toBe(node);
  });
});
