/** The running service: composition, listeners, and an orderly end. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { Server as TlsServer } from 'node:tls';
import { createServer } from '@strongroom/fastify';
import { StrongroomError } from '@strongroom/kernel';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { type Strongroom, createStrongroom } from 'strongroom';
import { openAdministratorSocket } from './administrator-socket.ts';
import { addConsole } from './console.ts';
import { ServerError } from './errors.ts';
import { describeError, structuredLog } from './log.ts';
import { type Metrics, createMetrics, serveMetrics } from './metrics.ts';
import type { ServerOptions } from './options.ts';
import { observeSinks } from './sink-metrics.ts';
import { type TlsFiles, type TlsOptions, loadTls, reloadTls } from './tls.ts';

export interface RunningServer {
  /** Where people reach it, for example `http://127.0.0.1:7766`. */
  readonly url: string;
  readonly metricsUrl: string | undefined;
  /** Makes its holder the first owner, once; only while there is no account. */
  readonly setupLink: string | undefined;
  /** What the operator should know, for example that durability is relaxed. */
  readonly warnings: readonly string[];
  /** Stops taking requests, finishes those under way, then stops jobs and closes the database. */
  stop(): Promise<void>;
}

type Stop = () => Promise<void>;

/** Where the console lies once it is built; nothing of it is read here but what the build listed. */
const consoleFolder = path.dirname(fileURLToPath(import.meta.resolve('@strongroom/console/dist/index.html')));
const NO_CONSOLE = 'The console is not built, so there are no pages; `npm start` builds it.';

/** A proxy in front, on this machine or a private network (RFC 1918, RFC 4193), may tell the client's address. */
const PRIVATE_NETWORKS = ['loopback', 'linklocal', 'uniquelocal'];

/** Throws StrongroomErrors; whatever was started until then is stopped again. */
export async function serve(options: ServerOptions, logger: Logger): Promise<RunningServer> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.splice(0).toReversed()) await stopOne();
  };
  try {
    return await start(options, logger, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: ServerOptions, logger: Logger, stops: Stop[], stop: Stop): Promise<RunningServer> {
  const tls = options.tls === undefined ? undefined : await loadTls(options.tls);
  const metrics = createMetrics();
  const strongroom = await createStrongroom({
    data: options.data,
    durability: options.durability,
    log: metrics.observe(structuredLog(logger)),
    ...(options.origin === undefined ? {} : { origin: options.origin }),
    ...databaseOf(options),
  });
  stops.push(() => strongroom.close());
  observeSinks(metrics, strongroom.services.auditSinks);

  const application = createServer({
    pipeline: strongroom.pipeline,
    ...(tls === undefined ? {} : { tls }),
    ...(options.behindProxy ? { trustedProxies: PRIVATE_NETWORKS, proxies: options.proxies } : {}),
  });
  const consoleBuilt = existsSync(path.join(consoleFolder, 'index.html'));
  if (consoleBuilt) await addConsole(application, consoleFolder);
  const port = await listen(application, options);
  stops.push(() => application.close());
  if (options.tls !== undefined && tls !== undefined && application.server instanceof TlsServer) {
    stops.push(followCertificate(application.server, options.tls, tls, logger));
  }
  stops.push(await openAdministratorSocket(strongroom, path.join(options.data, 'administrator.sock')));
  const metricsServer = await startMetrics(metrics, options, port, logger);
  if (metricsServer !== undefined) stops.push(metricsServer.stop);
  strongroom.startJobs();

  const url = `${tls === undefined ? 'http' : 'https'}://${printableHost(options.host)}:${port}`;
  return {
    url,
    metricsUrl: metricsServer === undefined ? undefined : `http://127.0.0.1:${metricsServer.port}/metrics`,
    setupLink: await setupLink(strongroom, options.origin ?? url),
    warnings: [...strongroom.warnings, ...(consoleBuilt ? [] : [NO_CONSOLE])],
    stop,
  };
}

/** Takes over renewed certificates: within seconds by itself, at once on SIGHUP. */
function followCertificate(server: TlsServer, files: TlsFiles, current: TlsOptions, logger: Logger): Stop {
  const reload = reloadTls({
    server,
    files,
    current,
    onReload: (validTo) => logger.info({ validTo }, 'TLS certificate taken over'),
    onFailure: (error) =>
      logger.error({ error: describeError(error) }, 'TLS certificate not taken over; the former one stays in use'),
  });
  const onSignal = (): void => void reload.look();
  process.on('SIGHUP', onSignal);
  return () => {
    process.off('SIGHUP', onSignal);
    reload.stop();
    return Promise.resolve();
  };
}

function databaseOf({ databaseUrl, databaseOwnerUrl }: ServerOptions) {
  if (databaseUrl === undefined) return {};
  return { database: { url: databaseUrl, ...(databaseOwnerUrl === undefined ? {} : { ownerUrl: databaseOwnerUrl }) } };
}

async function listen(application: FastifyInstance, { host, port }: ServerOptions): Promise<number> {
  try {
    await application.listen({ host, port });
  } catch (cause) {
    await application.close();
    if (codeOf(cause) === 'EADDRINUSE') throw new ServerError('server.port-in-use', { detail: `Port ${port}.`, cause });
    if (cause instanceof StrongroomError) throw cause;
    throw new ServerError('server.cannot-listen', { detail: `${host} port ${port}: ${codeOf(cause)}.`, cause });
  }
  const address = application.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** A port that was asked for must work; the one next to the service's is taken only when it is free. */
async function startMetrics(metrics: Metrics, { metricsPort }: ServerOptions, servicePort: number, logger: Logger) {
  if (metricsPort === 'off') return undefined;
  try {
    return await serveMetrics(metrics, metricsPort === 'next' ? servicePort + 1 : metricsPort);
  } catch (cause) {
    if (metricsPort !== 'next') {
      throw new ServerError('server.port-in-use', { detail: `Metrics port ${metricsPort}.`, cause });
    }
    logger.warn({ port: servicePort + 1 }, 'no metrics: the port is in use; choose one with --metrics-port');
    return undefined;
  }
}

/** The token stands in the fragment, which browsers do not send: it reaches no log on the way. */
async function setupLink(strongroom: Strongroom, url: string): Promise<string | undefined> {
  const token = await strongroom.setupToken();
  return token === null ? undefined : `${url}/set-up#${token}`;
}

const printableHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
