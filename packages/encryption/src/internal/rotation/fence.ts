import { setTimeout as delay } from 'node:timers/promises';
import { asSystem, type Database } from '@strongroom/storage';
import { sql } from 'kysely';

/** Milliseconds between two looks. */
const LOOK_EVERY = 10;

/**
 * Resolves when every transaction that is open now has ended: from then on nobody works with what it read of the keys before this call. Nobody is kept
 * waiting but the caller. PGlite has one session, so there the transactions before this call have ended with it.
 *
 * Each transaction holds the lock on its own virtual id until it ends (PostgreSQL documentation, pg_locks), readers too.
 */
export async function fence(database: Database, signal?: AbortSignal): Promise<void> {
  if (database.engine === 'pglite') return;
  let waiting = await openTransactions(database);
  while (waiting.size > 0) {
    await delay(LOOK_EVERY, undefined, { signal });
    const open = await openTransactions(database);
    waiting = new Set([...waiting].filter((id) => open.has(id)));
  }
}

async function openTransactions(database: Database): Promise<Set<string>> {
  return database.transaction(asSystem, async (transaction) => {
    // Who has no user name is a process of the server itself, such as autovacuum.
    const { rows } = await sql<{ id: string }>`
      select lock.virtualxid as id from pg_locks as lock join pg_stat_activity as process using (pid)
      where lock.locktype = 'virtualxid' and lock.granted and lock.mode = 'ExclusiveLock'
        and process.datname = current_database() and process.usename is not null and pid <> pg_backend_pid()`.execute(
      transaction,
    );
    return new Set(rows.map(({ id }) => id));
  });
}
