import { fromHex, utf8 } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { argon2id as node } from './argon2id-node.ts';
import { argon2id as wasm } from './argon2id-wasm.ts';

describe('Argon2id', () => {
  it.each([
    ['of the platform', node],
    ['in WebAssembly', wasm],
  ])('%s gives the reference implementation’s tag for 64 MiB', async (_, argon2id) => {
    const input = {
      password: utf8('password'),
      salt: utf8('somesalt'),
      memoryKibibytes: 65_536,
      passes: 2,
      lanes: 1,
      length: 32,
    };
    const tag = await argon2id(input);
    // P-H-C/phc-winner-argon2, its own tests.
    expect(tag).toEqual(fromHex('09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7'));
    expect(await argon2id({ ...input, memoryKibibytes: 65_536 + 4 })).not.toEqual(tag);
  });
});
