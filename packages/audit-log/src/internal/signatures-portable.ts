import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js';
import type { ImportVerifier } from './signature-types.ts';

/** Ed25519 is in every current browser's WebCrypto; ML-DSA is not yet, so it runs as JavaScript. */
export const importVerifier: ImportVerifier = async (algorithm, publicKey) => {
  if (algorithm === 'ml-dsa-44') {
    const key = publicKey.slice();
    return async (message, signature) => ml_dsa44.verify(signature, message, key);
  }
  const key = await crypto.subtle.importKey('raw', new Uint8Array(publicKey), 'Ed25519', false, ['verify']);
  return async (message, signature) =>
    crypto.subtle.verify('Ed25519', key, new Uint8Array(signature), new Uint8Array(message));
};
