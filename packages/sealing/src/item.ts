/**
 * Sealed items. Each version of each item has a Fernet key of its own, derived from the space key and the place
 * (space, item, version, epoch), so a token that is moved to another place does not open there.
 *
 * token = Fernet( commitment 32 | content | 0x80 | zeros ), the last three padded to a length class
 */
import { concatBytes, equalBytes, lengthPrefixed, uint32, type Bytes, type Uuid } from '@strongroom/kernel';
import { SealingError } from './errors.ts';
import { FERNET_KEY_BYTES } from './fernet-framing.ts';
import { FernetKey, openFernet, sealFernet, type FernetTime } from './fernet.ts';
import { NO_SALT, deriveBytes } from './internal/hkdf.ts';
import { labels } from './internal/labels.ts';
import { pad, unpad } from './padding.ts';
import { checkCount, type SpaceKey } from './space.ts';

/** Bytes. A token is held in memory whole, several times over; larger things are attachments, not items. */
export const LARGEST_ITEM = 1024 * 1024;
/** Bytes of the commitment inside. */
const COMMITMENT_BYTES = 32;
/** Items opened at the same time by `openItems`; measured: more gains nothing in Node or Chromium. */
const BATCH = 64;

/** Which item, in the space and epoch of the space key. */
export interface ItemPlace {
  readonly item: Uuid;
  /** Counts from 1. */
  readonly version: number;
}

export interface SealedItem extends ItemPlace {
  readonly token: string;
}

interface ItemKey {
  readonly fernet: FernetKey;
  readonly commitment: Bytes;
}

/** Returns a Fernet token as text. Throws `sealing.content-too-large` above 1 MiB. */
export async function sealItem(
  spaceKey: SpaceKey,
  place: ItemPlace,
  content: Bytes,
  time: FernetTime = {},
): Promise<string> {
  if (content.length > LARGEST_ITEM) {
    throw new SealingError('sealing.content-too-large', { detail: `The limit is ${LARGEST_ITEM} bytes.` });
  }
  const { fernet, commitment } = await deriveItemKey(spaceKey, place);
  return sealFernet(fernet, pad(concatBytes(commitment, content)), time);
}

/** Throws `sealing.cannot-open` for another place or key and for any damage. */
export async function openItem(spaceKey: SpaceKey, place: ItemPlace, token: string | Uint8Array): Promise<Bytes> {
  const { fernet, commitment } = await deriveItemKey(spaceKey, place);
  let padded: Bytes;
  try {
    padded = await openFernet(fernet, token);
  } catch (cause) {
    throw new SealingError('sealing.cannot-open', { cause });
  }
  const plain = unpad(padded);
  if (!equalBytes(plain.subarray(0, COMMITMENT_BYTES), commitment)) throw new SealingError('sealing.cannot-open');
  return plain.subarray(COMMITMENT_BYTES);
}

/**
 * Opens many, in order, some at a time. One that cannot be opened gives its error in its place and does
 * not keep the others closed.
 */
export async function openItems(spaceKey: SpaceKey, items: readonly SealedItem[]): Promise<(Bytes | SealingError)[]> {
  const opened: (Bytes | SealingError)[] = [];
  for (let start = 0; start < items.length; start += BATCH) {
    const batch = items.slice(start, start + BATCH).map(async (item) => {
      try {
        return await openItem(spaceKey, item, item.token);
      } catch (error) {
        if (error instanceof SealingError) return error;
        throw error;
      }
    });
    opened.push(...(await Promise.all(batch)));
  }
  return opened;
}

/** HKDF-SHA-256(space key, no salt, label | space | item | version | epoch) → Fernet key 32 | commitment 32. */
async function deriveItemKey(spaceKey: SpaceKey, place: ItemPlace): Promise<ItemKey> {
  checkCount('version', place.version);
  const info = lengthPrefixed(labels.item, spaceKey.space, place.item, uint32(place.version), uint32(spaceKey.epoch));
  const derived = await deriveBytes(spaceKey.secret, NO_SALT, info, FERNET_KEY_BYTES + COMMITMENT_BYTES);
  const fernet = await FernetKey.import(derived.subarray(0, FERNET_KEY_BYTES));
  const commitment = derived.slice(FERNET_KEY_BYTES);
  derived.fill(0);
  return { fernet, commitment };
}
