/**
 * Ids of imported memories. They are computed, not random, so that the same original gets the same id at every import, on every
 * device, also when an earlier import was cut off and nobody knows how far it came.
 */
import { lengthPrefixed, toBase64Url, toHex, utf8, type Uuid } from '@strongroom/kernel';
import type { SpaceKey } from '@strongroom/sealing';
import type { ImportItem } from '../import-item.ts';

/** HKDF label of the key below; no other derivation from a space key begins with it. */
const LABEL = 'strongroom/v1/import-id';
/** Bits of the HMAC key. */
const KEY_BITS = 256;

/** HMAC-SHA-256 under a key that only members of the space can derive: the server cannot test what an id stands for. */
export async function importIdentity(key: SpaceKey): Promise<(source: string, original: string) => Promise<Uuid>> {
  const info = lengthPrefixed(LABEL, key.space);
  const bits = await crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info },
    key.secret,
    KEY_BITS,
  );
  const hmac = await crypto.subtle.importKey('raw', bits, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return async (source, original) => {
    const tag = new Uint8Array(await crypto.subtle.sign('HMAC', hmac, lengthPrefixed(source, original)));
    return uuidOf(tag);
  };
}

/**
 * The shape of UUIDv7 with 74 bits of the tag. Its time is zero: the time of the original would tell the server what clients alone
 * know, and the time of the import would differ from one import to the next.
 */
function uuidOf(tag: Uint8Array): Uuid {
  const bytes = new Uint8Array(16);
  bytes.set(tag.subarray(0, 10), 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Uuid;
}

/** SHA-256 over everything the original says, base64url: equal as long as the original is. Stays inside the sealed document. */
export async function digestOf(item: ImportItem): Promise<string> {
  const { text, title = null, kind = null, tags, createdAt, details } = item;
  const bytes = utf8(JSON.stringify([text, title, kind, tags, createdAt, details]));
  return toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}
