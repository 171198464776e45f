import { createCipheriv, createDecipheriv, generateKeySync, randomBytes, randomFillSync } from 'node:crypto';
import { fieldPeer, type FieldPeer } from './peer.ts';

const NONCE_BYTES = 12;

/** AES-256-GCM alone: a KeyObject, nonces from a pool, 150 bytes of associated data made beforehand. */
export function nodeCrypto(): FieldPeer {
  const key = generateKeySync('aes', { length: 256 });
  const context = randomBytes(150);
  const pool = Buffer.alloc(1024 * NONCE_BYTES);
  let next = pool.length;
  return fieldPeer(
    'node:crypto',
    (plaintext) => {
      if (next === pool.length) {
        randomFillSync(pool);
        next = 0;
      }
      // A value keeps its nonce, and the pool is filled anew.
      const nonce = Buffer.from(pool.subarray(next, (next += NONCE_BYTES)));
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(context);
      const ciphertext = cipher.update(plaintext);
      cipher.final();
      return { nonce, ciphertext, tag: cipher.getAuthTag() };
    },
    ({ nonce, ciphertext, tag }) => {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce);
      decipher.setAAD(context);
      decipher.setAuthTag(tag);
      const plaintext = decipher.update(ciphertext);
      decipher.final();
      return plaintext;
    },
  );
}
