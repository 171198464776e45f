import { describe, expect, it } from 'vitest';
import { needs } from './needs.ts';
import { freshPostgresDatabase, startPostgres } from './postgres.ts';

describe.skipIf(!needs('postgresql'))('PostgreSQL for tests', () => {
  it('gives every caller a database of its own in one shared cluster', async () => {
    const urls = await Promise.all([freshPostgresDatabase(), freshPostgresDatabase()]);
    const [first, second] = urls.map((url) => new URL(url));
    expect(first?.port).toBe(second?.port);
    expect(first?.pathname).not.toBe(second?.pathname);
    expect(first?.username).not.toBe(second?.username);
  });

  it('starts a private cluster whose owner role may create roles but is no superuser', async () => {
    const cluster = await startPostgres();
    const owner = new URL(await cluster.freshDatabase()).username;
    const sql = `select rolcreaterole, rolsuper, rolbypassrls from pg_roles where rolname = '${owner}'`;
    expect(await cluster.superuser(sql)).toBe('t|f|f');
    cluster.stop();
    await expect(cluster.superuser('select 1')).rejects.toThrow(/could not connect|No such file|connection to server/);
  });
});
