/** Starting and stopping a PostgreSQL server of one's own. */
import { execFile, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const DEBIAN_FOLDER = '/usr/lib/postgresql';
/** The oldest major version Strongroom supports, and the one tests prefer: what works there works later. */
const OLDEST_VERSION = 15;

/** The folder of the server's programs, or `undefined`. */
export function findPostgres(): string | undefined {
  if (!existsSync(DEBIAN_FOLDER)) return undefined;
  const versions = readdirSync(DEBIAN_FOLDER)
    .map(Number)
    .filter((version) => version >= OLDEST_VERSION && existsSync(join(DEBIAN_FOLDER, String(version), 'bin/postgres')))
    .toSorted((left, right) => left - right);
  return versions[0] === undefined ? undefined : join(DEBIAN_FOLDER, String(versions[0]), 'bin');
}

const idOfPostgres = (flag: '-u' | '-g'): number =>
  Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);

/** PostgreSQL refuses to run as root; then it runs as the user its Debian package made. */
const serverUser = (): { uid?: number; gid?: number } =>
  process.getuid?.() === 0 ? { uid: idOfPostgres('-u'), gid: idOfPostgres('-g') } : {};

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export interface RunningCluster {
  /** Holds the data and the Unix socket. */
  readonly folder: string;
  readonly port: number;
}

/** Settings for speed and modest memory; nothing in the cluster outlives the run. Autovacuum would visit a hundred databases. */
const settings = [
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
  'jit=off',
  'shared_buffers=64MB',
  'max_connections=200',
  'log_min_duration_statement=-1',
];

/**
 * Starts a cluster in `folder` (created, must not exist). Superuser `postgres`: by the Unix socket without a password, since the
 * folder is closed to other users; over TCP every role needs its password. `isDurable`: as it is installed, every commit on the disk, for
 * what is measured.
 */
export async function startCluster(
  folder: string,
  { isDurable = false }: { readonly isDurable?: boolean } = {},
): Promise<RunningCluster> {
  const programs = findPostgres();
  if (programs === undefined) throw new Error("PostgreSQL is not installed; guard the test with needs('postgresql').");
  const user = serverUser();
  mkdirSync(folder, { mode: 0o700 });
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const options = { ...user, cwd: folder, env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' } };
  const data = join(folder, 'data');
  const access = ['--auth-local=trust', '--auth-host=scram-sha-256'];
  await run(join(programs, 'initdb'), ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--no-sync', ...access], options);
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const own = ['listen_addresses=127.0.0.1', ...(isDurable ? [] : settings)];
    const parameters = [...own, `port=${port}`, `unix_socket_directories=${folder}`]
      .map((one) => `-c ${one}`)
      .join(' ');
    try {
      await run(
        join(programs, 'pg_ctl'),
        ['-D', data, '-w', '-l', join(folder, 'log'), '-o', parameters, 'start'],
        options,
      );
      return { folder, port };
    } catch (error) {
      // Someone else may have taken the port in between.
      if (attempt === 3)
        throw new Error(`PostgreSQL did not start: ${readFileSync(join(folder, 'log'), 'utf8')}`, { cause: error });
    }
  }
}

/** Synchronous, so that it works in exit handlers. Without effect when the cluster does not run. */
export function stopCluster(folder: string): void {
  const programs = findPostgres();
  const data = join(folder, 'data');
  if (programs === undefined || !existsSync(join(data, 'postmaster.pid'))) return;
  spawnSync(join(programs, 'pg_ctl'), ['-D', data, '-w', '-m', 'immediate', 'stop'], {
    ...serverUser(),
    cwd: folder,
    stdio: 'ignore',
  });
}

/** Clusters of a run are registered in its folder, so that they are stopped even when the test process was killed. */
const REGISTER = 'postgres-';

export function registerCluster(runFolder: string, folder: string): void {
  writeFileSync(join(runFolder, `${REGISTER}${process.pid}-${Date.now()}-${Math.random()}`), folder);
}

export function stopPostgresIn(runFolder: string): void {
  for (const name of readdirSync(runFolder)) {
    if (name.startsWith(REGISTER)) stopCluster(readFileSync(join(runFolder, name), 'utf8'));
  }
}
