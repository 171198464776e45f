import { PipelineError, type Pipeline, type Route } from '@strongroom/pipeline';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { pathOf, send, toPipelineRequest } from './internal/translate.ts';

export interface StrongroomFastifyOptions {
  readonly pipeline: Pipeline<never>;
  /** How long a body may take to arrive; `BODY_TIMEOUT_MILLISECONDS` when absent. */
  readonly bodyTimeoutMilliseconds?: number;
}

/**
 * 64 KiB in 20 s are 26 kbit/s: slower than any link a person would wait for, too slow to hold many connections open
 * with.
 */
export const BODY_TIMEOUT_MILLISECONDS = 20_000;

/**
 * Serves every route of a pipeline in a Fastify 5 application: `app.register(strongroomFastify, { pipeline })`.
 * Bodies reach the pipeline unparsed. Errors of these routes are always problem documents; addresses that are not the
 * pipeline's stay the application's business (`createServer` answers them too). Behind a proxy, set Fastify's own
 * `trustProxy`.
 */
export async function strongroomFastify(app: FastifyInstance, options: StrongroomFastifyOptions): Promise<void> {
  const { pipeline, bodyTimeoutMilliseconds = BODY_TIMEOUT_MILLISECONDS } = options;
  leaveBodiesAlone(app);
  app.setErrorHandler((error, request, reply) => sendRefusal(pipeline, error, request, reply));
  for (const route of pipeline.routes) {
    app.route({
      method: route.method === 'GET' ? ['GET', 'HEAD'] : route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      exposeHeadRoute: false,
      handler: (request, reply) => serve(pipeline, route, request, reply, bodyTimeoutMilliseconds),
    });
  }
}

async function serve(
  pipeline: Pipeline<never>,
  route: Route<never>,
  request: FastifyRequest,
  reply: FastifyReply,
  bodyTimeoutMilliseconds: number,
): Promise<FastifyReply> {
  const translated = toPipelineRequest(request, reply, bodyTimeoutMilliseconds);
  return send(request, reply, await pipeline.handle(route, translated));
}

/** Fastify would parse JSON its own way; with these it hands the stream on. */
export function leaveBodiesAlone(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
}

export function sendRefusal(
  pipeline: Pipeline<never>,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return send(request, reply, pipeline.refuse(asPipelineError(error), isSecure(request)));
}

export function sendNotFound(pipeline: Pipeline<never>, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const asked = { path: pathOf(request.raw.url ?? '/'), method: request.method, secure: isSecure(request) };
  return send(request, reply, pipeline.notFound(asked));
}

const isSecure = (request: FastifyRequest): boolean => request.protocol === 'https';

/** What Fastify itself finds wrong with a request. Anything else is passed on and becomes a plain 500. */
function asPipelineError(error: unknown): unknown {
  switch ((error as { readonly code?: unknown } | null)?.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new PipelineError('pipeline.unsupported-media-type');
    case 'FST_ERR_BAD_URL':
      return new PipelineError('pipeline.malformed-request', { detail: 'The path is not percent-encoded UTF-8.' });
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new PipelineError('pipeline.not-found');
    default:
      return error;
  }
}
