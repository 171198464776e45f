import { describe, expect, it } from 'vitest';
import { needs } from './needs.ts';
import { startPostgres } from './postgres.ts';

describe.skipIf(!needs('postgresql'))('PostgreSQL for tests', () => {
  it('starts a private cluster whose owner role may create roles but is no superuser', async () => {
    const cluster = await startPostgres();
    const owner = new URL(await cluster.freshDatabase()).username;
    const sql = `select rolcreaterole, rolsuper, rolbypassrls from pg_roles where rolname = '${owner}'`;
    expect(await cluster.superuser(sql)).toBe('t|f|f');
    cluster.stop();
    await expect(cluster.superuser('select 1')).rejects.toThrow(/could not connect|No such file|connection to server/);
  });
});
