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
    // Tags of the reference implementation's own tests (P-H-C/phc-winner-argon2); argon2id.slow.test.ts takes more memory.
    [256, 2, 1, '9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe'],
    [256, 2, 2, '6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037'],
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
