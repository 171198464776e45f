/**
 * Fernet (github.com/fernet/spec) on node:crypto, synchronous. The layout of tokens and keys is that of package `sealing`, where
 * the asynchronous Fernet for browsers lives.
 */
import { inspect } from 'node:util';
import type { Bytes } from '@strongroom/kernel';
import { checkFernetAge, generateFernetKey, parseFernetKey, SealingError, type FernetFrame } from '@strongroom/sealing';
import { EncryptionError } from './errors.ts';
import { FernetKeys, secondsNow } from './internal/fernet-keys.ts';

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

/** One key, out of reach of inspection, JSON and structured cloning. */
export class Fernet implements TokenCipher {
  readonly #keys: FernetKeys;

  /** `key`: 32 bytes in base64url with padding. Throws `encryption.invalid-fernet-key`. */
  constructor(key: string) {
    this.#keys = asEncryptionErrors('encryption.invalid-fernet-key', () => new FernetKeys(parseFernetKey(key)));
  }

  /** A new random key as text, good for every implementation of Fernet. */
  static generateKey(): string {
    return generateFernetKey();
  }

  encrypt(content: string | Uint8Array, options: FernetEncryptOptions = {}): string {
    if (typeof content === 'string' && !content.isWellFormed()) throw new EncryptionError('encryption.malformed-text');
    return this.#keys.encrypt(content, options.now ?? secondsNow());
  }

  decrypt(token: string | Uint8Array, options: FernetDecryptOptions = {}): Bytes {
    return asEncryptionErrors('encryption.invalid-token', () => {
      const frame = this.#verify(token);
      checkFernetAge(frame, { ttl: options.ttl, now: options.now ?? secondsNow() });
      const content = this.#keys.decrypt(frame);
      if (content === undefined) throw new EncryptionError('encryption.invalid-token');
      return new Uint8Array(content.buffer, content.byteOffset, content.length);
    });
  }

  timestamp(token: string | Uint8Array): number {
    return asEncryptionErrors('encryption.invalid-token', () => this.#verify(token).timestamp);
  }

  [inspect.custom](): string {
    return 'Fernet {}';
  }

  #verify(token: string | Uint8Array): FernetFrame {
    const frame = this.#keys.verify(token);
    if (frame === undefined) throw new EncryptionError('encryption.invalid-token');
    return frame;
  }
}

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
