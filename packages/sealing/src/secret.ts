/**
 * Holders that keep secrets out of logs. Whatever turns a value into text by itself (string conversion,
 * `JSON.stringify`, `util.inspect`, `console.log`, template literals) gets a redacted form; the secret
 * is had only by calling `reveal()`. The redacted form contains brackets, so that it can never pass for
 * base64url where a secret is expected.
 */
import { fromBase64Url, toBase64Url, type Bytes } from '@strongroom/kernel';
import { SealingError } from './errors.ts';

/** Node's hook for `util.inspect` and `console.log`, reachable without importing `node:util`. */
const inspect = Symbol.for('nodejs.util.inspect.custom');

export abstract class Redacted {
  /** What this holds, in words that are safe to show. */
  abstract readonly purpose: string;

  toString(): string {
    return `[redacted: ${this.purpose}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect](): string {
    return this.toString();
  }
}

/** Secret bytes. The bytes live in a private field, which neither inspection nor structured cloning reaches. */
export class SecretBytes extends Redacted {
  readonly purpose: string;
  #bytes: Bytes | null;

  /** Takes ownership: the caller keeps no other reference to `bytes` that it writes to. */
  constructor(purpose: string, bytes: Bytes) {
    super();
    this.purpose = purpose;
    this.#bytes = bytes;
  }

  /** Reads the form that `revealBase64Url` gives. Throws `kernel.invalid-encoding`. */
  static fromBase64Url(purpose: string, text: string): SecretBytes {
    return new SecretBytes(purpose, fromBase64Url(text));
  }

  /** The bytes themselves, not a copy: use them at once and keep no reference. Throws `sealing.wiped`. */
  reveal(): Bytes {
    if (this.#bytes === null) throw new SealingError('sealing.wiped', { detail: `It was the ${this.purpose}.` });
    return this.#bytes;
  }

  /** Base64url without padding, the form for the wire. Strings cannot be wiped: make them late, drop them early. */
  revealBase64Url(): string {
    return toBase64Url(this.reveal());
  }

  /** Overwrites the bytes. Copies that the engine or the operating system made are out of reach. */
  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = null;
  }
}

/** A secret that is text by nature because a person reads it. JavaScript strings cannot be wiped. */
export class SecretText extends Redacted {
  readonly purpose: string;
  readonly #text: string;

  constructor(purpose: string, text: string) {
    super();
    this.purpose = purpose;
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }
}
