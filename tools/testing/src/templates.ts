/** Databases that are made and migrated once per run, for everybody to copy: making one takes seconds. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifest as storageManifest, openDatabase, type Location } from '@strongroom/storage';
import { withLock } from '../../lock.mjs';
import { cacheFolder, repositoryRoot } from './corpora.ts';
import { makeOrCopy, stateOf } from './kept-folder.ts';
import { cheapVerifier, copyPostgresDatabase, freshPostgresDatabase } from './postgres.ts';
import { runFolder } from './run-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';

export type Manifests = Parameters<typeof openDatabase>[1];

/** Differs as soon as a migration does, storage's own included. */
export function fingerprint(manifests: Manifests): string {
  const migrations = [storageManifest, ...manifests].map(({ name, migrations: ofRoom = [] }) => [name, ofRoom]);
  return createHash('sha256').update(JSON.stringify(migrations)).digest('hex').slice(0, 16);
}

/** False for whoever asks first in this run: for one database alone a template does not pay. */
export function isWantedAgain(manifests: Manifests): boolean {
  const mark = join(runFolder(), `wanted-${fingerprint(manifests)}`);
  if (existsSync(mark)) return true;
  writeFileSync(mark, '');
  return false;
}

/** PGlite keeps a process from showing that it lives for as long as it makes a database, on a busy machine far longer than a second. Milliseconds. */
const STALE_AFTER = 60_000;

/** The path of what `make` makes: in the whole run it is called once, whoever asks. */
async function oncePerRun(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(runFolder(), name);
  if (!existsSync(path)) {
    const work = async (): Promise<void> => {
      if (existsSync(path)) return;
      await make(`${path}.${process.pid}.new`);
      // Should the lock have been taken for a stale one all the same, then somebody else was first.
      if (!existsSync(path)) renameSync(`${path}.${process.pid}.new`, path);
    };
    await withLock(`${path}.lock`, work, { staleAfter: STALE_AFTER });
  }
  return path;
}

const migrate = async (location: Location, manifests: Manifests): Promise<void> =>
  (await openDatabase(location, manifests)).close();

/** What a first start depends on: the database engine, and all that starts it. */
const engineOfFirstStart = [
  'packages/storage/src',
  'packages/kernel/src',
  'tools/testing/src/templates.ts',
  'node_modules/@electric-sql/pglite/package.json',
];

/**
 * A data folder as its first start leaves it: to be looked at and copied, not to be opened. The start before that was interrupted,
 * to show that the next one is not confused by what is left of it. That start is made by every run in which it could come out
 * differently than in the one before.
 */
export function firstFolder(): Promise<string> {
  return oncePerRun(`pglite-${fingerprint([])}`, async (path) => {
    const state = stateOf(engineOfFirstStart.map((one) => join(repositoryRoot, one)));
    await makeOrCopy(path, { shelf: join(cacheFolder, 'first-start'), state }, async (folder) => {
      const unfinished = join(folder, 'database.unfinished');
      mkdirSync(unfinished, { recursive: true, mode: 0o700 });
      writeFileSync(join(unfinished, 'PG_VERSION'), '18');
      await migrate({ kind: 'folder', path: folder, durability: 'relaxed' }, []);
    });
  });
}

function pgliteTemplate(manifests: Manifests): Promise<string> {
  if (manifests.length === 0) return firstFolder();
  return oncePerRun(`pglite-${fingerprint(manifests)}`, async (path) => {
    cpSync(await firstFolder(), path, { recursive: true });
    await migrate({ kind: 'folder', path, durability: 'relaxed' }, manifests);
  });
}

/** A copy, by default in a folder that is removed after the test file. */
export async function migratedPglite(manifests: Manifests, path = temporaryFolder()): Promise<Location> {
  cpSync(await pgliteTemplate(manifests), path, { recursive: true });
  return { kind: 'folder', path, durability: 'relaxed' };
}

/** An empty database with a login of its own for serving, as an installation should have it. */
export async function freshPostgresql(): Promise<Location> {
  const ownerUrl = await freshPostgresDatabase();
  const url = new URL(ownerUrl);
  const login = url.username.replace('owner_', 'serving_');
  const { Client } = await import('pg');
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  await client.query(`create role ${login} login password '${cheapVerifier(url.password)}'`);
  await client.end();
  url.username = login;
  return { kind: 'postgresql', url: url.href, ownerUrl };
}

/** A copy; its two logins are those of the template. */
export async function migratedPostgresql(manifests: Manifests): Promise<Location> {
  const template = await oncePerRun(`postgresql-${fingerprint(manifests)}.json`, async (path) => {
    const location = await freshPostgresql();
    await migrate(location, manifests);
    writeFileSync(path, JSON.stringify(location));
  });
  const { url, ownerUrl } = JSON.parse(readFileSync(template, 'utf8')) as { url: string; ownerUrl: string };
  const copy = await copyPostgresDatabase(ownerUrl);
  const inCopy = (login: string): string => Object.assign(new URL(login), { pathname: new URL(copy).pathname }).href;
  return { kind: 'postgresql', url: inCopy(url), ownerUrl: copy };
}
