/** Argon2id by Node's own crypto, on its thread pool. */
import { argon2 } from 'node:crypto';
import type { Bytes } from '@strongroom/kernel';

export interface Argon2idInput {
  readonly password: Bytes;
  readonly salt: Bytes;
  /** RFC 9106 §3.1: memory m in KiB. */
  readonly memoryKibibytes: number;
  /** RFC 9106 §3.1: number of passes t. */
  readonly passes: number;
  /** RFC 9106 §3.1: degree of parallelism p. */
  readonly lanes: number;
  /** RFC 9106 §3.1: tag length T in bytes. */
  readonly length: number;
}

export function argon2id(input: Argon2idInput): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      {
        message: input.password,
        nonce: input.salt,
        memory: input.memoryKibibytes,
        passes: input.passes,
        parallelism: input.lanes,
        tagLength: input.length,
      },
      (error, tag) => {
        if (error === null) resolve(new Uint8Array(tag));
        else reject(error);
      },
    );
  });
}
