/** A session of the database's owner, for what happens before a database is open. */
import type { TestEngine } from '@strongroom/testing/databases';
import type { Engine } from './internal/engine.ts';
import { openFolder } from './internal/pglite-engine.ts';
import { openPostgresql } from './internal/postgresql-engine.ts';
import type { Session } from './internal/session.ts';
import type { Location } from './open-database.ts';

export interface OwnerSession {
  readonly session: Session;
  /** Those that serve and migrate, where there are any (internal/roles.ts). */
  readonly logins: readonly string[];
  readonly close: () => Promise<void>;
}

export async function openAsOwner(location: Awaited<ReturnType<TestEngine['fresh']>>): Promise<OwnerSession> {
  const engine = await start(location);
  const session = await engine.owner!.acquire();
  return {
    session,
    logins: engine.logins ?? [],
    close: async () => {
      engine.owner!.release(session, false);
      await engine.closeOwner();
      await engine.close();
    },
  };
}

async function start(location: Location): Promise<Engine & { readonly logins?: readonly string[] }> {
  if (location.kind === 'folder') return openFolder(location.path, false);
  if (location.kind === 'postgresql') return openPostgresql(location.url, location.ownerUrl);
  throw new TypeError('location: not one of a test engine');
}
