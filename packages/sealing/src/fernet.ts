/** Fernet on WebCrypto, the same in browsers and Node. For a synchronous one see package `encryption`. */
import { systemClock, type Bytes } from '@strongroom/kernel';
import { SealingError } from './errors.ts';
import {
  FERNET_BLOCK_BYTES,
  checkFernetAge,
  finishFernetToken,
  layOutFernetToken,
  parseFernetKey,
  parseFernetToken,
  splitFernetKey,
  type FernetKeyParts,
} from './fernet-framing.ts';
import { Redacted } from './secret.ts';

/** Both halves of a Fernet key, held by the platform and not extractable. */
export class FernetKey extends Redacted {
  readonly purpose = 'Fernet key';
  readonly signing: CryptoKey;
  readonly encryption: CryptoKey;

  private constructor(signing: CryptoKey, encryption: CryptoKey) {
    super();
    this.signing = signing;
    this.encryption = encryption;
  }

  /** From text (base64url with padding) or 32 raw bytes. Throws `sealing.invalid-fernet-key`. */
  static async import(key: string | Bytes): Promise<FernetKey> {
    const parts: FernetKeyParts = typeof key === 'string' ? parseFernetKey(key) : splitFernetKey(key);
    const [signing, encryption] = await Promise.all([
      crypto.subtle.importKey('raw', parts.signingKey, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']),
      crypto.subtle.importKey('raw', parts.encryptionKey, 'AES-CBC', false, ['encrypt', 'decrypt']),
    ]);
    return new FernetKey(signing, encryption);
  }
}

export interface FernetTime {
  /** Seconds since the epoch; the system's clock otherwise. */
  readonly now?: number | undefined;
}

export interface FernetOpening extends FernetTime {
  /** Greatest age in seconds; without it age is not looked at. */
  readonly ttl?: number | undefined;
}

const secondsNow = (): number => Math.floor(systemClock.now() / 1000);

/** Returns the token as text. */
export function sealFernet(key: FernetKey, content: Bytes, time: FernetTime = {}): Promise<string> {
  const initializationVector = crypto.getRandomValues(new Uint8Array(FERNET_BLOCK_BYTES));
  return sealFernetWith(key, content, time.now ?? secondsNow(), initializationVector);
}

/** With a given initialization vector, which must be random and used once. Known-answer tests need this form. */
export async function sealFernetWith(
  key: FernetKey,
  content: Bytes,
  timestamp: number,
  initializationVector: Bytes,
): Promise<string> {
  const ciphertext = await crypto.subtle.encrypt(
    { name: 'AES-CBC', iv: initializationVector },
    key.encryption,
    content,
  );
  const layout = layOutFernetToken(timestamp, initializationVector, new Uint8Array(ciphertext));
  const signature = await crypto.subtle.sign('HMAC', key.signing, layout.signed);
  return finishFernetToken(layout, new Uint8Array(signature));
}

/**
 * The content, after signature, age and padding were found right. Throws `sealing.invalid-token`, the same for
 * whatever is wrong, or `sealing.expired-token` for a token that was once good.
 */
export async function openFernet(
  key: FernetKey,
  token: string | Uint8Array,
  opening: FernetOpening = {},
): Promise<Bytes> {
  const frame = parseFernetToken(token);
  if (!(await crypto.subtle.verify('HMAC', key.signing, frame.signature, frame.signed))) {
    throw new SealingError('sealing.invalid-token');
  }
  checkFernetAge(frame, { ttl: opening.ttl, now: opening.now ?? secondsNow() });
  try {
    const content = await crypto.subtle.decrypt(
      { name: 'AES-CBC', iv: frame.initializationVector },
      key.encryption,
      frame.ciphertext,
    );
    return new Uint8Array(content);
  } catch {
    // WebCrypto checks the padding strictly; its error says no more than ours.
    throw new SealingError('sealing.invalid-token');
  }
}
