/** Fernet under one pair of keys, on node:crypto: what tokens by themselves and tokens in fields have in common. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import {
  FERNET_BLOCK_BYTES,
  finishFernetToken,
  layOutFernetToken,
  parseFernetToken,
  type FernetFrame,
  type FernetKeyParts,
} from '@strongroom/sealing';
import { RandomPool } from './random-pool.ts';

/** Fernet spec: AES with a key of 128 bits in CBC mode, padded as in RFC 5652 §6.3. */
const CIPHER = 'aes-128-cbc';

const vectors = new RandomPool(FERNET_BLOCK_BYTES);

/** Seconds since the epoch by the system's clock. */
export const secondsNow = (): number => Math.floor(Date.now() / 1000);

/** Holds the keys in KeyObjects, out of reach of inspection, JSON and structured cloning. */
export class FernetKeys {
  readonly #signingKey: KeyObject;
  readonly #encryptionKey: KeyObject;

  /** Takes the parts over and wipes them. */
  constructor({ signingKey, encryptionKey }: FernetKeyParts) {
    this.#signingKey = createSecretKey(signingKey);
    this.#encryptionKey = createSecretKey(encryptionKey);
    signingKey.fill(0);
    encryptionKey.fill(0);
  }

  /** A token as text. Text is encrypted as UTF-8; the caller made sure that it is well formed. `timestamp`: seconds since the epoch. */
  encrypt(content: string | Uint8Array, timestamp: number): string {
    const vector = vectors.next();
    const cipher = createCipheriv(CIPHER, this.#encryptionKey, vector);
    const head = typeof content === 'string' ? cipher.update(content, 'utf8') : cipher.update(content);
    const layout = layOutFernetToken(timestamp, vector, head, cipher.final());
    return finishFernetToken(layout, this.#sign(layout.signed));
  }

  /** Returns `undefined` for a token that was not made with these keys. Throws a SealingError for what is no token. */
  verify(token: string | Uint8Array): FernetFrame | undefined {
    const frame = parseFernetToken(token);
    return timingSafeEqual(this.#sign(frame.signed), frame.signature) ? frame : undefined;
  }

  /** `frame`: verified. Returns `undefined` for wrong padding under a right signature: made by a broken or hostile holder of the key. */
  decrypt(frame: FernetFrame): Buffer<ArrayBuffer> | undefined {
    const decipher = createDecipheriv(CIPHER, this.#encryptionKey, frame.initializationVector);
    // OpenSSL would hold the last block back until `final`, a second piece to be joined; a quarter of the whole time.
    decipher.setAutoPadding(false);
    const padded = decipher.update(frame.ciphertext);
    const padding = paddingOf(padded);
    return padding === undefined ? undefined : padded.subarray(0, padded.length - padding);
  }

  #sign(signed: Uint8Array): Buffer {
    return createHmac('sha256', this.#signingKey).update(signed).digest();
  }
}

/**
 * RFC 5652 §6.3: the number of padding bytes, which is also the value of each; `undefined` when they are not so. What is
 * decrypted was authenticated before, so that the time this takes is no oracle.
 */
function paddingOf(padded: Uint8Array): number | undefined {
  const padding = padded.at(-1) ?? 0;
  if (padding < 1 || padding > FERNET_BLOCK_BYTES) return undefined;
  for (let index = padded.length - padding; index < padded.length; index += 1) {
    if (padded[index] !== padding) return undefined;
  }
  return padding;
}
