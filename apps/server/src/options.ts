/** Options of the server, from the command line first and the environment second. */
import { BlockList, isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { ServerError } from './errors.ts';
import { closest } from './suggestion.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The data folder: database, keys and the administrator's socket. */
  readonly data: string;
  readonly databaseUrl: string | undefined;
  readonly databaseOwnerUrl: string | undefined;
  readonly durability: 'durable' | 'relaxed';
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  readonly behindProxy: boolean;
  /** How many stand one behind the other. */
  readonly proxies: number;
  /** Where people reach the service, such as `https://vault.example.org`; where it listens when absent. */
  readonly origin: string | undefined;
  /** Loopback port of the metrics. `next`: one above the port of the service, or none where that one is taken. */
  readonly metricsPort: number | 'next' | 'off';
  readonly logLevel: LogLevel;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const DEFAULT_PORT = 7766;
export const DEFAULT_DATA_FOLDER = '.strongroom';

export const HELP = `Serves the Strongroom memory vault.

Usage: npm start -- [options]          (or: npx strongroom serve [options])

  --port N                  port to listen on; 0 for any            STRONGROOM_PORT            ${DEFAULT_PORT}
  --host ADDRESS            address to listen on                    STRONGROOM_HOST            127.0.0.1
  --data DIR                data folder                             STRONGROOM_DATA            ${DEFAULT_DATA_FOLDER}
  --database-url URL        PostgreSQL 15 or later instead of the   STRONGROOM_DATABASE_URL
                            embedded database; the serving role
  --database-owner-url URL  role that migrates                      STRONGROOM_DATABASE_OWNER_URL
  --durability MODE         durable, or relaxed: an acknowledged    STRONGROOM_DURABILITY      durable
                            write may be lost when power fails
  --tls-certificate FILE    PEM chain; with --tls-key: HTTPS        STRONGROOM_TLS_CERTIFICATE
  --tls-key FILE            PEM private key                         STRONGROOM_TLS_KEY
  --behind-proxy            a proxy on the way ends TLS and sets    STRONGROOM_BEHIND_PROXY
                            X-Forwarded-For and X-Forwarded-Proto
  --proxies N               how many proxies, one behind another    STRONGROOM_PROXIES         1
  --origin URL              where people reach it, for links and   STRONGROOM_ORIGIN          where it listens
                            the check of cross-site requests
  --metrics-port N|off      Prometheus metrics on 127.0.0.1         STRONGROOM_METRICS_PORT    port + 1
  --log-level LEVEL         ${LOG_LEVELS.join(', ')}    STRONGROOM_LOG_LEVEL       info (warn on a terminal)
  --json                    address, set-up link and errors as JSON
  --help

The address and, as long as there is no account, the set-up link go to standard output; structured logs go to standard error.

Examples:
  npm start
  npm start -- --port 8443 --host 0.0.0.0 --tls-certificate chain.pem --tls-key key.pem
  STRONGROOM_DATABASE_URL=postgresql://vault@db.example/vault npm start -- --behind-proxy --origin https://vault.example.org

Exit codes: 0 stopped on request, 1 failed, 2 wrong option, 3 data folder in use.
`;

const FLAGS = {
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  'database-url': { type: 'string' },
  'database-owner-url': { type: 'string' },
  durability: { type: 'string' },
  'tls-certificate': { type: 'string' },
  'tls-key': { type: 'string' },
  'behind-proxy': { type: 'boolean' },
  proxies: { type: 'string' },
  origin: { type: 'string' },
  'metrics-port': { type: 'string' },
  'log-level': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

type Flag = keyof typeof FLAGS;

/** As they are typed: `--port`. */
export const optionNames: readonly string[] = Object.keys(FLAGS).map((name) => `--${name}`);

type Environment = Readonly<Record<string, string | undefined>>;

const bad = (detail: string, cause?: unknown) => new ServerError('server.bad-option', { detail, cause });

/** Loopback as RFC 5735 §3 and RFC 4291 §2.5.3 define it. */
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function parsePort(text: string, flag: Flag): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw bad(`--${flag} must be a number from 0 to 65535.`);
  return port;
}

/** Scheme, host and port, nothing behind it. */
function parseOrigin(text: string): string {
  const url = URL.parse(text);
  if (
    url === null ||
    !['http:', 'https:'].includes(url.protocol) ||
    (text !== url.origin && text !== `${url.origin}/`)
  ) {
    throw bad('--origin is a scheme and a host, such as https://vault.example.org.');
  }
  return url.origin;
}

/** What the parser found wrong, without values that were typed: one may be a password. */
function wrongOption(cause: unknown): ServerError {
  const { code, message } = cause instanceof Error && 'code' in cause ? cause : { code: undefined, message: '' };
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return bad('There are options only, and no other words.', cause);
  const [sentence = ''] = message.split('.');
  const [, typed] = /^Unknown option '(-[^']*)'/.exec(sentence) ?? [];
  const meant = typed === undefined ? undefined : closest(typed, [...optionNames, '--help']);
  return bad(`${sentence}.${meant === undefined ? '' : ` (Did you mean ${meant}?)`}`, cause);
}

/** Throws `server.bad-option` and `server.insecure-address`. Returns `help` when that was asked for. */
export function parseOptions(
  argv: readonly string[],
  environment: Environment,
  terminal: boolean,
): ServerOptions | 'help' {
  let values: Partial<Record<Flag, string | boolean>>;
  try {
    ({ values } = parseArgs({ args: [...argv], options: FLAGS, strict: true, allowPositionals: false }));
  } catch (cause) {
    throw wrongOption(cause);
  }
  if (values.help === true) return 'help';

  const text = (flag: Flag): string | undefined => {
    const value = values[flag];
    if (typeof value === 'string') return value;
    const fallback = environment[`STRONGROOM_${flag.toUpperCase().replaceAll('-', '_')}`];
    return fallback === '' ? undefined : fallback;
  };

  const host = text('host') ?? '127.0.0.1';
  const behindProxy = values['behind-proxy'] === true || ['1', 'true', 'yes'].includes(text('behind-proxy') ?? '');
  const proxies = text('proxies') ?? '1';
  if (!/^[1-9]$/.test(proxies)) throw bad('--proxies must be a number from 1 to 9.');
  const certificate = text('tls-certificate');
  const key = text('tls-key');
  if ((certificate === undefined) !== (key === undefined)) {
    throw bad('--tls-certificate and --tls-key belong together.');
  }
  const tls = certificate === undefined || key === undefined ? undefined : { certificate, key };
  if (!isLoopback(host) && tls === undefined && !behindProxy) throw new ServerError('server.insecure-address');

  const durability = text('durability') ?? 'durable';
  if (durability !== 'durable' && durability !== 'relaxed') throw bad('--durability is durable or relaxed.');
  const logLevel = text('log-level') ?? (terminal ? 'warn' : 'info');
  if (!LOG_LEVELS.some((level) => level === logLevel)) throw bad(`--log-level is one of ${LOG_LEVELS.join(', ')}.`);
  const metricsPort = text('metrics-port');
  const origin = text('origin');

  return {
    host,
    port: parsePort(text('port') ?? String(DEFAULT_PORT), 'port'),
    data: text('data') ?? DEFAULT_DATA_FOLDER,
    databaseUrl: text('database-url'),
    databaseOwnerUrl: text('database-owner-url'),
    durability,
    tls,
    behindProxy,
    proxies: Number(proxies),
    origin: origin === undefined ? undefined : parseOrigin(origin),
    metricsPort:
      metricsPort === undefined ? 'next' : metricsPort === 'off' ? 'off' : parsePort(metricsPort, 'metrics-port'),
    logLevel: logLevel as LogLevel,
  };
}
