import { cpSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { databases, firstFolder } from '@strongroom/testing/databases';
import { temporaryFolder } from '@strongroom/testing';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { inInstallation, type Database } from './database.ts';
import { ensureFolder } from './internal/data-folder.ts';
import { openDatabase, type Location } from './open-database.ts';

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );

const [pglite] = databases('both');
/** A folder in which a database was closed; relaxed, because nothing here loses power. Every test closes it again. */
let location: Extract<Location, { readonly kind: 'folder' }>;
beforeAll(async () => {
  location = (await pglite!.fresh()) as typeof location;
});

const put = (database: Database, name: string): Promise<unknown> =>
  database.transaction(inInstallation, (transaction) =>
    sql`insert into jobs (name) values (${name})`.execute(transaction),
  );
const names = (database: Database): Promise<string[]> =>
  database.transaction(inInstallation, async (transaction) => {
    const { rows } = await sql<{ name: string }>`select name from jobs order by name`.execute(transaction);
    return rows.map(({ name }) => name);
  });

describe('a data folder', () => {
  it('is made where there is none, also after an interrupted attempt, with closed folders', async () => {
    const path = await firstFolder();
    expect(readdirSync(path).toSorted()).toEqual(['database', 'layout.json', 'lock']);
    const open = readdirSync(join(path, 'database'), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && (statSync(join(entry.parentPath, entry.name)).mode & 0o077) !== 0,
    );
    expect(open).toEqual([]);
  });

  it('keeps what was stored, and may be copied while closed', async () => {
    const copy = temporaryFolder();
    for (const expected of [['one'], ['one', 'two']]) {
      const database = await openDatabase(location, []);
      await put(database, expected.at(-1)!);
      expect(await names(database)).toEqual(expected);
      await database.close();
      if (expected.length === 1) cpSync(location.path, copy, { recursive: true });
    }
    const copied = await openDatabase({ ...location, path: copy }, []);
    expect(await names(copied)).toEqual(['one']);
    await copied.close();
  });

  it('is durable unless asked otherwise, and says what relaxed risks', async () => {
    const setting = async (durability?: 'relaxed'): Promise<unknown> => {
      const database = await openDatabase(
        { kind: 'folder', path: location.path, ...(durability && { durability }) },
        [],
      );
      const { rows } = await database.transaction(inInstallation, (transaction) =>
        sql<{ fsync: string; method: string }>`select current_setting('fsync') as fsync,
          current_setting('wal_sync_method') as method, current_setting('data_checksums') as checksums`.execute(
          transaction,
        ),
      );
      await database.close();
      return [rows[0], database.warnings.length];
    };
    expect(await setting()).toEqual([{ fsync: 'on', method: 'fsync', checksums: 'on' }, 0]);
    expect(await setting('relaxed')).toEqual([expect.objectContaining({ fsync: 'off' }), 1]);
  });

  it('is opened once at a time', async () => {
    const database = await openDatabase(location, []);
    await put(database, 'mine');
    const error = await failure(openDatabase(location, []));
    expect(error).toMatchObject({ code: 'storage.folder-in-use' });
    expect((error as Error).message).toContain(`process ${process.pid}`);
    expect((error as Error).message).toContain(location.path);
    expect(await names(database)).toContain('mine');
    await database.close();
    // The next tests open it again.
  });

  it('is not confused by what a killed process left behind', async () => {
    writeFileSync(
      join(location.path, 'lock-holder.json'),
      JSON.stringify({ pid: process.pid, since: '2026-01-01T00:00:00Z' }),
    );
    writeFileSync(join(location.path, 'lock'), '');
    await (await openDatabase(location, [])).close();
  });

  it('is completed when the first start was interrupted in its last step', async () => {
    renameSync(join(location.path, 'database'), join(location.path, 'database.unfinished'));
    await (await openDatabase(location, [])).close();
  });

  it('is made with the folders above it, closed to other users', () => {
    const path = join(temporaryFolder(), 'new', 'data');
    ensureFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('must be a folder', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, '');
    expect(await failure(openDatabase({ kind: 'folder', path }, []))).toMatchObject({
      code: 'storage.folder-unusable',
    });
  });
});
