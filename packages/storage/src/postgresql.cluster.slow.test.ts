/** What needs a PostgreSQL cluster of one's own, since roles belong to the whole of it. */
import { figure, needs, startPostgres } from '@strongroom/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { Database } from './database.ts';
import { openDatabase, type Location } from './open-database.ts';

describe.skipIf(!needs('postgresql'))('a PostgreSQL cluster', () => {
  const opened: Database[] = [];
  const open = async (location: Location): Promise<void> => {
    opened.push(await openDatabase(location, []));
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()));
  });

  it('is refused with a role that could evade row-level security, and when it is gone', async () => {
    const [cluster, other] = await Promise.all([startPostgres(), startPostgres()]);
    await cluster.superuser('create role strongroom_app nologin bypassrls');
    const location: Location = { kind: 'postgresql', url: await cluster.freshDatabase() };
    await expect(openDatabase(location, [])).rejects.toMatchObject({ code: 'storage.unsafe-role' });
    await cluster.superuser('alter role strongroom_app nobypassrls');
    await open(location);
    cluster.stop();
    await expect(openDatabase(location, [])).rejects.toMatchObject({ code: 'storage.unavailable' });
    await open({ kind: 'postgresql', url: await other.freshDatabase() });
    other.stop();
    figure('a serving role with BYPASSRLS: refused');
  });
});
