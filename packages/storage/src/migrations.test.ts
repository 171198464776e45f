import { defineDataMap, operational, type Manifest } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { asSystem, inInstallation, type Database } from './database.ts';
import { migrate } from './internal/migrate.ts';
import { ensureRoles } from './internal/roles.ts';
import { manifest as own } from './manifest.ts';
import { openDatabase, type Location } from './open-database.ts';
import { openAsOwner } from './owner-session.test-support.ts';

const columns = { id: operational };
const first = { name: '0001-first', sql: 'create table first (id int primary key)' };
const second = { name: '0002-second', sql: 'create table second (id int primary key references first (id))' };

const room = (migrations: Manifest['migrations'] & object, ...declared: string[]): Manifest => ({
  name: 'room',
  migrations,
  dataMap: defineDataMap(
    Object.fromEntries(declared.map((table) => [table, { scope: 'installation' as const, columns }])),
  ),
});

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`migrations on ${engine.name}`, () => {
    const reopened = async (location: Location, ...attempts: (readonly Manifest[])[]): Promise<unknown[]> => {
      const results: unknown[] = [];
      for (const manifests of attempts) {
        const opening = openDatabase(location, manifests);
        results.push(await failure(opening.then((database) => database.close())));
      }
      return results;
    };
    /** The same with one session for all, as the owner: what openDatabase does before it looks at the tables. */
    const migrated = async (...attempts: (readonly Manifest[])[]): Promise<unknown[]> => {
      const { session, logins, close } = await openAsOwner(await engine.fresh());
      const results: unknown[] = [];
      for (const manifests of attempts) {
        results.push(await failure(migrate(session, [own, ...manifests], () => ensureRoles(session, logins))));
      }
      await close();
      return results;
    };
    const applied = async (database: Database): Promise<string[]> =>
      database.transaction(inInstallation, async (transaction) => {
        const { rows } = await sql<{ name: string }>`
          select name from schema_migrations where room = 'room' order by name`.execute(transaction);
        return rows.map(({ name }) => name);
      });

    it('are applied in order, once', async () => {
      const location = await engine.fresh();
      const [one] = await reopened(location, [room([first], 'first')]);
      expect(one).toBe('no error');
      for (let time = 0; time < 2; time += 1) {
        const database = await openDatabase(location, [room([first, second], 'first', 'second')]);
        expect(await applied(database)).toEqual(['0001-first', '0002-second']);
        await database.close();
      }
    });

    it('are refused when edited, reordered or unknown, and nothing changes', async () => {
      const good = [room([first, second], 'first', 'second')];
      const edited = { ...first, sql: `${first.sql} ` };
      const squeezedIn = { name: '0001-squeezed-in', sql: 'create table squeezed (id int)' };
      const results = await migrated(
        good,
        [room([edited, second], 'first', 'second')],
        [room([first, squeezedIn, second], 'first', 'second', 'squeezed')],
        [room([first], 'first', 'second')],
        [],
        good,
      );
      expect(results).toEqual([
        'no error',
        expect.objectContaining({ code: 'storage.migration-edited', detail: 'It is room/0001-first.' }),
        expect.objectContaining({
          code: 'storage.migration-edited',
          detail: expect.stringContaining('room/0001-squeezed-in'),
        }),
        expect.objectContaining({
          code: 'storage.database-newer',
          detail: expect.stringContaining('room/0002-second'),
        }),
        expect.objectContaining({ code: 'storage.database-newer' }),
        'no error',
      ]);
    });

    it('leave nothing behind when they fail', async () => {
      const location = await engine.fresh();
      const broken = {
        name: '0002-broken',
        sql: 'create table second (id int); insert into second values (1); select nothing_like_that;',
      };
      const [result, next] = await reopened(
        location,
        [room([first, broken], 'first', 'second')],
        [room([first, second], 'first', 'second')],
      );
      expect(result).toMatchObject({
        code: 'storage.migration-failed',
        detail: expect.stringContaining('room/0002-broken'),
      });
      expect((result as Error).message).toContain('nothing_like_that');
      expect(next).toBe('no error');
    });

    it('must be sorted and unique', async () => {
      const results = await migrated([room([second, first], 'first', 'second')], [room([]), room([])]);
      expect(results).toEqual([expect.any(TypeError), expect.any(TypeError)]);
    });

    it('see rows of all tenants when they take the system role', async () => {
      const location = await engine.fresh();
      const fill = { name: '0002-fill', sql: 'set local role strongroom_system; insert into first values (7);' };
      const database = await openDatabase(location, [room([first, fill], 'first')]);
      const count = await database.transaction(asSystem, async (transaction) =>
        sql<{ n: number }>`select count(*) as n from first`.execute(transaction),
      );
      expect(count.rows[0]?.n).toBe(1);
      await database.close();
    });
  });
}
