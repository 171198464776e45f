/** A PostgreSQL server of its own for a measurement, gone with the process. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgres, startCluster, stopCluster } from '../tools/testing/src/postgres-process.ts';

/** `isDurable`: as it is installed, every commit on the disk. Returns the URL of an empty database whose owner may make roles. */
export async function startPostgresql(options: { readonly isDurable?: boolean } = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));
  // PostgreSQL may run as another user, who has to get into its own folder in there.
  chmodSync(folder, 0o711);
  const cluster = await startCluster(join(folder, 'cluster'), options);
  process.once('exit', () => {
    stopCluster(cluster.folder);
    rmSync(folder, { recursive: true, force: true });
  });
  const psql = join(findPostgres()!, 'psql');
  const server = ['-h', cluster.folder, '-p', String(cluster.port), '-U', 'postgres'];
  for (const statement of [
    `create role bench login createrole password 'bench'`,
    'create database bench owner bench',
  ]) {
    execFileSync(psql, [...server, '-qc', statement], { cwd: '/' });
  }
  return `postgresql://bench:bench@127.0.0.1:${cluster.port}/bench?sslmode=disable`;
}
