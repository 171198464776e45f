/**
 * Fernet (github.com/fernet/spec) on node:crypto, synchronous. The layout of tokens and keys is that of package `sealing`, where
 * the asynchronous Fernet for browsers lives.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import { inspect } from 'node:util';
import type { Bytes } from '@strongroom/kernel';
import {
  checkFernetAge,
  FERNET_BLOCK_BYTES,
  finishFernetToken,
  generateFernetKey,
  layOutFernetToken,
  parseFernetKey,
  parseFernetToken,
  SealingError,
  type FernetFrame,
} from '@strongroom/sealing';
import { EncryptionError } from './errors.ts';
import { RandomPool } from './internal/random-pool.ts';

/** Fernet spec: AES with a key of 128 bits in CBC mode, padded as in RFC 5652 §6.3. */
const CIPHER = 'aes-128-cbc';

const vectors = new RandomPool(FERNET_BLOCK_BYTES);

export interface FernetEncryptOptions {
  /** Seconds since the epoch, written into the token in the clear; the system's clock otherwise. */
  readonly now?: number | undefined;
}

export interface FernetDecryptOptions {
  /** Greatest age in seconds. Without it tokens of any age are accepted, and the clock is not looked at. */
  readonly ttl?: number | undefined;
  /** With `ttl`: the time to compare with, seconds since the epoch. A token may be up to 60 s ahead of it. */
  readonly now?: number | undefined;
}

/** What `Fernet` and `MultiFernet` have in common. */
export interface TokenCipher {
  /** Returns the token as text. Text is encrypted as UTF-8; lone surrogates in it are `encryption.malformed-text`. */
  encrypt(content: string | Uint8Array, options?: FernetEncryptOptions): string;
  /**
   * Returns the content. Throws `encryption.invalid-token`, the same for whatever is wrong: malformed, forged, from another key or too old.
   */
  decrypt(token: string | Uint8Array, options?: FernetDecryptOptions): Bytes;
  /** When the token was made, seconds since the epoch, after its signature was verified. Throws `encryption.invalid-token`. */
  timestamp(token: string | Uint8Array): number;
}

/** One key. It is held in KeyObjects, out of reach of inspection, JSON and structured cloning. */
export class Fernet implements TokenCipher {
  readonly #signingKey: KeyObject;
  readonly #encryptionKey: KeyObject;

  /** `key`: 32 bytes in base64url with padding. Throws `encryption.invalid-fernet-key`. */
  constructor(key: string) {
    const parts = asEncryptionErrors('encryption.invalid-fernet-key', () => parseFernetKey(key));
    this.#signingKey = createSecretKey(parts.signingKey);
    this.#encryptionKey = createSecretKey(parts.encryptionKey);
    parts.signingKey.fill(0);
    parts.encryptionKey.fill(0);
  }

  /** A new random key as text, good for every implementation of Fernet. */
  static generateKey(): string {
    return generateFernetKey();
  }

  encrypt(content: string | Uint8Array, options: FernetEncryptOptions = {}): string {
    if (typeof content === 'string' && !content.isWellFormed()) throw new EncryptionError('encryption.malformed-text');
    const vector = vectors.next();
    const cipher = createCipheriv(CIPHER, this.#encryptionKey, vector);
    const head = typeof content === 'string' ? cipher.update(content, 'utf8') : cipher.update(content);
    const layout = layOutFernetToken(options.now ?? secondsNow(), vector, head, cipher.final());
    return finishFernetToken(layout, this.#sign(layout.signed));
  }

  decrypt(token: string | Uint8Array, options: FernetDecryptOptions = {}): Bytes {
    return asEncryptionErrors('encryption.invalid-token', () => {
      const frame = this.#verify(token);
      checkFernetAge(frame, { ttl: options.ttl, now: options.now ?? secondsNow() });
      return this.#content(frame);
    });
  }

  timestamp(token: string | Uint8Array): number {
    return asEncryptionErrors('encryption.invalid-token', () => this.#verify(token).timestamp);
  }

  [inspect.custom](): string {
    return 'Fernet {}';
  }

  #sign(signed: Uint8Array): Buffer {
    return createHmac('sha256', this.#signingKey).update(signed).digest();
  }

  #verify(token: string | Uint8Array): FernetFrame {
    const frame = parseFernetToken(token);
    if (timingSafeEqual(this.#sign(frame.signed), frame.signature)) return frame;
    throw new EncryptionError('encryption.invalid-token');
  }

  #content(frame: FernetFrame): Bytes {
    const decipher = createDecipheriv(CIPHER, this.#encryptionKey, frame.initializationVector);
    // OpenSSL would hold the last block back until `final`, a second piece to be joined; a quarter of the whole time.
    decipher.setAutoPadding(false);
    const padded = decipher.update(frame.ciphertext);
    const padding = paddingOf(padded);
    // Wrong padding under a right signature: made by a broken or hostile holder of the key.
    if (padding === undefined) throw new EncryptionError('encryption.invalid-token');
    return new Uint8Array(padded.buffer, padded.byteOffset, padded.length - padding);
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

const secondsNow = (): number => Math.floor(Date.now() / 1000);

/** One class of errors for callers, and one code: why a token is invalid is nobody's business. */
function asEncryptionErrors<Result>(
  code: 'encryption.invalid-token' | 'encryption.invalid-fernet-key',
  work: () => Result,
): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof SealingError) throw new EncryptionError(code, { cause: error });
    throw error;
  }
}
