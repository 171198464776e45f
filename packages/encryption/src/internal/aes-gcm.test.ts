import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decryptGcm, encryptGcm } from './aes-gcm.ts';

describe('AES-256-GCM', () => {
  it('takes whole tags only, however short the ones that OpenSSL would take', () => {
    const [key, vector, context] = [createSecretKey(randomBytes(32)), randomBytes(12), randomBytes(20)];
    const { ciphertext, tag } = encryptGcm(key, vector, context, 'x');
    expect(decryptGcm(key, vector, context, ciphertext, tag)?.toString()).toBe('x');
    for (let length = 0; length < 16; length += 1) {
      expect(decryptGcm(key, vector, context, ciphertext, tag.subarray(0, length))).toBeUndefined();
    }
    expect(decryptGcm(key, vector, context, ciphertext, Buffer.concat([tag, Buffer.alloc(1)]))).toBeUndefined();
  });

  it('refuses keys of another length', () => {
    for (const length of [16, 24, 31, 33]) {
      const key = createSecretKey(randomBytes(length));
      expect(() => encryptGcm(key, randomBytes(12), new Uint8Array(0), 'x')).toThrow(RangeError);
    }
  });
});
