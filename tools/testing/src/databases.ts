/** Both database engines behind one door, so that the same test file runs on each. */
import { cpSync, existsSync, openAsBlob, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase, type Database, type Location } from '@strongroom/storage';
import { afterAll, expect } from 'vitest';
import { withLock } from '../../lock.mjs';
import { needs } from './needs.ts';
import { findPostgres } from './postgres-process.ts';
import { freshPostgresDatabase } from './postgres.ts';
import { runFolder } from './run-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';

type Manifests = Parameters<typeof openDatabase>[1];

export interface TestEngine {
  readonly name: 'PGlite' | 'PostgreSQL';
  /** Whether the engine is on this machine: `describe.skipIf(!engine.available)`. */
  readonly available: boolean;
  /**
   * A location with nothing in it yet. On PostgreSQL the serving login is a lesser one than the owner's. PGlite's is in memory;
   * say `folder` to open it more than once.
   */
  fresh(kind?: 'folder'): Promise<Location>;
  /** Opens a fresh database, closed when the test file ends at the latest. */
  open(manifests: Manifests): Promise<Database>;
}

/** Making a database takes PGlite seconds. Once per run it is made, then copied by everyone. */
async function oncePerRun(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(runFolder(), name);
  if (!existsSync(path)) {
    await withLock(`${path}.lock`, async () => {
      if (existsSync(path)) return;
      await make(`${path}.${process.pid}.new`);
      // Under load the lock may have been taken for a stale one; then somebody else was first.
      if (!existsSync(path)) renameSync(`${path}.${process.pid}.new`, path);
    });
  }
  return path;
}

/** A data folder as a first start leaves it. */
const emptyFolder = (): Promise<string> =>
  oncePerRun('pglite-folder', async (path) => {
    const database = await openDatabase({ kind: 'folder', path, durability: 'relaxed' }, []);
    await database.close();
  });

/** The same as an image for databases in memory. */
const emptyImage = (): Promise<string> =>
  oncePerRun('pglite-image.tar', async (path) => {
    const folder = temporaryFolder();
    cpSync(await emptyFolder(), folder, { recursive: true });
    const { PGlite } = await import('@electric-sql/pglite');
    const pglite = await PGlite.create(join(folder, 'database'));
    const image = await pglite.dumpDataDir('none');
    await pglite.close();
    writeFileSync(path, Buffer.from(await image.arrayBuffer()));
  });

async function freshPglite(kind?: 'folder'): Promise<Location> {
  if (kind === 'folder') {
    const path = temporaryFolder();
    cpSync(await emptyFolder(), path, { recursive: true });
    return { kind, path, durability: 'relaxed' };
  }
  return { kind: 'memory', image: await openAsBlob(await emptyImage()) };
}

/** A login of its own for serving, as an installation should have it. */
async function freshPostgresql(): Promise<Location> {
  const ownerUrl = await freshPostgresDatabase();
  const url = new URL(ownerUrl);
  const login = url.username.replace('owner_', 'serving_');
  const { Client } = await import('pg');
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  await client.query(`create role ${login} login password '${url.password}'`);
  await client.end();
  url.username = login;
  return { kind: 'postgresql', url: url.href, ownerUrl };
}

/** True in a run of the fast tests only (vitest.config.ts reads the same), and not in a slow suite that was asked for by name. */
function isFastRun(): boolean {
  const wish = process.env['STRONGROOM_TESTS'];
  if (wish === 'all' || wish === 'both' || (wish !== 'fast' && process.env['CI'] === 'true')) return false;
  return !(expect.getState().testPath ?? '').includes('.slow.');
}

/**
 * Call it at the top of a test file: `for (const engine of databases()) describe.skipIf(!engine.available)(engine.name, …)`.
 * Both engines with `npm test -- --all` and in CI. The fast run takes one, PostgreSQL where it is installed since it is the
 * quicker; `both` is for what is about the engines themselves.
 */
export function databases(which?: 'both'): readonly TestEngine[] {
  const opened: Database[] = [];
  afterAll(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()));
  });
  const engine = (name: TestEngine['name'], available: boolean, fresh: TestEngine['fresh']): TestEngine => ({
    name,
    available,
    fresh,
    open: async (manifests) => {
      const database = await openDatabase(await fresh(), manifests);
      opened.push(database);
      return database;
    },
  });
  const pglite = engine('PGlite', true, freshPglite);
  if (which !== 'both' && isFastRun()) {
    return [findPostgres() === undefined ? pglite : engine('PostgreSQL', true, freshPostgresql)];
  }
  return [pglite, engine('PostgreSQL', needs('postgresql'), freshPostgresql)];
}
