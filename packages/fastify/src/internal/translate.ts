/** Between Fastify's request and reply and the pipeline's. */
import { PipelineError, type Method, type PipelineRequest, type PipelineResponse } from '@strongroom/pipeline';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readBody } from './read-body.ts';

/** Throws `pipeline.malformed-request` for what the HTTP parser lets pass but no two readers understand alike. */
export function toPipelineRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  bodyTimeoutMilliseconds: number,
): PipelineRequest {
  const { raw } = request;
  const [path, query] = splitTarget(raw.url ?? '/');
  // RFC 9112 §3.2: a request without `host` (or with two, which node joins) is answered with 400.
  if (raw.headers.host === undefined || raw.headers.host.includes(','))
    throw new PipelineError('pipeline.malformed-request');
  return {
    method: (raw.method === 'HEAD' ? 'GET' : raw.method) as Method,
    path,
    parameters: request.params as Readonly<Record<string, string>>,
    query: parseQuery(query),
    headers: headersOf(request),
    clientAddress: request.ip ?? '',
    secure: request.protocol === 'https',
    body: (limit) => readBody(raw, { limit, timeoutMilliseconds: bodyTimeoutMilliseconds }),
    signal: disconnection(reply),
  };
}

export const pathOf = (target: string): string => splitTarget(target)[0];

function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf('?');
  return mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}

const NO_QUERY = new URLSearchParams();

/**
 * `URLSearchParams` replaces bad percent-encoding and bad UTF-8 silently; here it is an error, as it is in the path.
 */
function parseQuery(query: string): URLSearchParams {
  if (query === '') return NO_QUERY;
  try {
    if (query.includes('%')) decodeURIComponent(query);
  } catch {
    throw new PipelineError('pipeline.malformed-request', { detail: 'The query is not percent-encoded UTF-8.' });
  }
  return new URLSearchParams(query);
}

/** Node gives an array for `set-cookie` alone, which has no meaning in a request. */
function headersOf({ raw }: FastifyRequest): PipelineRequest['headers'] {
  if (raw.headers['set-cookie'] === undefined) return raw.headers as PipelineRequest['headers'];
  const { 'set-cookie': _, ...headers } = raw.headers;
  return headers as PipelineRequest['headers'];
}

/** The response, not the request, tells whether somebody still listens: a request closes once its body was read. */
function disconnection({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** How long an answered client may go on sending before its connection is cut. */
const LINGER_MILLISECONDS = 1_000;

export function send(request: FastifyRequest, reply: FastifyReply, response: PipelineResponse): FastifyReply {
  if (!request.raw.complete) lingerBriefly(request, reply);
  reply.code(response.status).headers(response.headers as Record<string, string | string[]>);
  // As bytes, since Fastify adds a charset to the type of a JSON text.
  return reply.send(typeof response.body === 'string' ? Buffer.from(response.body) : response.body);
}

/**
 * The answer was given before the body had arrived (too large, not allowed). Cutting the connection at once would
 * often lose the answer with it; reading on for ever would be a free upload. So the rest is read and dropped, for a
 * short time.
 */
function lingerBriefly(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request;
  reply.raw.once('finish', () => {
    if (raw.complete) return;
    const timer = setTimeout(() => raw.destroy(), LINGER_MILLISECONDS).unref();
    raw.once('end', () => clearTimeout(timer));
    raw.on('error', () => undefined);
    raw.resume();
  });
}
