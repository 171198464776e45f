/**
 * How an opening is stored: one byte for its form, then what the form says. docs/format/audit.md is the contract. It is encrypted under the log keys of
 * everybody whose erasure must close it (opening-keys.ts), so the bytes that a deleted row leaves behind say nothing once one of these keys is gone.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { type Bytes, concatBytes, fromUtf8, toHex, utf8 } from '@strongroom/kernel';
import { type Opening, SALT_LENGTH } from '../entry.ts';
import { OpeningSeed } from './opening-seed.ts';
import { RandomSupply } from './random-supply.ts';

/** Salt, then the value in UTF-8. Only read: what was stored before openings were encrypted. */
const CLEAR = 0;

/** As below, but bound to its event, so that it could not be made before it. Only read. */
const SEALED_FOR_EVENT = 1;

/**
 * Vector, then salt and value encrypted with AES-256-GCM, then the tag (NIST SP 800-38D). The commitment in the entry binds it to its event: in another row it
 * opens to what that entry does not commit to, and whoever reads compares.
 */
const SEALED = 2;

/**
 * Counter, then vector, seed and value encrypted as above, then the tag. One seed serves up to `OPENINGS_OF_SEED` events of a person, whose salts are derived
 * from it: see OpeningSupply.
 */
const SEEDED = 3;

const CIPHER = 'aes-256-gcm';
/** SP 800-38D §5.2.1.1, in bytes. */
const VECTOR_LENGTH = 12;
/** SP 800-38D §5.2.1.2: the longest, in bytes. */
const TAG_LENGTH = 16;
/** Bytes of a log key. */
export const KEY_LENGTH = 32;

/** What an opening of the former form is bound to. */
export interface OpeningPlace {
  readonly eventId: string;
  readonly tenantId: string | null;
}

/** The same as bytes. */
const associatedData = ({ eventId, tenantId }: OpeningPlace): Bytes =>
  utf8(`strongroom/audit-opening/v1\0${tenantId ?? ''}\0${eventId}`);

const SHARED_LABEL = utf8('strongroom/audit-opening-shared/v1');

/** The key of an opening that all these people's keys are needed for, in the order of their pseudonyms. At least one. */
export function commonKey(keys: readonly KeyObject[]): KeyObject {
  const [only] = keys;
  if (keys.length === 1) return only!;
  const together = concatBytes(...keys.map((key) => key.export()));
  // RFC 5869: nobody who lacks one of the parts knows anything of what is extracted from the whole.
  const derived = new Uint8Array(hkdfSync('sha256', together, new Uint8Array(0), SHARED_LABEL, KEY_LENGTH));
  together.fill(0);
  const key = createSecretKey(derived);
  derived.fill(0);
  return key;
}

const SEALED_LABEL = utf8('strongroom/audit-opening/v2');
const SEEDED_LABEL = utf8('strongroom/audit-opening/v3');

const vectors = new RandomSupply(VECTOR_LENGTH);

export const sealOpening = (key: KeyObject, { salt, value }: Opening): Bytes =>
  concatBytes(Uint8Array.of(SEALED), seal(key, SEALED_LABEL, concatBytes(salt, utf8(value))));

/** Vector, ciphertext, tag. */
function seal(key: KeyObject, label: Uint8Array, plaintext: Uint8Array): Bytes {
  const vector = vectors.next();
  const cipher = createCipheriv(CIPHER, key, vector);
  cipher.setAAD(label);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return concatBytes(vector, ciphertext, cipher.getAuthTag());
}

/** What the openings of a seed have in common. `seeded`: as an `OpeningSeed` is made from. */
export const sealSeed = (key: KeyObject, seeded: Uint8Array): Bytes => seal(key, SEEDED_LABEL, seeded);

/** The opening with this counter as it is stored, in hexadecimal, from what `sealSeed` made. */
export const seededHex = (counter: number, sealed: string): string =>
  `${toHex(Uint8Array.of(SEEDED, counter))}${sealed}`;

/** What opens no commitment: stored bytes of no known form, or that were not made here, read as this, and verification says so. */
export const UNREADABLE: Opening = { salt: new Uint8Array(0), value: '' };

export const isSealed = (stored: Uint8Array): boolean => stored[0]! >= SEALED_FOR_EVENT && stored[0]! <= SEEDED;

/** By key and by what they were sealed as: whoever reads many openings decrypts each seed once. */
export type OpenedSeeds = Map<KeyObject, Map<string, OpeningSeed>>;

/** `key`: absent where there is none, which only what is stored in the clear does without. */
export function openOpening(
  key: KeyObject | undefined,
  place: OpeningPlace,
  stored: Uint8Array,
  seeds?: OpenedSeeds,
): Opening {
  if (stored[0] === CLEAR) return decode(stored.subarray(1));
  const plaintext = key === undefined ? undefined : openSealed(key, stored, { place, seeds });
  return plaintext === undefined ? UNREADABLE : decode(plaintext);
}

/**
 * Salt and value, one behind the other, until the next call; `undefined` for what is not sealed, not with this key, or in the former form and not for this
 * place.
 */
export function openSealed(
  key: KeyObject,
  stored: Uint8Array,
  { place, seeds }: { readonly place?: OpeningPlace | undefined; readonly seeds?: OpenedSeeds | undefined },
): Uint8Array | undefined {
  const [form, counter] = stored;
  if (form === SEALED) return decrypt(key, SEALED_LABEL, stored.subarray(1));
  if (form === SEALED_FOR_EVENT) return place && decrypt(key, associatedData(place), stored.subarray(1));
  if (form !== SEEDED || counter === undefined) return undefined;
  return openSeed(key, stored.subarray(2), seeds)?.salted(counter);
}

function openSeed(key: KeyObject, sealed: Uint8Array, seeds: OpenedSeeds = new Map()): OpeningSeed | undefined {
  const id = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length).toString('latin1');
  let ofKey = seeds.get(key);
  if (ofKey === undefined) seeds.set(key, (ofKey = new Map()));
  const known = ofKey.get(id);
  if (known !== undefined) return known;
  const seeded = decrypt(key, SEEDED_LABEL, sealed);
  if (seeded === undefined) return undefined;
  const seed = new OpeningSeed(seeded);
  ofKey.set(id, seed);
  return seed;
}

/** What `seal` was given; `undefined` for anything else. */
function decrypt(key: KeyObject, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < VECTOR_LENGTH + SALT_LENGTH + TAG_LENGTH) return undefined;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, VECTOR_LENGTH), { authTagLength: TAG_LENGTH });
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
  const plaintext = decipher.update(sealed.subarray(VECTOR_LENGTH, -TAG_LENGTH));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plaintext;
}

function decode(bytes: Uint8Array): Opening {
  if (bytes.length < SALT_LENGTH) return UNREADABLE;
  try {
    return { salt: new Uint8Array(bytes.subarray(0, SALT_LENGTH)), value: fromUtf8(bytes.subarray(SALT_LENGTH)) };
  } catch {
    return UNREADABLE;
  }
}
