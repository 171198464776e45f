import type { IncomingMessage } from 'node:http';
import { PipelineError } from '@strongroom/pipeline';

interface BodyRules {
  /** Largest body in bytes. */
  readonly limit: number;
  /** From the first read to the last byte. */
  readonly timeoutMilliseconds: number;
}

/**
 * Reads a request's body. Rejects with `pipeline.body-too-large` (before reading when `content-length` says so
 * already), `pipeline.timeout` or `pipeline.client-gone`; what still arrives afterwards is not kept.
 */
export function readBody(request: IncomingMessage, rules: BodyRules): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const fail = (code: 'pipeline.body-too-large' | 'pipeline.timeout' | 'pipeline.client-gone'): void => {
      settle();
      reject(new PipelineError(code));
    };
    const chunks: Uint8Array[] = [];
    let length = 0;
    const onData = (chunk: Uint8Array): void => {
      length += chunk.length;
      if (length > rules.limit) fail('pipeline.body-too-large');
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      settle();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length));
    };
    const onGone = (): void => fail('pipeline.client-gone');
    const timer = setTimeout(() => fail('pipeline.timeout'), rules.timeoutMilliseconds);
    const settle = (): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onGone);
      request.pause();
    };
    // An error without a listener would end the process; 'close' follows it.
    request.on('error', () => undefined);
    if (request.destroyed) return onGone();
    if (Number(request.headers['content-length'] ?? 0) > rules.limit) return fail('pipeline.body-too-large');
    request.on('data', onData).on('end', onEnd).on('close', onGone);
  });
}
