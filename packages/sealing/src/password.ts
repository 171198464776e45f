/** From a password to two independent secrets: one that the server checks, one that it never sees. */
import { lengthPrefixed, utf8, type Bytes } from '@strongroom/kernel';
import { argon2id } from '#argon2id';
import { SealingError } from './errors.ts';
import { deriveBytes, importSecret } from './internal/hkdf.ts';
import { labels } from './internal/labels.ts';
import { isPredictable } from './internal/predictable.ts';
import { checkSalt, parseKeyDerivationParameters, type KeyDerivationParameters } from './key-derivation-parameters.ts';
import { SecretBytes } from './secret.ts';

/** Characters of a new password, NIST SP 800-63B-4 §3.1.1.2: at least 15 where it is the only factor. */
export const SHORTEST_NEW_PASSWORD = 15;
/** Characters; a bound on work, far above anything typed. */
const LONGEST_PASSWORD = 1024;
/** Bytes of each derived secret. */
const SECRET_BYTES = 32;

export interface Credentials {
  /** 32 bytes for the server, in place of a password. Tells nothing about the unlock key. */
  readonly authenticationSecret: SecretBytes;
  /** 32 bytes that open the account key and never leave the device. Wipe it once the account is unlocked. */
  readonly unlockKey: SecretBytes;
}

/**
 * Argon2id over the NFKC form of the password, then HKDF-SHA-256. `salt` and `parameters` come from the server before
 * sign-in and are checked here, before the password is touched. Throws `sealing.weak-parameters`,
 * `sealing.excessive-parameters`, `sealing.unsupported-parameters` or `sealing.invalid-password`.
 */
export async function deriveCredentials(
  password: string,
  salt: Bytes,
  parameters: KeyDerivationParameters,
): Promise<Credentials> {
  const { memoryKibibytes, passes, lanes } = parseKeyDerivationParameters(parameters);
  checkSalt(salt);
  const passwordBytes = utf8(normalisePassword(password));
  const stretched = await argon2id({
    password: passwordBytes,
    salt,
    memoryKibibytes,
    passes,
    lanes,
    length: SECRET_BYTES,
  });
  passwordBytes.fill(0);
  const root = await importSecret(stretched);
  stretched.fill(0);
  const derive = (label: string): Promise<Bytes> => deriveBytes(root, salt, lengthPrefixed(label), SECRET_BYTES);
  const [authentication, unlock] = await Promise.all([
    derive(labels.passwordAuthentication),
    derive(labels.passwordUnlock),
  ]);
  return {
    authenticationSecret: new SecretBytes('authentication secret', authentication),
    unlockKey: new SecretBytes('unlock key', unlock),
  };
}

/** What a password must be when it is chosen. Throws `sealing.invalid-password` and `sealing.predictable-password`. */
export function checkNewPassword(password: string): void {
  const characters = Array.from(normalisePassword(password));
  if (characters.length < SHORTEST_NEW_PASSWORD) {
    throw new SealingError('sealing.invalid-password', {
      detail: `Choose at least ${SHORTEST_NEW_PASSWORD} characters; a few random words are easy to remember.`,
    });
  }
  if (isPredictable(characters, SHORTEST_NEW_PASSWORD)) throw new SealingError('sealing.predictable-password');
}

/** One spelling for what looks the same on every keyboard (NFKC, NIST SP 800-63B-4 §3.1.1.2). */
function normalisePassword(password: string): string {
  if (password === '') throw new SealingError('sealing.invalid-password', { detail: 'It is empty.' });
  if (password.length > LONGEST_PASSWORD) {
    throw new SealingError('sealing.invalid-password', { detail: `It is longer than ${LONGEST_PASSWORD} characters.` });
  }
  // Half of a surrogate pair would become the replacement character: different passwords, same bytes.
  if (!password.isWellFormed()) {
    throw new SealingError('sealing.invalid-password', { detail: 'It contains half of a character.' });
  }
  return password.normalize('NFKC');
}
