import { inInstallation, openDatabase, type Database } from '@strongroom/storage';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { databases } from './databases.ts';
import { fingerprint, type Manifests } from './templates.ts';

const room = (statements: string): Manifests => [
  {
    name: 'room',
    migrations: [{ name: '0001', sql: statements }],
    dataMap: { things: { scope: 'installation', columns: { id: { kind: 'operational' } } } },
  },
];
const things = room('create table things (id int primary key)');

describe('templates', () => {
  it('are another one as soon as a migration differs', () => {
    const others = [[], room('create table things (id int primary key) '), [...things, { ...things[0]!, name: 'b' }]];
    expect(new Set([things, ...others].map(fingerprint)).size).toBe(4);
    expect(fingerprint(room(things[0]!.migrations![0]!.sql))).toBe(fingerprint(things));
  });

  for (const engine of databases()) {
    it.skipIf(!engine.available)(
      `are copied, and the copies know nothing of each other, on ${engine.name}`,
      async () => {
        const added = async (database: Database): Promise<number> =>
          database.transaction(inInstallation, async (transaction) => {
            await sql`insert into things values (1)`.execute(transaction);
            return (await sql`select * from things`.execute(transaction)).rows.length;
          });
        for (let copy = 0; copy < 2; copy += 1) {
          const database = await openDatabase(await engine.migrated(things), things);
          expect(await added(database)).toBe(1);
          await database.close();
        }
      },
    );
  }
});
