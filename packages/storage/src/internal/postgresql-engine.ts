/** PostgreSQL 15 or later by URL: a pool that serves, and a single connection of the owner while starting. */
import { Client, Pool, type ClientConfig, type PoolClient, type QueryResult } from 'pg';
import { StorageError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { toStorageError } from './failures.ts';
import { postgresqlTarget } from './postgresql-url.ts';
import type { Session, SessionSource, StatementResult } from './session.ts';
import { parserOf, toParameter } from './values.ts';

/** Connections per server process. PostgreSQL's default allows 100 in all, so some replicas fit. */
const POOL_SIZE = 10;
/** How long opening a connection, or waiting for a free one, may take. Milliseconds. */
const CONNECT_TIMEOUT = 10_000;
/** No query of a request comes near this; what does is stuck. Milliseconds. */
const STATEMENT_TIMEOUT = 30_000;
/** A transaction waits for the program between two statements; longer means that the program hangs. Milliseconds. */
const IDLE_IN_TRANSACTION_TIMEOUT = 30_000;
/** Waiting for a lock held by another transaction. Milliseconds. */
const LOCK_TIMEOUT = 10_000;
/** `server_version_num` of the oldest version supported: 15.0. */
const OLDEST_SERVER = 150_000;

/** The same session settings that PGlite has; the types of values depend on them. */
const SESSION_OPTIONS =
  '-c timezone=UTC -c datestyle=ISO -c bytea_output=hex -c search_path=public -c standard_conforming_strings=on';

const toResult = (result: QueryResult<Record<string, unknown>>): StatementResult => ({
  rows: result.rows,
  command: result.command ?? '',
  rowCount: result.rowCount ?? 0,
});

/** pg sends Uint8Array as JSON, but Buffer as bytes. */
function toPgParameter(value: unknown): string | Buffer | null {
  const parameter = toParameter(value);
  return parameter instanceof Uint8Array
    ? Buffer.from(parameter.buffer, parameter.byteOffset, parameter.byteLength)
    : parameter;
}

function pgSession(client: Client | PoolClient): Session {
  return {
    query: async (sql, parameters) => {
      const values = parameters.map((value) => toPgParameter(value));
      try {
        return toResult(await client.query<Record<string, unknown>>(sql, values));
      } catch (error) {
        throw toStorageError(error);
      }
    },
    run: async (sql) => {
      try {
        const results: unknown = await client.query(sql);
        const last: unknown = Array.isArray(results) ? results.at(-1) : results;
        return toResult(last as QueryResult<Record<string, unknown>>);
      } catch (error) {
        throw toStorageError(error);
      }
    },
  };
}

function clientConfig(url: string): ClientConfig {
  return {
    ...postgresqlTarget(url).config,
    application_name: 'strongroom',
    options: SESSION_OPTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    types: { getTypeParser: (oid: number) => parserOf(oid) },
  };
}

class ServingPool implements SessionSource {
  readonly #pool: Pool;
  readonly #clients = new WeakMap<Session, PoolClient>();
  readonly #sessions = new WeakMap<PoolClient, Session>();

  constructor(url: string) {
    this.#pool = new Pool({
      ...clientConfig(url),
      max: POOL_SIZE,
      statement_timeout: STATEMENT_TIMEOUT,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT,
      lock_timeout: LOCK_TIMEOUT,
    });
    // A lost connection is reported to whoever uses it; without listeners it would also end the process.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async acquire(): Promise<Session> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw toStorageError(error);
    }
    const session = this.#sessions.get(client) ?? pgSession(client);
    this.#sessions.set(client, session);
    this.#clients.set(session, client);
    return session;
  }

  release(session: Session, broken: boolean): void {
    this.#clients.get(session)?.release(broken);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/** Waits for locks and statements as long as it takes: another replica may be migrating. */
class OwnerConnection implements SessionSource {
  readonly #client: Client;
  readonly #session: Session;

  constructor(url: string) {
    this.#client = new Client(clientConfig(url));
    this.#client.on('error', () => undefined);
    this.#session = pgSession(this.#client);
  }

  async connect(): Promise<void> {
    try {
      await this.#client.connect();
    } catch (error) {
      throw toStorageError(error);
    }
  }

  async acquire(): Promise<Session> {
    return this.#session;
  }

  release(): void {}

  async close(): Promise<void> {
    await this.#client.end();
  }
}

async function checkVersion(source: SessionSource): Promise<void> {
  const session = await source.acquire();
  try {
    const { rows } = await session.run("select current_setting('server_version_num')::int as version");
    const version = Number(rows[0]?.['version']);
    if (!(version >= OLDEST_SERVER)) {
      throw new StorageError('storage.unsupported-server', {
        detail: `It is version ${Math.floor(version / 10_000)}.`,
      });
    }
  } finally {
    source.release(session, false);
  }
}

async function loginOf(source: SessionSource): Promise<{ name: string; owns: boolean }> {
  const session = await source.acquire();
  try {
    const { rows } = await session.run(
      "select session_user::text as name, has_schema_privilege(session_user, 'public', 'create') as owns",
    );
    return { name: String(rows[0]?.['name']), owns: rows[0]?.['owns'] === true };
  } finally {
    source.release(session, false);
  }
}

/**
 * `ownerUrl` migrates and grants, `url` serves. Without `ownerUrl` the serving login does both if it may, and serves only
 * otherwise. The engine's `logins` have to become members of the two roles.
 */
export async function openPostgresql(
  url: string,
  ownerUrl?: string,
): Promise<Engine & { readonly logins: readonly string[] }> {
  const warnings = [
    ...postgresqlTarget(url).warnings,
    ...(ownerUrl === undefined ? [] : postgresqlTarget(ownerUrl).warnings),
  ];
  const serving = new ServingPool(url);
  let owner: OwnerConnection | null = null;
  try {
    await checkVersion(serving);
    const login = await loginOf(serving);
    const logins = new Set([login.name]);
    if (ownerUrl !== undefined || login.owns) {
      owner = new OwnerConnection(ownerUrl ?? url);
      await owner.connect();
      const ownerLogin = await loginOf(owner);
      logins.add(ownerLogin.name);
      if (ownerLogin.name === login.name) {
        warnings.push(
          'The database login that serves also owns the tables, so whoever steals it can switch row-level security off. ' +
            'Give an owner URL for migrations and a lesser login for serving.',
        );
      }
    }
    return {
      name: 'postgresql',
      serving,
      owner,
      warnings,
      logins: [...logins],
      closeOwner: async () => {
        await owner?.close();
        owner = null;
      },
      close: () => serving.close(),
    };
  } catch (error) {
    await owner?.close().catch(() => undefined);
    await serving.close();
    throw error;
  }
}
