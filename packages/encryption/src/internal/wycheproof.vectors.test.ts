/** Wycheproof (C2SP/wycheproof, Apache-2.0) through the very calls that encrypt fields and derive keys. */
import { createSecretKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { equalBytes, fromHex, toHex } from '@strongroom/kernel';
import { corpora, figure, needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { decryptGcm, encryptGcm, GCM_TAG_BYTES, GCM_VECTOR_BYTES } from './aes-gcm.ts';
import { hkdfExpand, hmacSha256 } from './hkdf.ts';

interface Case {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly [field: string]: string | number | readonly string[];
}
interface Group {
  readonly tests: readonly Case[];
  readonly [field: string]: string | number | readonly Case[];
}

const groupsOf = (file: string): readonly Group[] =>
  (JSON.parse(readFileSync(corpora('wycheproof', file)!, 'utf8')) as { testGroups: readonly Group[] }).testGroups;

const bytes = (test: Case, field: string): Uint8Array => fromHex(String(test[field]));

/** Counts, so that a run that skipped everything cannot pass for one that checked everything. */
function tally(name: string): {
  checked: number;
  unsupported: Map<string, number>;
  skip(reason: string): void;
  report(): void;
} {
  const unsupported = new Map<string, number>();
  return {
    checked: 0,
    unsupported,
    skip: (reason) => void unsupported.set(reason, (unsupported.get(reason) ?? 0) + 1),
    report() {
      const rest = [...unsupported].map(([reason, count]) => `${count} ${reason}`).join(', ');
      figure(`Wycheproof ${name}: ${this.checked} checked; not supported: ${rest || 'none'}`);
    },
  };
}

describe.skipIf(!needs('corpora:wycheproof'))('Wycheproof', () => {
  it('AES-256-GCM, 96-bit vectors, 128-bit tags', () => {
    const count = tally('aes_gcm');
    for (const group of groupsOf('aes_gcm_test.json')) {
      for (const test of group.tests) {
        if (group['keySize'] !== 256) count.skip(`with keys of ${group['keySize'] as number} bits`);
        else if (group['ivSize'] !== GCM_VECTOR_BYTES * 8) count.skip('with vectors of other lengths');
        else if (group['tagSize'] !== GCM_TAG_BYTES * 8) count.skip('with short tags');
        else {
          const key = createSecretKey(bytes(test, 'key'));
          const [vector, context, plaintext, ciphertext, tag] = ['iv', 'aad', 'msg', 'ct', 'tag'].map((f) =>
            bytes(test, f),
          );
          const opened = decryptGcm(key, vector!, context!, ciphertext!, tag!);
          const named = `test ${test.tcId}`;
          if (test.result === 'valid') {
            expect(opened, named).toEqual(Buffer.from(plaintext!));
            const sealed = encryptGcm(key, vector!, context!, plaintext!);
            expect(toHex(sealed.ciphertext), named).toBe(test['ct']);
            expect(toHex(sealed.tag), named).toBe(test['tag']);
          } else {
            expect(opened, named).toBeUndefined();
          }
          count.checked += 1;
        }
      }
    }
    count.report();
    expect(count.checked).toBe(66);
    expect([...count.unsupported.values()].reduce((sum, n) => sum + n, count.checked)).toBe(316);
  });

  it('HMAC-SHA-256, whole tags', () => {
    const count = tally('hmac_sha256');
    for (const group of groupsOf('hmac_sha256_test.json')) {
      for (const test of group.tests) {
        if (group['tagSize'] !== 256) count.skip('with cut tags');
        else {
          const tag = hmacSha256(createSecretKey(bytes(test, 'key')), bytes(test, 'msg'));
          expect(equalBytes(tag, bytes(test, 'tag')), `test ${test.tcId}`).toBe(test.result === 'valid');
          count.checked += 1;
        }
      }
    }
    count.report();
    expect(count.checked).toBe(87);
    expect([...count.unsupported.values()].reduce((sum, n) => sum + n, count.checked)).toBe(174);
  });

  it('HKDF-SHA-256: the expansion, after an extraction by the same HMAC', () => {
    const count = tally('hkdf_sha256');
    for (const group of groupsOf('hkdf_sha256_test.json')) {
      for (const test of group.tests) {
        const salt = bytes(test, 'salt');
        const pseudorandomKey = createSecretKey(
          hmacSha256(createSecretKey(salt.length === 0 ? new Uint8Array(32) : salt), bytes(test, 'ikm')),
        );
        const expand = () => toHex(hkdfExpand(pseudorandomKey, bytes(test, 'info'), Number(test['size'])));
        if (test.result === 'valid') expect(expand(), `test ${test.tcId}`).toBe(test['okm']);
        else expect(expand, `test ${test.tcId}`).toThrow(RangeError);
        count.checked += 1;
      }
    }
    count.report();
    expect(count.checked).toBe(86);
  });

  it('every shared file is checked somewhere, or is about something that is not used', () => {
    const elsewhere = new Map([
      ['ed25519_test.json', 'checked by audit-log, signatures of checkpoints'],
      ['x25519_test.json', 'checked by sealing, sharing of space keys'],
    ]);
    const unused = new Map([
      ['hkdf_sha512_test.json', 'HKDF is used with SHA-256 only'],
      ['hmac_sha512_test.json', 'HMAC is used with SHA-256 only'],
      ['json_web_encryption_test.json', 'no JWE is read or written'],
      ['xchacha20_poly1305_test.json', 'the extended nonce is that of XAES-256-GCM'],
    ]);
    const here = ['aes_gcm_test.json', 'hkdf_sha256_test.json', 'hmac_sha256_test.json'];
    const shared = readdirSync(corpora('wycheproof')!).filter((name) => name.endsWith('.json'));
    expect([...here, ...elsewhere.keys(), ...unused.keys()].toSorted()).toEqual(shared.toSorted());
    for (const [file, reason] of unused) figure(`Wycheproof ${file}: not supported, ${reason}`);
  });
});
