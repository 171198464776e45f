/** Both database engines behind one door, so that the same test file runs on each. */
import { existsSync } from 'node:fs';
import { openDatabase, type Database, type Location, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { afterAll, expect, it, vi } from 'vitest';
import { needs } from './needs.ts';
import { findPostgres } from './postgres-process.ts';
import { freshPostgresql, isWantedAgain, migratedPglite, migratedPostgresql, type Manifests } from './templates.ts';
import { readWish } from './wish.ts';

export { ownerOf, type Owner } from './owner.ts';
export { firstFolder } from './templates.ts';

export interface TestEngine {
  readonly name: 'PGlite' | 'PostgreSQL';
  /** Whether the engine is on this machine: `describe.skipIf(!engine.available)`. */
  readonly available: boolean;
  /**
   * A location in which no room has migrated anything yet: an empty database on PostgreSQL, where the serving login is a lesser one
   * than the owner's; a data folder after its first start on PGlite.
   */
  fresh(): Promise<Location>;
  /** One in which these rooms have, as `openDatabase` wants it. Copied from a template, hence much cheaper. */
  migrated(manifests: Manifests): Promise<Location>;
  /** Opens a migrated database of one's own, closed when the test file ends at the latest. */
  open(manifests: Manifests): Promise<Database>;
}

/** Not in a slow suite that was asked for by name: a test process does not see the command line. */
const isOneEnough = (): boolean => !readWish().bothEngines && !(expect.getState().testPath ?? '').includes('.slow.');

/** For what one engine alone can show: declares the test on that engine, and nothing on the other. */
export const onlyOn = (name: TestEngine['name'], engine: TestEngine): typeof it =>
  (engine.name === name ? it : () => undefined) as typeof it;

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
  const engine = (
    name: TestEngine['name'],
    available: boolean,
    made: Pick<TestEngine, 'fresh' | 'migrated'>,
  ): TestEngine => ({
    name,
    available,
    ...made,
    open: async (manifests) => {
      const location = isWantedAgain(manifests) ? await made.migrated(manifests) : await made.fresh();
      const database = await openDatabase(location, manifests);
      opened.push(database);
      return database;
    },
  });
  const pglite = engine('PGlite', true, {
    fresh: () => migratedPglite([]),
    migrated: (manifests) => migratedPglite(manifests),
  });
  const onPostgresql = { fresh: freshPostgresql, migrated: migratedPostgresql };
  if (which !== 'both' && isOneEnough()) {
    return [findPostgres() === undefined ? pglite : engine('PostgreSQL', true, onPostgresql)];
  }
  return [pglite, engine('PostgreSQL', needs('postgresql'), onPostgresql)];
}

/**
 * Puts a database into a data folder, so that what starts there starts as for the second time: the first start takes PGlite
 * seconds. No room has migrated anything in it. Leaves alone what is there.
 */
export async function prepareDataFolder(path: string): Promise<void> {
  if (!existsSync(path)) await migratedPglite([], path);
}

/** How long somebody may take to come to where they wait, on a machine with much else to do. */
const WAITING = { timeout: 10_000 };

/** Until another session waits for what this transaction holds. Of PostgreSQL alone: on PGlite there is no other. */
export async function someoneWaits(transaction: Transaction): Promise<void> {
  await vi.waitFor(async () => {
    const { rows } = await sql`
      select 1 from pg_stat_activity where pg_backend_pid() = any (pg_blocking_pids(pid))
    `.execute(transaction);
    expect(rows.length).toBeGreaterThan(0);
  }, WAITING);
}
