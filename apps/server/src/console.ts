/**
 * Serves the built console from the service's own origin. Only what the build listed is there, each file under an address of its own: no
 * part of a request ever becomes a part of a path on the disk.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import {
  asksForPage,
  assetPolicy,
  clientRoutes,
  isolationHeaders,
  NONCE_PLACEHOLDER,
  pagePolicy,
} from '@strongroom/console/csp';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { StrongroomError, type ErrorTable } from '@strongroom/kernel';
import { STRICT_TRANSPORT_SECURITY } from 'strongroom';

const consoleErrors = {
  'server.console-unusable': {
    status: 500,
    message: 'The console is not built, or not completely. Run `npm start` again.',
  },
} as const satisfies ErrorTable;

export class ConsoleError extends StrongroomError<keyof typeof consoleErrors> {
  constructor(cause: unknown) {
    super(consoleErrors, 'server.console-unusable', { cause });
  }
}

/** Bytes of a nonce; CSP Level 3 §8.1 asks for 128 bits at least. */
const NONCE_BYTES = 18;
/** The name changes with the content, so a copy is good for ever: RFC 8246, and a year as the longest sensible age. */
const FOREVER = 'public, max-age=31536000, immutable';

const TYPES: Readonly<Record<string, { readonly type: string; readonly squeeze: boolean }>> = {
  '.js': { type: 'text/javascript; charset=utf-8', squeeze: true },
  '.css': { type: 'text/css; charset=utf-8', squeeze: true },
  '.svg': { type: 'image/svg+xml', squeeze: true },
  '.woff2': { type: 'font/woff2', squeeze: false },
  '.png': { type: 'image/png', squeeze: false },
};

/** Rolldown puts at least eight characters of the content's hash before the ending. */
const HASHED_NAME = /^[A-Za-z0-9_.-]+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  /** Null for what is compressed already. */
  readonly squeezed: Buffer | null;
}

const squeeze = promisify(gzip);

/**
 * Adds the console to an application, before it listens. `folder` is what apps/console/build.ts made. Throws
 * `server.console-unusable` when that is not a whole build.
 */
export async function addConsole(application: FastifyInstance, folder: string): Promise<void> {
  const { page, assets } = await readConsole(folder);
  for (const [name, asset] of assets) {
    application.route({
      method: ['GET', 'HEAD'],
      url: `/assets/${name}`,
      handler: (request, reply) => sendAsset(request, reply, asset),
    });
  }
  for (const route of clientRoutes) {
    let segment = 0;
    application.route({
      method: ['GET', 'HEAD'],
      url: route.replaceAll('$', () => `:id${(segment += 1)}`),
      handler: (request, reply) => sendPage(request, reply, page),
    });
  }
  // Whoever mistyped an address gets a page that says so; programs get the application's own answer.
  application.addHook('onRequest', async (request, reply) => {
    const { is404, method, headers } = request;
    const isPage = is404 && (method === 'GET' || method === 'HEAD') && asksForPage(headers);
    return isPage ? sendPage(request, reply.code(404), page) : undefined;
  });
}

async function readConsole(folder: string): Promise<{ page: string; assets: ReadonlyMap<string, Asset> }> {
  try {
    const page = await readFile(path.join(folder, 'index.html'), 'utf8');
    if (!page.includes(NONCE_PLACEHOLDER)) throw new TypeError('The page has no place for a nonce.');
    const names: unknown = JSON.parse(await readFile(path.join(folder, 'files.json'), 'utf8'));
    if (!Array.isArray(names)) throw new TypeError('The list of files is none.');
    const assets = new Map<string, Asset>();
    for (const name of names) assets.set(...(await readAsset(folder, name)));
    return { page, assets };
  } catch (cause) {
    throw new ConsoleError(cause);
  }
}

async function readAsset(folder: string, name: unknown): Promise<[string, Asset]> {
  if (typeof name !== 'string' || !HASHED_NAME.test(name)) throw new TypeError('A file has no hash in its name.');
  const known = TYPES[path.extname(name)];
  if (known === undefined) throw new TypeError('A file is of an unknown kind.');
  const plain = await readFile(path.join(folder, 'assets', name));
  const squeezed = known.squeeze ? await squeeze(plain, { level: constants.Z_BEST_COMPRESSION }) : null;
  return [name, { type: known.type, plain, squeezed }];
}

function sendAsset(request: FastifyRequest, reply: FastifyReply, { type, plain, squeezed }: Asset): FastifyReply {
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/i.test(headerOf(request, 'accept-encoding'));
  const body = squeezed !== null && takesGzip ? squeezed : plain;
  if (squeezed !== null) reply.header('vary', 'accept-encoding');
  if (body === squeezed) reply.header('content-encoding', 'gzip');
  return reply
    .headers({ ...protection(request), 'content-security-policy': assetPolicy, 'cache-control': FOREVER })
    .type(type)
    .send(body);
}

function sendPage(request: FastifyRequest, reply: FastifyReply, page: string): FastifyReply {
  const nonce = randomBytes(NONCE_BYTES).toString('base64');
  return reply
    .headers({ ...protection(request), 'content-security-policy': pagePolicy(nonce), 'cache-control': 'no-store' })
    .type('text/html; charset=utf-8')
    .send(page.replaceAll(NONCE_PLACEHOLDER, nonce));
}

/** The page is the first thing a browser asks for, and so the first that can tell it to come over TLS only. */
const protection = ({ protocol }: FastifyRequest): Readonly<Record<string, string>> =>
  protocol === 'https'
    ? { ...isolationHeaders, 'strict-transport-security': STRICT_TRANSPORT_SECURITY }
    : isolationHeaders;

function headerOf(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}
