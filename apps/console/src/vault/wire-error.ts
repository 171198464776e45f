/** Errors on their way from the worker to the page. */
import { StrongroomError } from '@strongroom/kernel';
import type { WireError } from './protocol.ts';

/** Of a foreign error nothing but that there was one: its message may quote what somebody typed. */
export function wireError(error: unknown): WireError {
  if (!(error instanceof StrongroomError)) {
    return { code: 'console.unexpected', status: 500, message: '', detail: null, retryAfter: null, members: {} };
  }
  const { code, status, publicMessage, detail, retryAfter, members } = error;
  return {
    code,
    status,
    message: publicMessage,
    detail: detail ?? null,
    retryAfter: retryAfter ?? null,
    members: members ?? {},
  };
}
