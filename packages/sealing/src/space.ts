/** Space keys. A space has one key per epoch; each member holds it wrapped under their own account key. */
import { fromUtf8, utf8, type Bytes, type Uuid } from '@strongroom/kernel';
import type { AccountKeys } from './account.ts';
import { SealingError } from './errors.ts';
import { importSecret } from './internal/hkdf.ts';
import { wrapped } from './internal/labels.ts';
import { pad, unpad } from './padding.ts';
import { Redacted } from './secret.ts';
import { unwrap, wrap } from './wrap.ts';

/** Bytes of a space key. */
const SPACE_KEY_BYTES = 32;
/** Epochs and item versions count from 1 and fit PostgreSQL's `integer`. */
export const GREATEST_COUNT = 2 ** 31 - 1;

/** The key of one space in one epoch, held by the platform and not extractable. */
export class SpaceKey extends Redacted {
  readonly purpose = 'space key';
  readonly space: Uuid;
  readonly epoch: number;
  /** HKDF input for item keys and wraps. */
  readonly secret: CryptoKey;

  constructor(space: Uuid, epoch: number, secret: CryptoKey) {
    super();
    this.space = space;
    this.epoch = epoch;
    this.secret = secret;
  }
}

export interface CreatedSpaceKey {
  readonly spaceKey: SpaceKey;
  /** The space key wrapped for the creating account, base64url: 113 bytes. For the server to keep. */
  readonly wrapping: string;
}

/** Throws a RangeError that names the argument. */
export function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1 || value > GREATEST_COUNT) {
    throw new RangeError(`${name} must be a whole number from 1 to ${GREATEST_COUNT}`);
  }
}

/** A new random key for a space; its first epoch is 1. */
export async function createSpaceKey(keys: AccountKeys, space: Uuid, epoch = 1): Promise<CreatedSpaceKey> {
  checkCount('epoch', epoch);
  return takeSpaceKey(keys, space, epoch, crypto.getRandomValues(new Uint8Array(SPACE_KEY_BYTES)));
}

/** Wraps the bytes of a space key for the account that now holds them, and wipes them. Throws `sealing.cannot-open` for another length. */
export async function takeSpaceKey(
  keys: AccountKeys,
  space: Uuid,
  epoch: number,
  bytes: Bytes,
): Promise<CreatedSpaceKey> {
  if (bytes.length !== SPACE_KEY_BYTES) throw new SealingError('sealing.cannot-open');
  const wrapping = await wrap(keys.wrappingKey, spaceKeyContext(keys, space, epoch), bytes);
  return { spaceKey: await importSpaceKey(space, epoch, bytes), wrapping };
}

/** Throws `sealing.cannot-open` when the wrapping is of another account, space or epoch. */
export async function openSpaceKey(keys: AccountKeys, space: Uuid, epoch: number, wrapping: string): Promise<SpaceKey> {
  return importSpaceKey(space, epoch, await revealSpaceKey(keys, space, epoch, wrapping));
}

/** The bytes behind a wrapping, for sealing them to somebody else. To be wiped after use. Throws like `openSpaceKey`. */
export async function revealSpaceKey(keys: AccountKeys, space: Uuid, epoch: number, wrapping: string): Promise<Bytes> {
  checkCount('epoch', epoch);
  const bytes = await unwrap(keys.wrappingKey, spaceKeyContext(keys, space, epoch), wrapping);
  if (bytes.length !== SPACE_KEY_BYTES) throw new SealingError('sealing.cannot-open');
  return bytes;
}

/** The name of a space, padded and sealed under its key. Base64url. */
export const sealSpaceName = (spaceKey: SpaceKey, name: string): Promise<string> =>
  wrap(spaceKey.secret, spaceNameContext(spaceKey), pad(utf8(name)));

/** Throws `sealing.cannot-open` when it is the name of another space or epoch. */
export async function openSpaceName(spaceKey: SpaceKey, sealed: string): Promise<string> {
  return fromUtf8(unpad(await unwrap(spaceKey.secret, spaceNameContext(spaceKey), sealed)));
}

const spaceKeyContext = (keys: AccountKeys, space: Uuid, epoch: number) =>
  [wrapped.spaceKey, space, epoch, keys.account] as const;

const spaceNameContext = (spaceKey: SpaceKey) => [wrapped.spaceName, spaceKey.space, spaceKey.epoch] as const;

/** Wipes `bytes`. */
async function importSpaceKey(space: Uuid, epoch: number, bytes: Bytes): Promise<SpaceKey> {
  const secret = await importSecret(bytes);
  bytes.fill(0);
  return new SpaceKey(space, epoch, secret);
}
