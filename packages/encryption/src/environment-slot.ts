/** A root slot for development: a file, encrypted under a key in the environment. */
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { concatBytes, fromBase64Url, StrongroomError, toBase64Url, utf8 } from '@strongroom/kernel';
import { EncryptionError } from './errors.ts';
import { fileSlot } from './file-slot.ts';
import { decryptGcm, encryptGcm, GCM_KEY_BYTES, GCM_TAG_BYTES, GCM_VECTOR_BYTES } from './internal/aes-gcm.ts';
import { canonical } from './internal/canonical.ts';
import { hkdfExpand } from './internal/hkdf.ts';
import { SECRET_BYTES, secretKey } from './internal/secret.ts';
import type { RootSlot, StoredRoot } from './root-slot.ts';

const MAGIC = utf8('SRENV\x01');
const COMMITMENT_BYTES = 32;
const NONCE_OFFSET = MAGIC.length + COMMITMENT_BYTES;
const CONTENT_OFFSET = NONCE_OFFSET + GCM_VECTOR_BYTES;

/** Where the key is looked for: 32 bytes in base64url without padding. */
export const ENVIRONMENT_VARIABLE = 'STRONGROOM_ROOT_KEY';

/** A value for the variable. */
export const newEnvironmentKey = (): string => toBase64Url(randomBytes(SECRET_BYTES));

/**
 * Keeps the root in the file `path`, encrypted under the key in `STRONGROOM_ROOT_KEY`. It cannot erase: the same key opens every file that was ever
 * written, and nobody can say who kept one. So an erasure with this slot reports `erased: false`.
 * Throws `encryption.root-unavailable` when the variable is missing, malformed or another one.
 */
export function environmentSlot(
  path: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): RootSlot {
  const file = fileSlot(path);
  return {
    name: `${ENVIRONMENT_VARIABLE} with file ${path}`,
    erasure: 'none',
    async load(): Promise<StoredRoot | undefined> {
      const { key, commitment } = keyFrom(environment);
      const stored = await file.load();
      if (stored === undefined) return undefined;
      const { material: wrapped, generation } = stored;
      if (wrapped.length < CONTENT_OFFSET + GCM_TAG_BYTES || !startsWith(wrapped, 0, MAGIC)) {
        throw new EncryptionError('encryption.root-damaged', { detail: `The file is ${path}.` });
      }
      const context = canonical('strongroom/environment-slot/v1');
      const material = startsWith(wrapped, MAGIC.length, commitment)
        ? decryptGcm(
            key,
            wrapped.subarray(NONCE_OFFSET, CONTENT_OFFSET),
            context,
            wrapped.subarray(CONTENT_OFFSET, -GCM_TAG_BYTES),
            wrapped.subarray(-GCM_TAG_BYTES),
          )
        : undefined;
      if (material === undefined) {
        throw unavailable(`The key in ${ENVIRONMENT_VARIABLE} is not the one that ${path} was written with.`);
      }
      return { material, generation };
    },
    async store(material, replaces) {
      const { key, commitment } = keyFrom(environment);
      const nonce = randomBytes(GCM_VECTOR_BYTES);
      const { ciphertext, tag } = encryptGcm(key, nonce, canonical('strongroom/environment-slot/v1'), material);
      await file.store(concatBytes(MAGIC, commitment, nonce, ciphertext, tag), replaces);
    },
  };
}

function keyFrom(environment: Readonly<Record<string, string | undefined>>): {
  key: KeyObject;
  commitment: Uint8Array;
} {
  const text = environment[ENVIRONMENT_VARIABLE];
  if (text === undefined || text === '') throw unavailable(`${ENVIRONMENT_VARIABLE} is not set.`);
  const secret = decode(text);
  if (secret?.length !== SECRET_BYTES) {
    throw unavailable(`${ENVIRONMENT_VARIABLE} must be 32 random bytes in base64url, 43 characters.`);
  }
  const bytes = hkdfExpand(
    secretKey(secret),
    canonical('strongroom/environment-slot/v1'),
    GCM_KEY_BYTES + COMMITMENT_BYTES,
  );
  const commitment = bytes.slice(GCM_KEY_BYTES);
  const key = createSecretKey(bytes.subarray(0, GCM_KEY_BYTES));
  bytes.fill(0);
  return { key, commitment };
}

function decode(text: string): Uint8Array | undefined {
  try {
    return fromBase64Url(text);
  } catch (error) {
    // Without the error as cause: it must not carry the key anywhere.
    if (error instanceof StrongroomError) return undefined;
    throw error;
  }
}

const startsWith = (bytes: Uint8Array, offset: number, part: Uint8Array): boolean =>
  part.every((byte, index) => bytes[offset + index] === byte);

const unavailable = (detail: string): EncryptionError => new EncryptionError('encryption.root-unavailable', { detail });
