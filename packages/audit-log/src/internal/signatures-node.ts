import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { toBase64Url } from '@strongroom/kernel';
import type { ImportVerifier } from './signature-types.ts';

export const importVerifier: ImportVerifier = async (algorithm, publicKey) => {
  const encoded = toBase64Url(publicKey);
  const jwk: JsonWebKey =
    algorithm === 'ml-dsa-44'
      ? { kty: 'AKP', alg: 'ML-DSA-44', pub: encoded }
      : { kty: 'OKP', crv: 'Ed25519', x: encoded };
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return async (message, signature) => verify(null, message, key, signature);
};
