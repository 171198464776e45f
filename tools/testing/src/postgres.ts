/** A throw-away PostgreSQL for tests. Guard its users with `describe.skipIf(!needs('postgresql'))`. */
import { execFile } from 'node:child_process';
import { createHmac, hash, pbkdf2Sync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Pool } from 'pg';
import { withLock } from '../../lock.mjs';
import { findPostgres, registerCluster, startCluster, stopCluster, type RunningCluster } from './postgres-process.ts';
import { runFolder } from './run-folder.ts';

const run = promisify(execFile);

export interface PostgresCluster {
  readonly port: number;
  /** A new empty database; the URL's role owns it and may create roles, but is no superuser. */
  freshDatabase(): Promise<string>;
  /** Runs SQL as superuser, in the named database. Returns the rows as psql prints them, unaligned, without header. */
  superuser(sql: string, database?: string): Promise<string>;
  stop(): void;
}

async function superuser(cluster: RunningCluster, sql: string, database = 'postgres'): Promise<string> {
  const programs = findPostgres() ?? '';
  const where = ['-h', cluster.folder, '-p', String(cluster.port), '-U', 'postgres', '-d', database];
  const { stdout } = await run(join(programs, 'psql'), [
    '-X',
    '-q',
    '-A',
    '-t',
    '-v',
    'ON_ERROR_STOP=1',
    ...where,
    '-c',
    sql,
  ]);
  return stdout.trimEnd();
}

/** By the cluster's folder. */
const administrators = new Map<string, Pool>();

/** One connection for all of a test process, instead of psql: either takes longer to start than what it is to do. */
async function administratorOf({ folder, port }: RunningCluster): Promise<Pool> {
  const { Pool } = await import('pg');
  const known = administrators.get(folder);
  if (known !== undefined) return known;
  const pool = new Pool({ host: folder, port, user: 'postgres', database: 'postgres', max: 1, allowExitOnIdle: true });
  // The cluster was stopped; a later statement would make a new connection.
  pool.on('error', () => undefined);
  administrators.set(folder, pool);
  return pool;
}

/** Statements of a superuser. */
async function administer(cluster: RunningCluster, ...statements: readonly string[]): Promise<void> {
  const pool = await administratorOf(cluster);
  for (const statement of statements) await pool.query(statement);
}

/** Copies files instead of logging pages, which is the cheaper of the two without fsync. */
const createDatabase = (name: string, owner: string, template = 'template1'): string =>
  `create database ${name} owner ${owner} template ${template} strategy file_copy`;

/**
 * What PostgreSQL stores of a password (RFC 5803), made with one iteration instead of 4,096: tests sign in hundreds of times, and each
 * time both ends would derive the key.
 */
export function cheapVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, 1, 32, 'sha256');
  const derive = (label: string): Buffer => createHmac('sha256', salted).update(label).digest();
  const storedKey = hash('sha256', derive('Client Key'), 'base64');
  return `SCRAM-SHA-256$1:${salt.toString('base64')}$${storedKey}:${derive('Server Key').toString('base64')}`;
}

async function freshDatabase(cluster: RunningCluster): Promise<string> {
  const id = randomBytes(6).toString('hex');
  const password = randomBytes(12).toString('hex');
  const [owner, database] = [`owner_${id}`, `test_${id}`];
  await administer(
    cluster,
    `create role ${owner} login createrole nosuperuser password '${cheapVerifier(password)}'`,
    createDatabase(database, owner),
  );
  return `postgresql://${owner}:${password}@127.0.0.1:${cluster.port}/${database}`;
}

const handle = (cluster: RunningCluster): PostgresCluster => ({
  port: cluster.port,
  freshDatabase: () => freshDatabase(cluster),
  superuser: (sql, database) => superuser(cluster, sql, database),
  stop: () => stopCluster(cluster.folder),
});

/** A cluster of the caller's own, for tests that stop or break the server. Stopped at the end of the run at the latest. */
export async function startPostgres(options: Parameters<typeof startCluster>[1] = {}): Promise<PostgresCluster> {
  const folder = join(runFolder(), `postgres.${randomBytes(4).toString('hex')}`);
  registerCluster(runFolder(), folder);
  return handle(await startCluster(folder, options));
}

/** The run's shared cluster, started by whoever asks first. */
async function sharedCluster(): Promise<RunningCluster> {
  const state = join(runFolder(), 'shared-postgres.json');
  const read = (): RunningCluster => JSON.parse(readFileSync(state, 'utf8')) as RunningCluster;
  if (existsSync(state)) return read();
  return withLock(`${state}.lock`, async () => {
    if (existsSync(state)) return read();
    const folder = join(runFolder(), 'postgres.shared');
    registerCluster(runFolder(), folder);
    const cluster = await startCluster(folder);
    writeFileSync(state, JSON.stringify(cluster));
    return cluster;
  });
}

/**
 * The connection URL of a new empty database in the cluster that all files of a run share. Its role owns the database and may
 * create roles. Roles belong to the whole cluster: names must not be taken for free.
 */
export async function freshPostgresDatabase(): Promise<string> {
  return freshDatabase(await sharedCluster());
}

/** The connection URL of a copy of a database in that cluster, for the same owner. Nobody may be connected to the original. */
export async function copyPostgresDatabase(url: string): Promise<string> {
  const copy = new URL(url);
  const database = `copy_${randomBytes(6).toString('hex')}`;
  await administer(await sharedCluster(), createDatabase(database, copy.username, copy.pathname.slice(1)));
  copy.pathname = database;
  return copy.href;
}
