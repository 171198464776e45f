/** Brings the schema up to date: every room's migrations in the order given, each in a transaction of its own. */
import { createHash } from 'node:crypto';
import { equalBytes, utf8, type Manifest, type Migration } from '@strongroom/kernel';
import { StorageError } from '../errors.ts';
import { SERVING_ROLE, SYSTEM_ROLE } from './engine.ts';
import type { Session } from './session.ts';

export type MigratedManifest = Pick<Manifest, 'name' | 'migrations' | 'dataMap'>;

/** Any constant will do, so long as it stays: key of the advisory lock under which one replica at a time migrates. */
const MIGRATION_LOCK = 7_245_118_205_463_011n;

interface Applied {
  readonly room: string;
  readonly name: string;
  readonly checksum: Uint8Array;
}

const checksumOf = (migration: Migration): Uint8Array => createHash('sha256').update(utf8(migration.sql)).digest();

const nameOf = (room: string, migration: string): string => `${room}/${migration}`;

function checkOrder(manifests: readonly MigratedManifest[]): void {
  const rooms = new Set<string>();
  for (const { name, migrations = [] } of manifests) {
    if (rooms.has(name)) throw new TypeError(`manifests: "${name}" is listed twice`);
    rooms.add(name);
    for (const [index, migration] of migrations.entries()) {
      const before = migrations[index - 1];
      if (before !== undefined && before.name >= migration.name) {
        throw new TypeError(`manifests: migrations of "${name}" must be sorted by name: ${migration.name}`);
      }
    }
  }
}

/**
 * The migrations not yet applied. Throws `storage.migration-edited` for one whose text changed, or that was put before one
 * already applied, and `storage.database-newer` for an applied one that nobody here knows.
 */
function findPending(
  manifests: readonly MigratedManifest[],
  applied: readonly Applied[],
): { room: string; migration: Migration }[] {
  const known = new Map(applied.map((one) => [nameOf(one.room, one.name), one]));
  const pending: { room: string; migration: Migration }[] = [];
  for (const { name: room, migrations = [] } of manifests) {
    let firstPending: Migration | undefined;
    for (const migration of migrations) {
      const name = nameOf(room, migration.name);
      const before = known.get(name);
      known.delete(name);
      if (before === undefined) {
        firstPending ??= migration;
        pending.push({ room, migration });
      } else if (!equalBytes(before.checksum, checksumOf(migration))) {
        throw new StorageError('storage.migration-edited', { detail: `It is ${name}.` });
      } else if (firstPending !== undefined) {
        throw new StorageError('storage.migration-edited', {
          detail: `${nameOf(room, firstPending.name)} was put before ${name}, which is already applied.`,
        });
      }
    }
  }
  const [unknown] = known.keys();
  if (unknown !== undefined)
    throw new StorageError('storage.database-newer', { detail: `It has the migration ${unknown}.` });
  return pending;
}

/** Rooms create tables; the roles may use them. A room narrows that in its own migration with `revoke`. */
const grantNewTables = `
alter default privileges in schema public grant select, insert, update, delete on tables to ${SERVING_ROLE}, ${SYSTEM_ROLE};
alter default privileges in schema public grant usage, select on sequences to ${SERVING_ROLE}, ${SYSTEM_ROLE};`;
const stopGranting = `
alter default privileges in schema public revoke select, insert, update, delete on tables from ${SERVING_ROLE}, ${SYSTEM_ROLE};
alter default privileges in schema public revoke usage, select on sequences from ${SERVING_ROLE}, ${SYSTEM_ROLE};`;

const createOwnTable = `
create table if not exists schema_migrations (
  room text not null,
  name text not null,
  checksum bytea not null,
  applied_at timestamptz not null default now(),
  primary key (room, name)
);
grant usage on schema public to ${SERVING_ROLE}, ${SYSTEM_ROLE};
grant select on schema_migrations to ${SERVING_ROLE}, ${SYSTEM_ROLE};`;

async function readApplied(session: Session): Promise<readonly Applied[]> {
  const { rows } = await session.run('select room, name, checksum from schema_migrations');
  return rows as unknown as readonly Applied[];
}

async function inTransaction(session: Session, work: () => Promise<void>): Promise<void> {
  await session.run('begin');
  try {
    await work();
    await session.run('commit');
  } catch (error) {
    await session.run('rollback').catch(() => undefined);
    throw error;
  }
}

async function apply(session: Session, room: string, migration: Migration): Promise<void> {
  try {
    await inTransaction(session, async () => {
      await session.run(grantNewTables);
      await session.run(migration.sql);
      await session.run(`reset role; ${stopGranting}`);
      const values = [room, migration.name, checksumOf(migration)];
      await session.query('insert into schema_migrations (room, name, checksum) values ($1, $2, $3)', values);
    });
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'storage.query-failed') throw error;
    throw new StorageError('storage.migration-failed', {
      detail: `It is ${nameOf(room, migration.name)} (${error.detail ?? ''}${error.cause instanceof Error ? ` ${error.cause.message}` : ''})`,
      cause: error,
    });
  }
}

/** Runs `prepare`, then migrates, one replica after the other. The session must be the owner's and outside a transaction. */
export async function migrate(
  session: Session,
  manifests: readonly MigratedManifest[],
  prepare: () => Promise<void>,
): Promise<void> {
  checkOrder(manifests);
  await session.run(`select pg_advisory_lock(${MIGRATION_LOCK})`);
  try {
    await prepare();
    await inTransaction(session, async () => {
      await session.run(createOwnTable);
    });
    for (const { room, migration } of findPending(manifests, await readApplied(session))) {
      await apply(session, room, migration);
    }
  } finally {
    await session.run(`select pg_advisory_unlock(${MIGRATION_LOCK})`).catch(() => undefined);
  }
}

/** For a process that may only serve: throws `storage.migration-pending` when the owner has to migrate first. */
export async function expectMigrated(session: Session, manifests: readonly MigratedManifest[]): Promise<void> {
  checkOrder(manifests);
  let applied: readonly Applied[];
  try {
    applied = await readApplied(session);
  } catch (error) {
    if (error instanceof StorageError && (error.sqlState === '42P01' || error.sqlState === '42501')) {
      throw new StorageError('storage.migration-pending');
    }
    throw error;
  }
  const [first] = findPending(manifests, applied);
  if (first !== undefined) {
    throw new StorageError('storage.migration-pending', {
      detail: `The first is ${nameOf(first.room, first.migration.name)}.`,
    });
  }
}
