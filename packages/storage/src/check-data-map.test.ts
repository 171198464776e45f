import { defineDataMap, operational, secret, type Manifest, type TableDeclaration } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDataMap } from './check-data-map.ts';
import { sessionDialect } from './internal/dialect.ts';
import type { Session } from './internal/session.ts';
import { manifest as own } from './manifest.ts';
import { openDatabase } from './open-database.ts';
import { openAsOwner, type OwnerSession } from './owner-session.test-support.ts';
import { tenantTable } from './tenant-table.ts';

const room = (statements: string, tables: Record<string, TableDeclaration>): Manifest => ({
  name: 'room',
  migrations: [{ name: '0001', sql: statements }],
  dataMap: defineDataMap(tables),
});

const cases: readonly (readonly [string, Manifest, string | null, string])[] = [
  [
    'accepts what is declared',
    room(`create table t (tenant_id uuid, id int, hash bytea); ${tenantTable('t')}`, {
      t: { scope: 'tenant', columns: { tenant_id: operational, id: operational, hash: secret('hashed') } },
    }),
    null,
    '',
  ],
  [
    'refuses an undeclared column',
    room('create table t (id int, forgotten text)', { t: { scope: 'installation', columns: { id: operational } } }),
    'storage.undeclared-column',
    't.forgotten.',
  ],
  [
    'refuses an undeclared table',
    room('create table forgotten (id int)', {}),
    'storage.undeclared-column',
    'forgotten.id.',
  ],
  [
    'refuses an undeclared view',
    room('create view forgotten as select name as job from jobs', {}),
    'storage.undeclared-column',
    'forgotten.job.',
  ],
  [
    'refuses a declared column that does not exist',
    room('create table t (id int)', { t: { scope: 'installation', columns: { id: operational, gone: operational } } }),
    'storage.missing-column',
    't.gone.',
  ],
  [
    'refuses a tenant table without row-level security',
    room('create table t (tenant_id uuid)', { t: { scope: 'tenant', columns: { tenant_id: operational } } }),
    'storage.missing-row-security',
    't.',
  ],
  [
    'refuses row-level security that spares the owner',
    room(`create table t (tenant_id uuid); ${tenantTable('t')} alter table t no force row level security;`, {
      t: { scope: 'tenant', columns: { tenant_id: operational } },
    }),
    'storage.missing-row-security',
    't.',
  ],
  [
    'refuses row-level security without a policy',
    room(
      'create table t (tenant_id uuid); alter table t enable row level security; alter table t force row level security;',
      {
        t: { scope: 'tenant', columns: { tenant_id: operational } },
      },
    ),
    'storage.missing-row-security',
    't.',
  ],
  [
    'refuses a hashed column that holds text',
    room('create table t (token text)', { t: { scope: 'installation', columns: { token: secret('hashed') } } }),
    'storage.wrong-protection',
    't.token.',
  ],
];

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`the drift check on ${engine.name}`, () => {
    let session: Session;
    let close: OwnerSession['close'];
    beforeAll(async () => {
      ({ session, close } = await openAsOwner(await engine.migrated([])));
    });
    afterAll(() => close());

    it.each(cases)('%s', async (_, manifest, code, detail) => {
      const source = { acquire: async () => session, release: () => undefined };
      const connection = new Kysely<unknown>({ dialect: sessionDialect(source, () => '') });
      await session.run(`begin; ${manifest.migrations?.[0]?.sql ?? ''}`);
      try {
        const check = checkDataMap(connection, [own, manifest]);
        if (code === null) await check;
        else await expect(check).rejects.toMatchObject({ code, detail });
      } finally {
        await session.run('rollback');
      }
    });

    it('refuses two rooms that declare the same table', async () => {
      const manifest = room('select 1', { jobs: { scope: 'installation', columns: {} } });
      await expect(openDatabase(await engine.fresh(), [manifest])).rejects.toThrow(TypeError);
    });

    it('keeps a database with an undeclared column from being opened', async () => {
      const manifest = room('create table t (forgotten text)', {});
      await expect(openDatabase(await engine.fresh(), [manifest])).rejects.toMatchObject({
        code: 'storage.undeclared-column',
        message: expect.stringContaining("declare it in its room's data map. t.forgotten."),
      });
    });
  });
}

describe('tenantTable', () => {
  it.each(['t; drop table jobs', 'T', '"t"', '', 'a'.repeat(64)])('refuses the name %j', (name) => {
    expect(() => tenantTable(name)).toThrow(TypeError);
  });
});
