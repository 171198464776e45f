/**
 * How a password becomes a key. The server stores these values and sends them before sign-in; it is not
 * trusted with them: a server that could lower them could guess passwords cheaply, one that could raise them
 * without limit could hang the client.
 */
import { SealingError } from './errors.ts';

export interface KeyDerivationParameters {
  readonly algorithm: 'argon2id';
  /** Of this package's scheme around Argon2id, docs/format/sealing.md. */
  readonly version: 1;
  /** RFC 9106 §3.1: memory m, in KiB. */
  readonly memoryKibibytes: number;
  /** RFC 9106 §3.1: passes t. */
  readonly passes: number;
  /** RFC 9106 §3.1: parallelism p. */
  readonly lanes: number;
}

/** RFC 9106 §4, second recommended option (64 MiB, 3 passes, 4 lanes). */
export const defaultKeyDerivation: KeyDerivationParameters = Object.freeze({
  algorithm: 'argon2id',
  version: 1,
  memoryKibibytes: 64 * 1024,
  passes: 3,
  lanes: 4,
});

/**
 * Bounds of what this client computes. The minimum is the default: no account was ever created with less, so
 * whoever asks for less is not the honest server. When the default rises, the minimum stays until no account
 * is left below it. The maximum is about 16 times the work of the default in memory and five in passes.
 */
export const keyDerivationBounds = Object.freeze({
  memoryKibibytes: { minimum: defaultKeyDerivation.memoryKibibytes, maximum: 1024 * 1024 },
  passes: { minimum: defaultKeyDerivation.passes, maximum: 16 },
  lanes: { minimum: 1, maximum: 16 },
});

/** Bytes of a new salt; RFC 9106 §4 recommends 128 bits for password hashing. */
export const SALT_BYTES = 16;
/** Bytes of the longest salt accepted from a server. */
const LONGEST_SALT = 64;

const NAMES: ReadonlySet<string> = new Set(['algorithm', 'version', 'memoryKibibytes', 'passes', 'lanes']);

/**
 * Reads parameters that came from a server. Throws `sealing.unsupported-parameters` (shape, algorithm,
 * version, not an integer), `sealing.weak-parameters` or `sealing.excessive-parameters`; the detail names the value.
 */
export function parseKeyDerivationParameters(value: unknown): KeyDerivationParameters {
  if (typeof value !== 'object' || value === null) throw new SealingError('sealing.unsupported-parameters');
  const given = value as Record<string, unknown>;
  if (given['algorithm'] !== 'argon2id' || given['version'] !== 1) {
    throw new SealingError('sealing.unsupported-parameters', { detail: 'This client knows argon2id, version 1.' });
  }
  if (Object.keys(given).some((name) => !NAMES.has(name))) {
    throw new SealingError('sealing.unsupported-parameters', { detail: 'There is an unknown parameter.' });
  }
  return Object.freeze({
    algorithm: 'argon2id',
    version: 1,
    memoryKibibytes: withinBounds('memoryKibibytes', given['memoryKibibytes']),
    passes: withinBounds('passes', given['passes']),
    lanes: withinBounds('lanes', given['lanes']),
  });
}

/** Throws `sealing.weak-parameters` for fewer than 16 bytes, `sealing.excessive-parameters` for more than 64. */
export function checkSalt(salt: Uint8Array): void {
  if (salt.length < SALT_BYTES) {
    throw new SealingError('sealing.weak-parameters', { detail: `The salt has fewer than ${SALT_BYTES} bytes.` });
  }
  if (salt.length > LONGEST_SALT) {
    throw new SealingError('sealing.excessive-parameters', { detail: `The salt has more than ${LONGEST_SALT} bytes.` });
  }
}

function withinBounds(name: keyof typeof keyDerivationBounds, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new SealingError('sealing.unsupported-parameters', { detail: `"${name}" is not a whole number.` });
  }
  const { minimum, maximum } = keyDerivationBounds[name];
  if (value < minimum) {
    throw new SealingError('sealing.weak-parameters', { detail: `"${name}" is ${value}, the minimum is ${minimum}.` });
  }
  if (value > maximum) {
    throw new SealingError('sealing.excessive-parameters', {
      detail: `"${name}" is ${value}, the maximum is ${maximum}.`,
    });
  }
  return value;
}
