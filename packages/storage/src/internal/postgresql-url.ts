/**
 * Reads a PostgreSQL URL itself instead of handing it to pg, where parameters of the URL and of the environment would override
 * what is decided here: beyond this machine TLS with a verified certificate, unless the URL clearly says otherwise.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ClientConfig } from 'pg';
import { StorageError } from '../errors.ts';

export interface PostgresqlTarget {
  readonly config: Pick<ClientConfig, 'host' | 'port' | 'user' | 'password' | 'database' | 'ssl'>;
  readonly warnings: readonly string[];
}

/** PostgreSQL's registered port. */
const DEFAULT_PORT = 5432;

/** What the URL may say after the question mark, as in PostgreSQL documentation §34.1.2. */
const PARAMETERS: ReadonlySet<string> = new Set([
  'host',
  'port',
  'user',
  'password',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
]);

/** The URL itself, which may hold a password, is never repeated. */
const invalid = (detail: string): StorageError => new StorageError('storage.invalid-location', { detail });

function parse(url: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw invalid('The PostgreSQL URL cannot be read.');
  }
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') {
    throw invalid('A PostgreSQL URL begins with postgresql://.');
  }
  for (const name of parsed.searchParams.keys()) {
    if (!PARAMETERS.has(name)) throw invalid(`The parameter "${name}" of the PostgreSQL URL is not supported.`);
  }
  return parsed;
}

/** A folder is that of a Unix socket. */
const isThisMachine = (host: string): boolean =>
  host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** A certificate or key named in the URL. */
function read(parsed: URL, name: 'sslrootcert' | 'sslcert' | 'sslkey'): string | undefined {
  const path = parsed.searchParams.get(name);
  if (path === null) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw invalid(`The file that ${name} names in the PostgreSQL URL cannot be read.`);
  }
}

function security(
  parsed: URL,
  host: string,
): Pick<PostgresqlTarget, 'warnings'> & { readonly ssl: ClientConfig['ssl'] } {
  const here = isThisMachine(host);
  const mode = parsed.searchParams.get('sslmode') ?? (here ? 'disable' : 'verify-full');
  switch (mode) {
    case 'disable': {
      const warning =
        'The URL says sslmode=disable: everything sent to the database, its password included, can be read on the way.';
      return { ssl: false, warnings: here ? [] : [warning] };
    }
    case 'no-verify': {
      const warning =
        "The URL says sslmode=no-verify: the server's certificate is not checked, so somebody in between can read along.";
      return { ssl: { rejectUnauthorized: false }, warnings: here ? [] : [warning] };
    }
    // libpq's weaker modes are all raised to the strongest: they would not notice somebody in between.
    case 'allow':
    case 'prefer':
    case 'require':
    case 'verify-ca':
    case 'verify-full': {
      const [ca, cert, key] = [read(parsed, 'sslrootcert'), read(parsed, 'sslcert'), read(parsed, 'sslkey')];
      return {
        ssl: { rejectUnauthorized: true, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
        warnings: [],
      };
    }
    default:
      throw invalid('The sslmode of the PostgreSQL URL is not known.');
  }
}

/** Throws `storage.invalid-location`. */
export function postgresqlTarget(url: string): PostgresqlTarget {
  const parsed = parse(url);
  const parameter = (name: string, part: string): string => parsed.searchParams.get(name) ?? decodeURIComponent(part);
  const host = parameter('host', parsed.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost';
  const user = parameter('user', parsed.username);
  const password = parameter('password', parsed.password);
  const database = decodeURIComponent(parsed.pathname.slice(1));
  if (user === '' || database === '') throw invalid('The PostgreSQL URL must name a login and a database.');
  const { ssl, warnings } = security(parsed, host);
  const port = Number(parameter('port', parsed.port) || DEFAULT_PORT);
  return { config: { host, port, user, database, ssl, ...(password && { password }) }, warnings };
}
