import { STATUS_CODES, type ServerOptions as NodeServerOptions } from 'node:http';
import type { ServerOptions as TlsOptions } from 'node:https';
import type { Socket } from 'node:net';
import { PipelineError, type Pipeline, type PipelineErrorCode, type PipelineResponse } from '@strongroom/pipeline';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { trustedProxies } from './internal/trusted-proxies.ts';
import { leaveBodiesAlone, sendNotFound, sendRefusal, strongroomFastify } from './plugin.ts';

export interface ServerOptions {
  readonly pipeline: Pipeline<never>;
  /**
   * Addresses or networks (CIDR) of proxies whose `x-forwarded-for` and `x-forwarded-proto` are believed. When
   * absent, those headers mean nothing: anybody can write them. `loopback`, `linklocal` and `uniquelocal` stand for their networks.
   */
  readonly trustedProxies?: readonly string[];
  /** How many proxies stand one behind the other; 1 when absent. What comes from further away was written by the client. */
  readonly proxies?: number;
  /** Certificate and key, to serve TLS directly. */
  readonly tls?: Pick<TlsOptions, 'cert' | 'key' | 'passphrase' | 'minVersion' | 'ciphers'>;
  /** How long a header may take to arrive; `HEADER_TIMEOUT_MILLISECONDS` when absent. */
  readonly headerTimeoutMilliseconds?: number;
  /** See `StrongroomFastifyOptions`. */
  readonly bodyTimeoutMilliseconds?: number;
}

/** A header of 16 KiB needs one round trip or a few; who needs longer holds connections open on purpose. */
export const HEADER_TIMEOUT_MILLISECONDS = 10_000;
/**
 * Node's backstop for the whole request, above the pipeline's own limit for bodies, which can still answer properly.
 */
const REQUEST_TIMEOUT_MILLISECONDS = 60_000;
/** How often Node looks for connections that ran out of time. */
const CHECK_MILLISECONDS = 1_000;
/** In bytes. Node's default, named because the answer to more (431) is part of the contract. */
const HEADER_LIMIT = 16 * 1024;
/** A connection on which nothing at all moves, either way: a client that does not read its answer. */
const IDLE_MILLISECONDS = 120_000;
const KEEP_ALIVE_MILLISECONDS = 10_000;
/** Ids have 36 characters; a path parameter beyond this is nothing we ever gave out. */
const PARAMETER_LIMIT = 256;

/**
 * A Fastify application that serves a pipeline and nothing else, with every time-out set and no answer that the
 * pipeline did not make. Call `listen` on it; add routes of your own before.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const { pipeline, trustedProxies: networks = [], proxies = 1, tls, bodyTimeoutMilliseconds } = options;
  const secure = tls !== undefined;
  const nodeOptions: NodeServerOptions = {
    maxHeaderSize: HEADER_LIMIT,
    headersTimeout: options.headerTimeoutMilliseconds ?? HEADER_TIMEOUT_MILLISECONDS,
    connectionsCheckingInterval: CHECK_MILLISECONDS,
    // Of two `authorization` or `content-type` headers Node keeps the first silently; joined, they are refused.
    joinDuplicateHeaders: true,
    // Without this Node answers by itself, with an empty 400.
    requireHostHeader: false,
  };
  const serverOptions: FastifyServerOptions = {
    logger: false,
    trustProxy: networks.length === 0 ? false : trustedProxies(networks, proxies),
    requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
    connectionTimeout: IDLE_MILLISECONDS,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    // A request that still reaches a closing server is served; the connection is closed after it.
    return503OnClosing: false,
    requestIdHeader: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: PARAMETER_LIMIT, querystringParser: () => ({}) },
    frameworkErrors: (error, request, reply) => void sendRefusal(pipeline, error, request, reply),
    clientErrorHandler: (error, socket) => answerClientError(pipeline, error, socket, secure),
  };
  const app = createApplication(serverOptions, nodeOptions, tls);
  leaveBodiesAlone(app);
  app.setErrorHandler((error, request, reply) => sendRefusal(pipeline, error, request, reply));
  app.setNotFoundHandler((request, reply) => sendNotFound(pipeline, request, reply));
  void app.register(strongroomFastify, {
    pipeline,
    ...(bodyTimeoutMilliseconds === undefined ? {} : { bodyTimeoutMilliseconds }),
  });
  return app;
}

/** Fastify's types tell servers with and without TLS apart; nothing here depends on it. */
function createApplication(
  serverOptions: FastifyServerOptions,
  nodeOptions: NodeServerOptions,
  tls: ServerOptions['tls'],
): FastifyInstance {
  if (tls === undefined) return Fastify({ ...serverOptions, http: nodeOptions });
  const application = Fastify({ ...(serverOptions as object), https: { ...nodeOptions, ...tls } });
  return application;
}

/** Node's codes for requests it could not parse (`HPE_…` come from its HTTP parser). */
const CLIENT_ERRORS: Readonly<Record<string, PipelineErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'pipeline.header-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'pipeline.timeout',
};

/**
 * The client closed the connection in the middle of its request. Who waits for its body hears of it by the closed
 * stream.
 */
const HAS_LEFT: ReadonlySet<string> = new Set(['ECONNRESET', 'HPE_INVALID_EOF_STATE']);

function answerClientError(
  pipeline: Pipeline<never>,
  error: Error & { readonly code?: string },
  socket: Socket,
  secure: boolean,
): void {
  if (!socket.writable || HAS_LEFT.has(error.code ?? '')) {
    socket.destroy();
    return;
  }
  const problem = new PipelineError(CLIENT_ERRORS[error.code ?? ''] ?? 'pipeline.malformed-request');
  socket.end(serialise(pipeline.refuse(problem, secure)));
  socket.destroySoon();
}

/** A whole HTTP/1.1 message: at this point there is no response object to write through. */
function serialise({ status, headers, body }: PipelineResponse): string {
  const text = typeof body === 'string' ? body : '';
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines];
  return `${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`;
}
