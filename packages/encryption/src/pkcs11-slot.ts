/**
 * A root slot in a hardware security module: the root lies in a file, encrypted under a key that never leaves the HSM. Every store makes another
 * key and destroys the former one, so that copies of the former file open nothing. docs/format/keys.md has the bytes.
 */
import { randomBytes } from 'node:crypto';
import { concatBytes, toHex, utf8 } from '@strongroom/kernel';
import { EncryptionError } from './errors.ts';
import { fileSlot } from './file-slot.ts';
import { canonical } from './internal/canonical.ts';
import { inSession, type TokenOptions } from './internal/pkcs11.ts';
import type { RootSlot, StoredRoot } from './root-slot.ts';

const MAGIC = utf8('SRHSM\x01');
/** Bytes of the ids: the slot's, which labels all its keys, and the key's. */
const ID_BYTES = 16;
const KEY_OFFSET = MAGIC.length + ID_BYTES;
const VECTOR_OFFSET = KEY_OFFSET + ID_BYTES;
/** NIST SP 800-38D, bytes. */
const VECTOR_BYTES = 12;
const CONTENT_OFFSET = VECTOR_OFFSET + VECTOR_BYTES;

export interface Pkcs11SlotOptions extends Omit<TokenOptions, 'library'> {
  /** File for the encrypted root. */
  readonly path: string;
  /** Where `pkcs11js` is, when it cannot be imported by its name: the URL of its main file. */
  readonly library?: string | undefined;
}

interface Wrapped {
  readonly slotId: Uint8Array;
  readonly keyId: Uint8Array;
  readonly vector: Uint8Array;
  readonly content: Uint8Array;
}

/**
 * Needs the package `pkcs11js`, which is not installed with this one. Loading costs one decryption in the HSM; storing a key generation, an
 * encryption and the destruction of the former key. Throws `encryption.root-unavailable` when the HSM does not answer.
 */
export function pkcs11Slot({ path, library = 'pkcs11js', ...rest }: Pkcs11SlotOptions): RootSlot {
  const options: TokenOptions = { ...rest, library };
  const file = fileSlot(path);

  const read = async (): Promise<{ wrapped: Wrapped; generation: number } | undefined> => {
    const stored = await file.load();
    if (stored === undefined) return undefined;
    const { material, generation } = stored;
    if (material.length <= CONTENT_OFFSET || !MAGIC.every((byte, index) => material[index] === byte)) {
      throw new EncryptionError('encryption.root-damaged', { detail: `The file is ${path}.` });
    }
    const part = (from: number, to?: number): Uint8Array => material.subarray(from, to);
    return {
      generation,
      wrapped: {
        slotId: part(MAGIC.length, KEY_OFFSET),
        keyId: part(KEY_OFFSET, VECTOR_OFFSET),
        vector: part(VECTOR_OFFSET, CONTENT_OFFSET),
        content: part(CONTENT_OFFSET),
      },
    };
  };

  return {
    name: `HSM token "${options.token}" with file ${path}`,
    erasure: 'key-destroyed',
    async load(): Promise<StoredRoot | undefined> {
      const found = await read();
      if (found === undefined) return undefined;
      const { slotId, keyId, vector, content } = found.wrapped;
      const cipher = { vector, context: contextOf(slotId, keyId), input: content };
      const material = await inSession(options, (session) => session.decrypt(labelOf(slotId), keyId, cipher));
      return { material, generation: found.generation };
    },
    async store(material, replaces) {
      const former = await read();
      if ((former?.generation ?? 0) !== replaces) throw new EncryptionError('encryption.root-conflict');
      const slotId = former?.wrapped.slotId ?? randomBytes(ID_BYTES);
      const keyId = randomBytes(ID_BYTES);
      const label = labelOf(slotId);
      const vector = randomBytes(VECTOR_BYTES);
      const content = await inSession(options, (session) => {
        session.generate(label, keyId);
        return session.encrypt(label, keyId, { vector, context: contextOf(slotId, keyId), input: material });
      });
      try {
        await file.store(concatBytes(MAGIC, slotId, keyId, vector, content), replaces);
      } catch (error) {
        await dropUnused(keyId, label).catch(() => undefined);
        throw error;
      }
      // Also keys that a store before this one left behind when it was cut off.
      await inSession(options, (session) => session.destroyOthers(label, keyId));
    },
  };

  /** The new key goes only when the file is known not to need it: it may have been written and failed afterwards. */
  async function dropUnused(keyId: Uint8Array, label: string): Promise<void> {
    const found = await read();
    if (found !== undefined && toHex(found.wrapped.keyId) === toHex(keyId)) return;
    await inSession(options, (session) => session.destroy(label, keyId));
  }
}

const labelOf = (slotId: Uint8Array): string => `strongroom ${toHex(slotId)}`;

const contextOf = (slotId: Uint8Array, keyId: Uint8Array): Uint8Array =>
  canonical('strongroom/pkcs11-slot/v1', slotId, keyId);
