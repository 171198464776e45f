/**
 * The recovery code: 160 random bits on paper that do what the password does. Crockford base32, which has no
 * letters that look like digits, with a checksum, so that a typing error is noticed on the spot instead of
 * looking like a wrong code: 32 characters of secret and 4 of checksum, in nine groups of four.
 */
import { lengthPrefixed, type Bytes } from '@strongroom/kernel';
import { SealingError } from './errors.ts';
import { NO_SALT, deriveBytes, importSecret } from './internal/hkdf.ts';
import { labels } from './internal/labels.ts';
import { SecretBytes, SecretText } from './secret.ts';

/** Bytes of randomness: 160 bits, out of reach of any guessing, so no password hashing is needed. */
const CODE_BYTES = 20;
const CODE_CHARACTERS = 32;
/** Characters of checksum: 20 bits, one mistyped code in a million passes for correct. */
const CHECKSUM_CHARACTERS = 4;
const GROUP = 4;
/** Bytes of each derived secret. */
const SECRET_BYTES = 32;

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const WELL_FORMED = new RegExp(`^[${ALPHABET}]{${CODE_CHARACTERS + CHECKSUM_CHARACTERS}}$`);

export interface RecoveryCredentials {
  /** 32 bytes for the server, which lets their holder fetch the account record and set a new password. */
  readonly recoveryAuthenticationSecret: SecretBytes;
  /** 32 bytes that open the account key and never leave the device. */
  readonly recoveryKey: SecretBytes;
}

/** A new code, to be shown once and kept by nobody but the person. */
export async function generateRecoveryCode(): Promise<SecretText> {
  const bytes = crypto.getRandomValues(new Uint8Array(CODE_BYTES));
  const characters = encode(bytes) + (await checksum(bytes));
  bytes.fill(0);
  const groups = Array.from({ length: characters.length / GROUP }, (_, index) =>
    characters.slice(index * GROUP, (index + 1) * GROUP),
  );
  return new SecretText('recovery code', groups.join('-'));
}

/**
 * Reads a code as a person types it: any case, with or without hyphens and spaces, O for 0, I and L for 1.
 * Throws `sealing.invalid-recovery-code` when it is incomplete or the checksum does not fit.
 */
export async function deriveRecoveryCredentials(code: string | SecretText): Promise<RecoveryCredentials> {
  const bytes = await parse(typeof code === 'string' ? code : code.reveal());
  const root = await importSecret(bytes);
  bytes.fill(0);
  const derive = (label: string): Promise<Bytes> => deriveBytes(root, NO_SALT, lengthPrefixed(label), SECRET_BYTES);
  const [authentication, unlock] = await Promise.all([
    derive(labels.recoveryAuthentication),
    derive(labels.recoveryUnlock),
  ]);
  return {
    recoveryAuthenticationSecret: new SecretBytes('recovery authentication secret', authentication),
    recoveryKey: new SecretBytes('recovery key', unlock),
  };
}

async function parse(typed: string): Promise<Bytes> {
  const characters = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  if (!WELL_FORMED.test(characters)) throw new SealingError('sealing.invalid-recovery-code');
  const bytes = decode(characters.slice(0, CODE_CHARACTERS));
  if ((await checksum(bytes)) !== characters.slice(CODE_CHARACTERS)) {
    throw new SealingError('sealing.invalid-recovery-code');
  }
  return bytes;
}

/** The first 20 bits of SHA-256(length-prefixed(label, bytes)), as four characters. */
async function checksum(bytes: Bytes): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', lengthPrefixed(labels.recoveryChecksum, bytes));
  return encode(new Uint8Array(digest)).slice(0, CHECKSUM_CHARACTERS);
}

/** Five bits a character, most significant first; a last incomplete group is dropped. */
function encode(bytes: Bytes): string {
  let text = '';
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = ((pending << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(pending >>> bits) & 31]!;
    }
  }
  return text;
}

function decode(characters: string): Bytes {
  const bytes = new Uint8Array(Math.floor((characters.length * 5) / 8));
  let offset = 0;
  let bits = 0;
  let pending = 0;
  for (const character of characters) {
    pending = ((pending << 5) | ALPHABET.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[offset] = pending >>> bits;
    offset += 1;
  }
  return bytes;
}
