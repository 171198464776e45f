import { Kysely } from 'kysely';
import { checkDataMap } from './check-data-map.ts';
import type { Database } from './database.ts';
import { sessionDialect } from './internal/dialect.ts';
import type { Engine } from './internal/engine.ts';
import { Handle } from './internal/handle.ts';
import { expectMigrated, migrate, type MigratedManifest } from './internal/migrate.ts';
import { ensureRoles } from './internal/roles.ts';
import type { SessionSource } from './internal/session.ts';
import { manifest as ownManifest } from './manifest.ts';

export type Location =
  /** Gone when closed. */
  | { readonly kind: 'memory' }
  /**
   * One process at a time. `durable` (the default): what was confirmed survives a power cut. `relaxed`: about twice as fast, survives a
   * crash of the program only.
   */
  | { readonly kind: 'folder'; readonly path: string; readonly durability?: 'durable' | 'relaxed' }
  /** PostgreSQL 15 or later. `ownerUrl` migrates, `url` serves; without `ownerUrl`, `url` does both if its login may. */
  | { readonly kind: 'postgresql'; readonly url: string; readonly ownerUrl?: string };

/**
 * Opens the database, brings its schema up to date and compares it with the data maps; throws a StorageError, having changed
 * nothing, when it cannot vouch for the result. `manifests`: in floor order, a room after those whose tables its migrations refer to.
 * Storage's own may be left out.
 */
export async function openDatabase(location: Location, manifests: readonly MigratedManifest[]): Promise<Database> {
  const others = manifests.filter(({ name }) => name !== ownManifest.name);
  const all: readonly MigratedManifest[] = [ownManifest, ...others];
  const { engine, logins } = await openEngine(location);
  try {
    if (engine.owner === null) await withSession(engine.serving, (session) => expectMigrated(session, all));
    else await migrateAsOwner(engine.owner, all, logins);
    const connection = new Kysely<unknown>({ dialect: sessionDialect(engine.owner ?? engine.serving, () => '') });
    await checkDataMap(connection, all);
    await engine.closeOwner();
    return new Handle(engine);
  } catch (error) {
    await engine.closeOwner().catch(() => undefined);
    await engine.close().catch(() => undefined);
    throw error;
  }
}

/** Only the engine in use is loaded. */
async function openEngine(
  location: Location,
): Promise<{ readonly engine: Engine; readonly logins: readonly string[] }> {
  switch (location.kind) {
    case 'memory': {
      const { openMemory } = await import('./internal/pglite-engine.ts');
      return { engine: await openMemory(), logins: [] };
    }
    case 'folder': {
      const { openFolder } = await import('./internal/pglite-engine.ts');
      return { engine: await openFolder(location.path, location.durability !== 'relaxed'), logins: [] };
    }
    case 'postgresql': {
      const { openPostgresql } = await import('./internal/postgresql-engine.ts');
      const engine = await openPostgresql(location.url, location.ownerUrl);
      return { engine, logins: engine.logins };
    }
    default:
      throw new TypeError('location: unknown kind');
  }
}

async function withSession(
  source: SessionSource,
  work: (session: Awaited<ReturnType<SessionSource['acquire']>>) => Promise<void>,
): Promise<void> {
  const session = await source.acquire();
  try {
    await work(session);
  } finally {
    source.release(session, false);
  }
}

async function migrateAsOwner(
  owner: SessionSource,
  manifests: readonly MigratedManifest[],
  logins: readonly string[],
): Promise<void> {
  await withSession(owner, (session) => migrate(session, manifests, () => ensureRoles(session, logins)));
}
