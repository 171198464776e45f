import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { inInstallation, type Database } from './database.ts';
import { openDatabase, type Location } from './open-database.ts';

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );

/** Every file with its digest, but for the lock's own two and PostgreSQL's note that it tried to start. */
function digest(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(
      (name) => !name.startsWith('lock') && !name.endsWith('postmaster.pid') && statSync(join(folder, name)).isFile(),
    )
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}`,
    )
    .toSorted();
}

const flip = (path: string, offset: number): void => {
  const bytes = readFileSync(path);
  bytes[offset]! ^= 0xff;
  writeFileSync(path, bytes);
};

const [pglite] = databases('both');
/** A folder in which a database was closed; relaxed, because nothing here loses power. */
const used = async (): Promise<Location & { path: string }> => (await pglite!.fresh()) as Location & { path: string };

const put = (database: Database, name: string): Promise<unknown> =>
  database.transaction(inInstallation, (transaction) =>
    sql`insert into jobs (name) values (${name})`.execute(transaction),
  );
const names = (database: Database): Promise<string[]> =>
  database.transaction(inInstallation, async (transaction) => {
    const { rows } = await sql<{ name: string }>`select name from jobs order by name`.execute(transaction);
    return rows.map(({ name }) => name);
  });

describe('a damaged data folder', () => {
  it.each<[string, string, (path: string) => void]>([
    ['its layout file is missing', 'storage.damaged', (path) => rmSync(join(path, 'layout.json'))],
    ['its layout file is garbage', 'storage.damaged', (path) => writeFileSync(join(path, 'layout.json'), '{"layout":')],
    ['its layout file says nothing', 'storage.damaged', (path) => writeFileSync(join(path, 'layout.json'), '{}')],
    [
      'a later version arranged it',
      'storage.database-newer',
      (path) => writeFileSync(join(path, 'layout.json'), '{"layout":2,"postgresql":18}'),
    ],
    [
      'a later PostgreSQL wrote it',
      'storage.database-newer',
      (path) => writeFileSync(join(path, 'layout.json'), '{"layout":1,"postgresql":19}'),
    ],
    [
      'an earlier PostgreSQL wrote it',
      'storage.folder-unusable',
      (path) => writeFileSync(join(path, 'layout.json'), '{"layout":1,"postgresql":17}'),
    ],
    ['the database is missing', 'storage.damaged', (path) => rmSync(join(path, 'database'), { recursive: true })],
    ['PG_VERSION is missing', 'storage.damaged', (path) => rmSync(join(path, 'database/PG_VERSION'))],
    ['PG_VERSION is wrong', 'storage.damaged', (path) => writeFileSync(join(path, 'database/PG_VERSION'), '17\n')],
    ['pg_control is missing', 'storage.damaged', (path) => rmSync(join(path, 'database/global/pg_control'))],
    ['pg_control is short', 'storage.damaged', (path) => truncateSync(join(path, 'database/global/pg_control'), 100)],
    ['pg_control has a flipped bit', 'storage.damaged', (path) => flip(join(path, 'database/global/pg_control'), 40)],
    [
      'the write-ahead log is missing',
      'storage.damaged',
      (path) => rmSync(join(path, 'database/pg_wal'), { recursive: true }),
    ],
    [
      'the write-ahead log is empty',
      'storage.damaged',
      (path) => {
        for (const name of readdirSync(join(path, 'database/pg_wal'))) {
          if (name.length === 24) rmSync(join(path, 'database/pg_wal', name));
        }
      },
    ],
    ['the tables are missing', 'storage.damaged', (path) => rmSync(join(path, 'database/base'), { recursive: true })],
    [
      'the transaction states are missing',
      'storage.damaged',
      (path) => rmSync(join(path, 'database/pg_xact'), { recursive: true }),
    ],
  ])('is refused, named and left as it is when %s', async (_, code, damage) => {
    const location = await used();
    damage(location.path);
    const before = digest(location.path);
    const error = await failure(openDatabase(location, []));
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain(location.path);
    expect(digest(location.path)).toEqual(before);
    const again = await failure(openDatabase(location, []));
    expect(again).toMatchObject({ code });
  });

  it('reports a damaged page when it is read, and goes on with the others', async () => {
    const location = await used();
    const database = await openDatabase(location, []);
    await put(database, 'on the page');
    const { rows } = await database.transaction(inInstallation, (transaction) =>
      sql<{ path: string }>`select pg_relation_filepath('jobs') as path`.execute(transaction),
    );
    await database.close();
    flip(join(location.path, 'database', rows[0]!.path), 8_100);
    const reopened = await openDatabase(location, []);
    expect(await failure(names(reopened))).toMatchObject({ code: 'storage.damaged' });
    const other = await reopened.transaction(inInstallation, (transaction) =>
      sql`select name from schema_migrations`.execute(transaction),
    );
    expect(other.rows.length).toBeGreaterThan(0);
    await reopened.close();
  });
});
