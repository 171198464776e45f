import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { figure, temporaryFolder } from '@strongroom/testing';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { inInstallation } from './database.ts';
import { openDatabase } from './open-database.ts';

/** Size of one file of the write-ahead log, PostgreSQL's default. Bytes. */
const SEGMENT = 16 * 1024 * 1024;

describe('PGlite without background processes', () => {
  it('keeps the write-ahead log small however much is written', async () => {
    const path = temporaryFolder();
    const database = await openDatabase({ kind: 'folder', path, durability: 'relaxed' }, []);
    const segments = (): number =>
      readdirSync(join(path, 'database/pg_wal')).filter((name) => name.length === 24).length;
    const position = (): Promise<number> =>
      database.transaction(inInstallation, async (transaction) => {
        const { rows } = await sql<{ at: number }>`
          select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as at`.execute(transaction);
        return rows[0]?.at ?? 0;
      });
    const started = await position();
    let most = 0;
    for (let index = 0; index < 3_000; index += 1) {
      await database.transaction(inInstallation, (transaction) =>
        sql`select pg_logical_emit_message(true, 'ballast', repeat('x', 100000))`.execute(transaction),
      );
      most = Math.max(most, segments());
    }
    const written = (await position()) - started;
    await database.close();
    expect(written).toBeGreaterThan(12 * SEGMENT);
    expect(most * SEGMENT).toBeLessThan(written / 2);
    expect(most).toBeLessThan(8);
    figure(
      `PGlite: ${Math.round(written / 2 ** 20)} MiB of write-ahead log written, at most ${most * 16} MiB of it kept`,
    );
  });
});
