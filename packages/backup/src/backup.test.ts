import { AsyncLocalStorage } from 'node:async_hooks';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { asSystem, openDatabase, type Database } from '@strongroom/storage';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { back, person } from './back.test-support.ts';
import { createBackup } from './create-backup.ts';
import { content, fill, houses, housesLater } from './house.test-support.ts';
import { restoreBackup } from './restore-backup.ts';
import { verifyBackup } from './verify-backup.ts';

const engines = databases();
for (const engine of engines) {
  describe.skipIf(!engine.available)(`backups of ${engine.name}`, () => {
    let database: Database;
    beforeAll(async () => {
      database = await engine.open([houses]);
      await fill(database);
    });

    for (const target of engines) {
      it.skipIf(!target.available)(`restore every value on ${target.name}`, async () => {
        const { path, summary } = await back(database);
        expect(summary).toMatchObject({
          createdAt: '2026-11-22T00:00:00.000Z',
          program: '1.2.3',
          format: 1,
          whole: true,
          rows: 64,
        });
        expect(summary.tables.filter(({ rows }) => rows > 0)).toEqual([
          { name: 'rooms', rows: 40 },
          { name: 'streets', rows: 3 },
          { name: 'houses', rows: 21 },
        ]);
        expect(summary.leftOut).toEqual(['jobs', 'visits']);
        expect(summary.bytes).toBe(statSync(path).size);
        expect(await verifyBackup({ path, identities: [person.identity] })).toEqual(summary);

        const location = await target.fresh();
        const seen: string[] = [];
        const restored = await restoreBackup({
          path,
          identities: [person.identity],
          location,
          manifests: [houses],
          check: async () => void seen.push('check'),
          finish: async () => void seen.push('finish'),
        });
        expect(restored).toEqual(summary);
        expect(seen).toEqual(['check', 'finish']);
        const copy = await openDatabase(location, [houses]);
        try {
          for (const table of ['streets', 'houses', 'rooms'])
            expect(await content(copy, table)).toEqual(await content(database, table));
          expect(await content(copy, 'visits')).toEqual([]);
          // The rules are in force again.
          await expect(copy.transaction(asSystem, (tx) => sql`delete from streets`.execute(tx))).rejects.toThrow();
        } finally {
          await copy.close();
        }
        await expect(
          restoreBackup({ path, identities: [person.identity], location, manifests: [houses] }),
        ).rejects.toMatchObject({ code: 'backup.target-not-empty' });
      });
    }

    it('shows one moment, whatever is written meanwhile', async () => {
      const own = await engine.open([houses]);
      await fill(own, 400);
      // Read first, and for long enough that the change is committed before the houses are read.
      await own.transaction(asSystem, (tx) =>
        sql`insert into rooms select gen_random_uuid() from generate_series(1, 20000)`.execute(tx),
      );
      const path = join(temporaryFolder(), 'backup.age');
      let writing: Promise<unknown> | undefined;
      // What belongs to another request knows nothing of the transaction.
      const elsewhere = AsyncLocalStorage.snapshot();
      const add = () =>
        own.transaction(asSystem, (tx) =>
          sql`insert into houses (tenant_id, id, street_id) select tenant_id, gen_random_uuid(), street_id from houses limit 100`.execute(
            tx,
          ),
        );
      await createBackup({
        database: own,
        path,
        recipients: [person.recipient],
        program: '1',
        onProgress: () => {
          writing ??= elsewhere(add);
        },
      });
      await writing;
      expect(await content(own)).toHaveLength(501);
      const summary = await verifyBackup({ path, identities: [person.identity] });
      expect(summary.tables.find(({ name }) => name === 'houses')).toEqual({ name: 'houses', rows: 401 });
    });

    it('made before a migration are loaded and then migrated', async () => {
      const { path } = await back(database);
      const location = await engine.fresh();
      await restoreBackup({ path, identities: [person.identity], location, manifests: [housesLater] });
      const copy = await openDatabase(location, [housesLater]);
      const { rows } = await copy.transaction(asSystem, (tx) =>
        sql`select shouted from streets order by 1`.execute(tx),
      );
      await copy.close();
      expect(rows).toEqual([1, 2, 3].map((number) => ({ shouted: `STREET ${number}` })));

      const later = await engine.open([housesLater]);
      const newer = await back(later);
      await expect(
        restoreBackup({
          ...newer,
          identities: [person.identity],
          location: await engine.fresh(),
          manifests: [houses],
        }),
      ).rejects.toMatchObject({ code: 'backup.newer-format', detail: 'It has the migration houses/0002-upper-case.' });
      const [first] = houses.migrations;
      const other = { ...houses, migrations: [{ ...first, sql: `${first.sql} ` }] };
      await expect(
        restoreBackup({
          path,
          identities: [person.identity],
          location: await engine.fresh(),
          manifests: [other],
        }),
      ).rejects.toMatchObject({ code: 'backup.other-schema' });
    });

    it('leave the target empty when something is wrong in the middle, so that it can be tried again', async () => {
      const own = await engine.open([houses]);
      await fill(own, 300);
      const { path } = await back(own);
      const whole = readFileSync(path);
      const cut = join(temporaryFolder(), 'cut.age');
      const location = await engine.fresh();
      const restore = (file: string, check?: () => Promise<void>) =>
        restoreBackup({
          path: file,
          identities: [person.identity],
          location,
          manifests: [houses],
          ...(check === undefined ? {} : { check }),
        });
      for (const length of [whole.length - 1, Math.floor(whole.length / 2)]) {
        writeFileSync(cut, whole.subarray(0, length));
        await expect(restore(cut)).rejects.toMatchObject({ code: 'backup.damaged' });
      }
      writeFileSync(cut, whole);
      const flipped = new Uint8Array(whole);
      flipped[whole.length - 100]! ^= 1;
      writeFileSync(cut, flipped);
      await expect(restore(cut)).rejects.toMatchObject({ code: 'backup.damaged' });
      await expect(restore(path, () => Promise.reject(new Error('wrong key')))).rejects.toThrow('wrong key');
      await restore(path);
      const copy = await openDatabase(location, [houses]);
      expect(await content(copy)).toEqual(await content(own));
      await copy.close();
    });

    it('can take chosen tables from another backup', async () => {
      const path = join(temporaryFolder(), 'streets.age');
      const own = await engine.open([houses]);
      await fill(own, 2);
      const { path: whole } = await back(own);
      await own.transaction(asSystem, (tx) => sql`update rooms set inside = null where inside is not null`.execute(tx));
      const options = { database: own, recipients: [person.recipient], program: '1', only: ['rooms'] };
      const part = await createBackup({ ...options, path });
      expect(part).toMatchObject({ whole: false, tables: [{ name: 'rooms', rows: 4 }] });
      const location = await engine.fresh();
      const restore = { identities: [person.identity], location, manifests: [houses] };
      await expect(restoreBackup({ ...restore, path })).rejects.toMatchObject({ code: 'backup.partial' });
      await restoreBackup({ ...restore, path: whole, instead: { path, tables: ['rooms'] } });
      const copy = await openDatabase(location, [houses]);
      for (const table of ['streets', 'houses', 'rooms'])
        expect(await content(copy, table)).toEqual(await content(own, table));
      await copy.close();
    });

    it('are refused for tables that could not be put back', async () => {
      const counted = {
        name: 'counted',
        migrations: [
          { name: '0001', sql: 'create table counted (number bigint generated always as identity primary key)' },
        ],
        dataMap: { counted: { scope: 'installation', columns: { number: { kind: 'operational' } } } },
      } as const;
      const own = await engine.open([counted]);
      const path = join(temporaryFolder(), 'backup.age');
      await expect(back(own, { path })).rejects.toMatchObject({ code: 'backup.unsupported-schema' });
      expect(readdirSync(join(path, '..'))).toEqual([]);
    });
  });
}
