/** Wycheproof (C2SP/wycheproof, Apache-2.0) through the very calls that verify checkpoints, in Node and in browsers. */
import { readFileSync } from 'node:fs';
import { fromHex } from '@strongroom/kernel';
import { corpora, figure, needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { importVerifier as importInNode } from './signatures-node.ts';
import { importVerifier as importAnywhere } from './signatures-portable.ts';

interface Suite {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly msg: string;
      readonly sig: string;
      readonly result: 'valid' | 'invalid';
    }[];
  }[];
}

describe.skipIf(!needs('corpora:wycheproof'))('Wycheproof Ed25519', () => {
  it.each([
    ['node:crypto', importInNode],
    ['WebCrypto', importAnywhere],
  ])('%s accepts every valid signature and no other', async (name, importVerifier) => {
    const suite = JSON.parse(readFileSync(corpora('wycheproof', 'ed25519_test.json')!, 'utf8')) as Suite;
    let checked = 0;
    let refused = 0;
    for (const { publicKey, tests } of suite.testGroups) {
      const verify = await importVerifier('ed25519', fromHex(publicKey.pk));
      for (const { tcId, msg, sig, result } of tests) {
        expect(await verify(fromHex(msg), fromHex(sig)), `test ${tcId}`).toBe(result === 'valid');
        checked += 1;
        if (result === 'invalid') refused += 1;
      }
    }
    expect(checked).toBe(suite.numberOfTests);
    expect(refused).toBe(63);
    figure(`Wycheproof ed25519 by ${name}: ${checked} checked, ${refused} of them refused; not supported: none`);
  });
});
