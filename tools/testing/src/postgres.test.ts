import { describe, expect, it } from 'vitest';
import { needs } from './needs.ts';
import { freshPostgresDatabase } from './postgres.ts';

describe.skipIf(!needs('postgresql'))('PostgreSQL for tests', () => {
  it('gives every caller a database of its own in one shared cluster', async () => {
    const urls = await Promise.all([freshPostgresDatabase(), freshPostgresDatabase()]);
    const [first, second] = urls.map((url) => new URL(url));
    expect(first?.port).toBe(second?.port);
    expect(first?.pathname).not.toBe(second?.pathname);
    expect(first?.username).not.toBe(second?.username);
  });
});
