/**
 * Space keys on their way from one member to another: HPKE (RFC 9180) in mode Auth. Only the holder of the sender's private key can
 * have made one, so a server cannot put a key of its own in its place. That the sender's public key is really theirs is what
 * fingerprints tell.
 *
 * shared = version 1 | encapsulated key 32 | AES-256-GCM ciphertext 32 | tag 16
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import {
  concatBytes,
  fromBase64Url,
  lengthPrefixed,
  toBase64Url,
  uint32,
  type Bytes,
  type Uuid,
} from '@strongroom/kernel';
import type { AccountKeys } from './account.ts';
import { SealingError } from './errors.ts';
import type { PublicIdentity } from './fingerprint.ts';
import { labels } from './internal/labels.ts';
import { importPublicKey } from './internal/x25519.ts';
import { checkCount, revealSpaceKey, takeSpaceKey, type CreatedSpaceKey } from './space.ts';

const VERSION = 1;
/** RFC 9180 §7.1: DHKEM(X25519, HKDF-SHA256) encapsulates into 32 bytes. */
const ENCAPSULATED_BYTES = 32;
/** The space key and the tag of AES-GCM. */
const CIPHERTEXT_BYTES = 32 + 16;
const SHARED_BYTES = 1 + ENCAPSULATED_BYTES + CIPHERTEXT_BYTES;

const suite = (): CipherSuite =>
  new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/**
 * The space key behind `wrapping`, which is the sender's own, for one recipient. Base64url, 81 bytes. Throws `sealing.cannot-open` for a
 * wrapping of another account, space or epoch and for an unusable public key.
 */
export async function shareSpaceKey(
  keys: AccountKeys,
  space: Uuid,
  epoch: number,
  wrapping: string,
  recipient: PublicIdentity,
): Promise<string> {
  const bytes = await revealSpaceKey(keys, space, epoch, wrapping);
  try {
    const { enc, ct } = await suite().seal(
      {
        recipientPublicKey: await importPublicKey(recipient.publicKey),
        senderKey: { privateKey: keys.privateKey, publicKey: await importPublicKey(keys.publicKey) },
        info: infoOf(space, epoch, keys, recipient),
      },
      bytes,
    );
    return toBase64Url(concatBytes(Uint8Array.of(VERSION), new Uint8Array(enc), new Uint8Array(ct)));
  } catch (cause) {
    throw new SealingError('sealing.cannot-open', { cause });
  } finally {
    bytes.fill(0);
  }
}

/**
 * Opens what `sender` shared, and wraps the key for the account that received it, so that it need not be opened this way again. Throws
 * `sealing.cannot-open` when it comes from anybody else, or is for another account, space or epoch.
 */
export async function openSharedSpaceKey(
  keys: AccountKeys,
  space: Uuid,
  epoch: number,
  shared: string,
  sender: PublicIdentity,
): Promise<CreatedSpaceKey> {
  checkCount('epoch', epoch);
  const bytes = decode(shared);
  let opened: ArrayBuffer;
  try {
    opened = await suite().open(
      {
        recipientKey: { privateKey: keys.privateKey, publicKey: await importPublicKey(keys.publicKey) },
        enc: bytes.slice(1, 1 + ENCAPSULATED_BYTES),
        senderPublicKey: await importPublicKey(sender.publicKey),
        info: infoOf(space, epoch, sender, keys),
      },
      bytes.slice(1 + ENCAPSULATED_BYTES),
    );
  } catch (cause) {
    throw new SealingError('sealing.cannot-open', { cause });
  }
  return takeSpaceKey(keys, space, epoch, new Uint8Array(opened));
}

function infoOf(space: Uuid, epoch: number, sender: PublicIdentity, recipient: PublicIdentity): Bytes {
  return lengthPrefixed(
    labels.sharedSpaceKey,
    space,
    uint32(epoch),
    sender.account,
    sender.publicKey,
    recipient.account,
    recipient.publicKey,
  );
}

function decode(shared: string): Bytes {
  let bytes: Bytes;
  try {
    bytes = fromBase64Url(shared);
  } catch (cause) {
    throw new SealingError('sealing.cannot-open', { cause });
  }
  if (bytes.length !== SHARED_BYTES || bytes[0] !== VERSION) throw new SealingError('sealing.cannot-open');
  return bytes;
}
