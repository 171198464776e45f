/** The keys of a witness, and what it signs with them (C2SP tlog-cosignature). */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { fromBase64Url } from '@strongroom/kernel';
import { cosignedMessage, cosignedNote, parseCheckpoint, timestampedSignature } from '../checkpoint.ts';
import { AuditLogError } from '../errors.ts';
import { formatSignatureLine, type VerifierKey, verifierKey } from '../signed-note.ts';

export type CosignerAlgorithm = 'ed25519-cosignature' | 'ml-dsa-44';

export interface Cosigner {
  readonly key: VerifierKey;
  readonly privateKey: KeyObject;
}

export function newCosigner(name: string, algorithm: CosignerAlgorithm): Cosigner {
  const { privateKey } = algorithm === 'ml-dsa-44' ? generateKeyPairSync('ml-dsa-44') : generateKeyPairSync('ed25519');
  return { key: verifierKey(name, algorithm, publicKeyOf(privateKey)), privateKey };
}

/** `encoded`: PKCS #8 in PEM. Throws `audit-log.invalid-key`. */
export function readCosigner(name: string, algorithm: CosignerAlgorithm, encoded: string): Cosigner {
  const privateKey = createPrivateKey(encoded);
  const expected = algorithm === 'ml-dsa-44' ? 'ml-dsa-44' : 'ed25519';
  if (privateKey.asymmetricKeyType !== expected) throw new AuditLogError('audit-log.invalid-key');
  return { key: verifierKey(name, algorithm, publicKeyOf(privateKey)), privateKey };
}

function publicKeyOf(privateKey: KeyObject): Uint8Array {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const encoded: unknown = jwk['x'] ?? jwk['pub'];
  if (typeof encoded !== 'string') throw new AuditLogError('audit-log.invalid-key');
  return fromBase64Url(encoded);
}

/** The signature line for a checkpoint's note text. `timestamp`: seconds since the epoch, after 0: that would say that there is none. */
export function cosign({ key, privateKey }: Cosigner, text: string, timestamp: number): string {
  if (!Number.isSafeInteger(timestamp) || timestamp <= 0) throw new RangeError('cosign: the clock is not set');
  const message =
    key.algorithm === 'ml-dsa-44'
      ? cosignedMessage(key.name, timestamp, parseCheckpoint(text))
      : cosignedNote(timestamp, text);
  const signature = timestampedSignature(timestamp, sign(null, message, privateKey));
  return formatSignatureLine({ name: key.name, keyId: key.id, signature });
}
