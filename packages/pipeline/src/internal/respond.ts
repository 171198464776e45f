/** Every answer the pipeline gives is made here, so that none lacks the headers that protect it. */
import type { StrongroomError, Uuid } from '@strongroom/kernel';
import type { z } from 'zod';
import { PipelineError } from '../errors.ts';
import { STRICT_TRANSPORT_SECURITY, type PipelineResponse } from '../http.ts';
import type { Reply } from '../route.ts';
import { fieldPath } from './describe-issues.ts';
import { isVisible, policyItem, stateItem, type TakenLimit } from './limit-headers.ts';

type Headers = Record<string, string | readonly string[]>;

/**
 * Answers are data for programs: never cached, never guessed to be another type, never framed, never read by another
 * site. A reply may override each of them by name.
 */
const PROTECTION: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

export function baseHeaders(requestId: Uuid, secure: boolean): Headers {
  const headers: Headers = { ...PROTECTION, 'x-request-id': requestId };
  if (secure) headers['strict-transport-security'] = STRICT_TRANSPORT_SECURITY;
  return headers;
}

export function addLimitHeaders(headers: Headers, taken: readonly TakenLimit[]): void {
  let policies = '';
  let states = '';
  for (const limit of taken) {
    if (!isVisible(limit)) continue;
    policies += policies === '' ? policyItem(limit.policy) : `, ${policyItem(limit.policy)}`;
    states += states === '' ? stateItem(limit) : `, ${stateItem(limit)}`;
  }
  if (policies === '') return;
  headers['ratelimit-policy'] = policies;
  headers['ratelimit'] = states;
}

/** RFC 9110 §11.6.1 wants a challenge with every 401; RFC 9470 §3 names the one for stepping up. */
const CHALLENGE = 'Bearer realm="strongroom"';
const STEP_UP_CHALLENGE = `${CHALLENGE}, error="insufficient_user_authentication"`;

/** RFC 9457. */
export function problemResponse(error: StrongroomError, requestId: Uuid, headers: Headers): PipelineResponse {
  headers['content-type'] = 'application/problem+json';
  if (error.retryAfter !== undefined) headers['retry-after'] = String(error.retryAfter);
  if (error.status === 401) {
    headers['www-authenticate'] = error.code === 'pipeline.reauthentication-required' ? STEP_UP_CHALLENGE : CHALLENGE;
  }
  return { status: error.status, headers, body: JSON.stringify({ ...error.toProblem(), requestId }) };
}

/**
 * The output as declared. Throws `pipeline.output-mismatch` naming the fields, for the log only: what the handler
 * wanted to say is withheld whole.
 */
export function maskOutput(output: z.ZodType, value: unknown): unknown {
  const result = output.safeParse(value);
  if (result.success) return result.data;
  const places = new Set(result.error.issues.map((issue) => fieldPath('output', issue.path.map(declaredName))));
  throw new PipelineError('pipeline.output-mismatch', { detail: `See ${[...places].slice(0, 20).join(', ')}.` });
}

/** Keys of a record may be data; only what looks like the name of a field is written to the log. */
const declaredName = (key: PropertyKey): PropertyKey =>
  typeof key === 'number' || /^[A-Za-z][A-Za-z0-9_]{0,40}$/.test(String(key)) ? key : '*';

/** Text goes out as text, bytes as bytes (the reply names the type), null as nothing, everything else as JSON. */
export function successResponse(
  reply: Reply<unknown>,
  declaredStatus: number | undefined,
  masked: unknown,
  headers: Headers,
): PipelineResponse {
  const status = reply.status ?? declaredStatus ?? (masked === null ? 204 : 200);
  if (masked === null) {
    addReplyHeaders(headers, reply.headers);
    return { status, headers, body: null };
  }
  if (masked instanceof Uint8Array) headers['content-type'] = 'application/octet-stream';
  else if (typeof masked === 'string') headers['content-type'] = 'text/plain; charset=utf-8';
  else headers['content-type'] = 'application/json';
  addReplyHeaders(headers, reply.headers);
  const body = masked instanceof Uint8Array || typeof masked === 'string' ? masked : JSON.stringify(masked);
  return { status, headers, body };
}

/** RFC 9110 §5.5: visible ASCII, spaces and tabs; a line break would start a header of its own. */
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;
const FIELD_NAME = /^[a-z0-9-]+$/;

function addReplyHeaders(headers: Headers, added: Reply<unknown>['headers']): void {
  if (added === undefined) return;
  for (const [name, value] of Object.entries(added)) {
    const values = typeof value === 'string' ? [value] : value;
    if (!FIELD_NAME.test(name) || !values.every((item) => FIELD_VALUE.test(item))) {
      throw new PipelineError('pipeline.output-mismatch', { detail: 'See a header of the reply.' });
    }
    headers[name] = value;
  }
}
