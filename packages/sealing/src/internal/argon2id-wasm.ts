/**
 * Argon2id in WebAssembly, for browsers. Runs on the calling thread and takes a few hundred
 * milliseconds there: call it from a worker where a page must stay responsive.
 */
import { argon2id as compute } from 'hash-wasm';
import type { Bytes } from '@strongroom/kernel';
import type { Argon2idInput } from './argon2id-node.ts';

export async function argon2id(input: Argon2idInput): Promise<Bytes> {
  const tag = await compute({
    password: input.password,
    salt: input.salt,
    memorySize: input.memoryKibibytes,
    iterations: input.passes,
    parallelism: input.lanes,
    hashLength: input.length,
    outputType: 'binary',
  });
  return new Uint8Array(tag);
}
