import { inspect } from 'node:util';
import type { Bytes } from '@strongroom/kernel';
import { EncryptionError } from './errors.ts';
import type { Fernet, FernetDecryptOptions, FernetEncryptOptions, TokenCipher } from './fernet.ts';

/** Several keys, the newest first: encrypts with the first, decrypts with whichever fits. */
export class MultiFernet implements TokenCipher {
  readonly #members: readonly [Fernet, ...Fernet[]];

  /** Throws a TypeError when there is no key. */
  constructor(members: readonly Fernet[]) {
    const [first, ...others] = members;
    if (first === undefined) throw new TypeError('MultiFernet: members must hold at least one Fernet');
    this.#members = [first, ...others];
  }

  encrypt(content: string | Uint8Array, options?: FernetEncryptOptions): string {
    return this.#members[0].encrypt(content, options);
  }

  decrypt(token: string | Uint8Array, options?: FernetDecryptOptions): Bytes {
    return this.#first((member) => member.decrypt(token, options));
  }

  timestamp(token: string | Uint8Array): number {
    return this.#first((member) => member.timestamp(token));
  }

  /** The same content and the same timestamp under the first key. Throws `encryption.invalid-token`. */
  rotate(token: string | Uint8Array): string {
    return this.encrypt(this.decrypt(token), { now: this.timestamp(token) });
  }

  /** The answer of the first member that does not refuse. */
  #first<Result>(ask: (member: Fernet) => Result): Result {
    for (const member of this.#members) {
      try {
        return ask(member);
      } catch (error) {
        if (!(error instanceof EncryptionError)) throw error;
      }
    }
    throw new EncryptionError('encryption.invalid-token');
  }

  [inspect.custom](): string {
    return `MultiFernet { keys: ${this.#members.length} }`;
  }
}
