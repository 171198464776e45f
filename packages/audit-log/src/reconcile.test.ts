import { join } from 'node:path';
import { createEncryption, fileSlot, manifest as encryptionManifest } from '@strongroom/encryption';
import { defineDataMap, type Manifest, newUuid, operational, systemClock } from '@strongroom/kernel';
import { asSystem, type Database, inTenant, openDatabase, tenantTable, type Transaction } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases, type Owner, ownerOf } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditLog, createAuditLog } from './audit-log.ts';
import { catalogue } from './catalogue.ts';
import { accountForMigrations, databaseOfJob } from './background-changes.ts';
import { coveredTable } from './covered-table.ts';
import { settleRestored } from './internal/ledger.ts';
import { auditEvent, tenant } from './log.test-support.ts';
import { manifest } from './manifest.ts';
import { acceptChanges, reconcile, type UnloggedChange } from './reconcile.ts';

const event = { title: 'x', class: 'data-change', retention: 'access', ocsf: 'datastore-activity/create' } as const;

const room: Manifest = {
  name: 'shelf',
  migrations: [
    {
      name: '0001-books',
      sql: `create table books (tenant_id uuid not null, book_id uuid, title text, read_at timestamptz, primary key (tenant_id, book_id));
        ${tenantTable('books')}`,
    },
    {
      name: '0002-covered',
      sql: `insert into books values ('${tenant}', '${tenant}', 'here before', null); ${coveredTable('books', ['tenant_id', 'book_id'])}`,
    },
    {
      name: '0003-loans',
      sql: `create table loans (id integer primary key, round integer not null, reader bytea, seen_at timestamptz);
        insert into loans values (1, 1, '\\x01', null), (2, 2, '\\x02', null);
        ${coveredTable('loans', ['id'], {
          columns: ['id', 'round', 'reader'],
          rows: (row) => `${row}.round > 1 or ${row}.reader is null`,
        })}`,
    },
  ],
  dataMap: defineDataMap({
    loans: {
      scope: 'installation',
      columns: { id: operational, round: operational, reader: operational, seen_at: operational },
    },
    books: {
      scope: 'tenant',
      columns: { tenant_id: operational, book_id: operational, title: operational, read_at: operational },
    },
  }),
  auditEvents: { 'memory.created': event, 'backup.restore': event },
};

const rooms = [encryptionManifest, manifest, room];

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`reconciling rows with the log on ${engine.name}`, () => {
    let database: Database;
    let auditLog: AuditLog;
    let owner: Owner;
    const slot = join(temporaryFolder(), 'root.key');
    const open = async (): Promise<{ database: Database; auditLog: AuditLog; owner: Owner }> => {
      const location = await engine.migrated(rooms);
      const opened = await openDatabase(location, rooms);
      const encryption = await createEncryption({ slot: fileSlot(slot) });
      const options = { clock: systemClock, encryption, events: catalogue(rooms), nudge: () => undefined };
      const log = createAuditLog({ ...options, database: opened });
      return { database: opened, auditLog: log, owner: await ownerOf(location, opened, []) };
    };
    beforeAll(async () => {
      ({ database, auditLog, owner } = await open());
    });
    afterAll(async () => {
      await owner.close();
      await database.close();
    });

    const add = async (transaction: Transaction, title: string): Promise<string> => {
      const id = newUuid();
      await sql`insert into books values (${tenant}, ${id}, ${title}, now())`.execute(transaction);
      return id;
    };
    /** Something done to the books, in one transaction with its event or without one. */
    const change = <Result>(isLogged: boolean, work: (transaction: Transaction) => Promise<Result>): Promise<Result> =>
      database.transaction(inTenant(tenant), async (transaction) => {
        const result = await work(transaction);
        if (isLogged) await auditLog.append(transaction, auditEvent());
        return result;
      });
    const found = async (): Promise<readonly UnloggedChange[]> => {
      const { changes, ok, count } = await database.transaction(asSystem, reconcile);
      expect([ok, count]).toEqual([changes.length === 0, changes.length]);
      return changes;
    };
    const at = (id: string) => ({ table: 'books', row: `${tenant}/${id}` });

    it('finds nothing wrong with what was logged, whether sequenced or not', async () => {
      const [first, second] = await change(true, async (transaction) => [
        await add(transaction, 'one'),
        await add(transaction, 'two'),
      ]);
      expect(await found()).toEqual([]);
      await change(true, (transaction) =>
        sql`update books set title = 'uno' where book_id = ${first}`.execute(transaction),
      );
      expect(await found()).toEqual([]);
      await auditLog.sequence();
      expect(await found()).toEqual([]);
      await change(true, (transaction) => sql`delete from books where book_id = ${second}`.execute(transaction));
      await change(true, (transaction) =>
        sql`update books set title = 'eins' where book_id = ${first}`.execute(transaction),
      );
      expect(await found()).toEqual([]);
      await auditLog.sequence();
      expect(await found()).toEqual([]);
      const { tables } = await database.transaction(asSystem, reconcile);
      expect(tables).toEqual([
        { name: 'audit_sinks', rows: 0, isWatched: true },
        { name: 'audit_witness_policies', rows: 0, isWatched: true },
        { name: 'books', rows: 2, isWatched: true },
        { name: 'loans', rows: 1, isWatched: true },
      ]);
      expect(await owner.run('select count(*)::text as count from audit_changes')).toEqual([{ count: '0' }]);
    });

    it('forgets what was rolled back', async () => {
      const attempt = change(true, async (transaction) => {
        await add(transaction, 'never');
        throw new Error('no');
      });
      await expect(attempt).rejects.toThrow('no');
      expect(await found()).toEqual([]);
    });

    it('names each change that came without an event, until there is one', async () => {
      const [kept, gone] = await change(true, async (transaction) => [
        await add(transaction, 'kept'),
        await add(transaction, 'gone'),
      ]);
      await auditLog.sequence();
      const added = await change(false, (transaction) => add(transaction, 'smuggled in'));
      await change(false, (transaction) =>
        sql`update books set title = 'forged' where book_id = ${kept}`.execute(transaction),
      );
      await change(false, (transaction) => sql`delete from books where book_id = ${gone}`.execute(transaction));
      const expected = [
        { ...at(kept), kind: 'changed', reason: 'no-event' },
        { ...at(gone), kind: 'deleted', reason: 'no-event' },
        { ...at(added), kind: 'inserted', reason: 'no-event' },
      ].toSorted((left, right) => (left.row < right.row ? -1 : 1));
      expect(await found()).toEqual(expected);
      await auditLog.sequence();
      expect(await found()).toEqual(expected);
      // A later change with its event does not make them unseen.
      await change(true, async (transaction) => {
        await sql`update books set title = 'kept' where book_id = ${kept}`.execute(transaction);
        await sql`delete from books where book_id = ${added}`.execute(transaction);
        await sql`insert into books values (${tenant}, ${gone}, 'gone', null)`.execute(transaction);
      });
      expect(await found()).toEqual(expected);
      await auditLog.sequence();
      expect(await found()).toEqual(expected);
      expect(await database.transaction(asSystem, acceptChanges)).toBe(3);
      expect(await found()).toEqual([]);
    });

    it('can accept rows as they are without hiding what comes after', async () => {
      const id = await change(true, (transaction) => add(transaction, 'waits for its place'));
      expect(await database.transaction(asSystem, acceptChanges)).toBe(0);
      await auditLog.sequence();
      expect(await found()).toEqual([]);
      await change(false, (transaction) =>
        sql`update books set title = 'forged' where book_id = ${id}`.execute(transaction),
      );
      expect(await found()).toMatchObject([{ ...at(id), kind: 'changed' }]);
      await database.transaction(asSystem, acceptChanges);
      expect(await found()).toEqual([]);
    });

    it('finds what an owner of the database did behind the triggers', async () => {
      const [kept, gone] = await change(true, async (transaction) => [
        await add(transaction, 'kept'),
        await add(transaction, 'gone'),
      ]);
      await auditLog.sequence();
      const added = newUuid();
      const secretly = async (...statements: readonly string[]): Promise<void> => {
        await owner.run(
          'alter table books disable trigger user',
          ...statements,
          'alter table books enable trigger user',
        );
      };
      await owner.run('alter table books disable row level security');
      await secretly(
        `update books set title = 'forged' where book_id = '${kept}'`,
        `delete from books where book_id = '${gone}'`,
        `insert into books values ('${tenant}', '${added}', 'smuggled in', null)`,
      );
      const kinds = async () => (await found()).map(({ row, kind, reason }) => `${row.slice(37)} ${kind}, ${reason}`);
      expect((await kinds()).toSorted()).toEqual(
        [
          `${kept} changed, behind-triggers`,
          `${gone} deleted, behind-triggers`,
          `${added} inserted, behind-triggers`,
        ].toSorted(),
      );
      await secretly(
        `delete from books where book_id = '${added}'`,
        `insert into books select tenant_id, '${gone}', 'gone', read_at from books where book_id = '${kept}'`,
        `update books set title = 'kept' where book_id = '${kept}'`,
      );
      expect(await found()).toEqual([]);
      await owner.run('alter table books enable row level security');
    });

    it('says when a table is no longer watched', async () => {
      await owner.run('alter table books disable trigger audit_change_delete');
      expect(await database.transaction(asSystem, reconcile)).toMatchObject({
        ok: false,
        tables: [{ isWatched: true }, { isWatched: true }, { name: 'books', isWatched: false }, { isWatched: true }],
      });
      await owner.run('alter table books enable trigger audit_change_delete');
      expect(await database.transaction(asSystem, reconcile)).toMatchObject({ ok: true });
    });

    it('compares the columns and the rows that count, and no others', async () => {
      const lend = (isLogged: boolean, ...statements: readonly string[]) =>
        change(isLogged, async (transaction) => {
          for (const statement of statements) await sql.raw(statement).execute(transaction);
        });
      await lend(
        false,
        `insert into loans values (3, 1, '\\x03', now())`,
        `update loans set reader = '\\x0a', seen_at = now() where round = 1`,
        `insert into loans values (3, 1, '\\x04', null) on conflict (id) do update set reader = excluded.reader`,
        `update loans set seen_at = now(), reader = reader where round = 2`,
        `delete from loans where id = 1`,
      );
      expect(await found()).toEqual([]);

      const loan = (row: string, kind: string) => ({ table: 'loans', row, kind, reason: 'no-event' });
      const attacks: readonly (readonly [statement: string, ...changes: readonly object[]])[] = [
        [`update loans set reader = '\\x05' where id = 2`, loan('2', 'changed')],
        [
          `insert into loans values (2, 1, null, null), (4, 2, null, null) on conflict (id) do update set reader = null`,
          loan('2', 'changed'),
          loan('4', 'inserted'),
        ],
        // Comes to count, and ceases to.
        [`update loans set round = 2 where id = 3`, loan('3', 'inserted')],
        [`update loans set round = 1, reader = '\\x06' where id = 2`, loan('2', 'deleted')],
        [`delete from loans where id in (3, 4)`, loan('3', 'deleted'), loan('4', 'deleted')],
      ];
      for (const [statement, ...changes] of attacks) {
        await lend(false, statement);
        expect(await found()).toEqual(changes);
        expect(await database.transaction(asSystem, acceptChanges)).toBe(changes.length);
        expect(await found()).toEqual([]);
      }

      await lend(true, `insert into loans values (5, 2, '\\x07', null), (6, 1, null, null)`);
      await auditLog.sequence();
      await lend(
        true,
        `update loans set round = 1, reader = '\\x08' where id = 6`,
        `update loans set round = 3 where id = 5`,
      );
      expect(await found()).toEqual([]);
      await auditLog.sequence();
      expect(await found()).toEqual([]);
      await owner.run(
        'alter table loans disable trigger user',
        `update loans set seen_at = now(), reader = '\\x0b'`,
        'alter table loans enable trigger user',
      );
      expect(await found()).toEqual([{ ...loan('5', 'changed'), reason: 'behind-triggers' }]);
      await database.transaction(asSystem, acceptChanges);
    });

    it('has events for what jobs do, without their help', async () => {
      const id = await change(true, (transaction) => add(transaction, 'kept'));
      await auditLog.sequence();
      const job = databaseOfJob(database, 'shelf.dust', { auditLog, clock: systemClock });
      const dust = async (transaction: Transaction): Promise<void> => {
        await sql`update books set title = title || '.' where book_id = ${id}`.execute(transaction);
        await add(transaction, 'found behind the shelf');
      };
      await job.transaction(asSystem, dust);
      await job.transaction(asSystem, (transaction) => sql`select from books`.execute(transaction));
      await expect(
        job.transaction(asSystem, async (transaction) => {
          await dust(transaction);
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await found()).toEqual([]);
      await auditLog.sequence();
      const events = await owner.run(
        `select type, actor_kind, actor_via, details from audit_events where type = 'audit.background-change'`,
      );
      expect(events).toEqual([
        { type: 'audit.background-change', actor_kind: 'system', actor_via: 'shelf.dust', details: '{"books":2}' },
      ]);
      // The same without it.
      await database.transaction(asSystem, dust);
      expect(await found()).toHaveLength(2);
      await database.transaction(asSystem, acceptChanges);
    });

    it('has an event for what a migration does to rows that were covered already', async () => {
      const location = await engine.migrated(rooms);
      const first = await openDatabase(location, rooms);
      await first.transaction(asSystem, (transaction) => add(transaction, 'old'));
      await first.transaction(asSystem, acceptChanges);
      const smuggled = await first.transaction(asSystem, (transaction) => add(transaction, 'smuggled in'));
      await first.close();
      const migrations = [
        ...room.migrations!,
        {
          name: '0004-titles',
          sql: `alter table books no force row level security; update books set title = upper(title); alter table books force row level security`,
        },
      ];
      const later = await openDatabase(location, [...rooms.slice(0, -1), { ...room, migrations }]);
      try {
        const encryption = await createEncryption({ slot: fileSlot(slot) });
        const services = {
          auditLog: createAuditLog({
            database: later,
            clock: systemClock,
            encryption,
            events: catalogue(rooms),
            nudge: () => undefined,
          }),
          clock: systemClock,
        };
        const differing = async () => (await later.transaction(asSystem, reconcile)).changes;
        expect(await differing()).toHaveLength(3);
        for (const times of [1, 2]) {
          await accountForMigrations(later, services);
          expect(await differing(), `${times}`).toMatchObject([{ ...at(smuggled), reason: 'no-event' }]);
          await services.auditLog.sequence();
        }
        const { rows } = await later.transaction(asSystem, (transaction) =>
          sql`select actor_via, details from audit_events`.execute(transaction),
        );
        expect(rows).toEqual([
          { actor_via: 'storage.migrate', details: '{"books":3,"migrations":"shelf/0004-titles"}' },
        ]);
      } finally {
        await later.close();
      }
    });

    it('finds an event that is gone from the log', async () => {
      const id = await change(true, (transaction) => add(transaction, 'orphan'));
      await auditLog.sequence();
      await owner.run(`update audit_rows set event_id = gen_random_uuid() where key = '${tenant}/${id}'`);
      expect(await found()).toEqual([{ ...at(id), kind: 'changed', reason: 'event-missing' }]);
      await database.transaction(asSystem, acceptChanges);
      expect(await found()).toEqual([]);
    });

    it('holds after a logical restore, which vouches for nothing that was wrong before', async () => {
      const smuggled = await change(false, (transaction) => add(transaction, 'smuggled in'));
      await change(true, (transaction) => add(transaction, 'waits for its place'));
      const left = await change(true, (transaction) => add(transaction, 'of somebody erased since'));
      const restored = await open();
      try {
        const keys = ['key_tree', 'key_nodes', 'subject_keys'];
        // What others refer to comes before them.
        const tables = new Set(['books', 'loans', ...keys, 'audit_pseudonyms', ...Object.keys(manifest.dataMap!)]);
        const dump = new Map<string, string>();
        for (const table of tables) {
          const { rows } = await database.transaction(asSystem, (transaction) =>
            sql<{
              rows: string;
            }>`select coalesce(json_agg(t), '[]')::text as rows from ${sql.table(table)} as t`.execute(transaction),
          );
          dump.set(table, rows[0]!.rows);
        }
        // As a restore does it: the copy fills tables that are as a first start leaves them.
        await restored.owner.run(
          'alter table books disable row level security',
          'delete from books',
          'delete from loans',
          'delete from audit_rows',
          'delete from audit_changes',
        );
        await restored.database.transaction(asSystem, async (transaction) => {
          for (const [table, rows] of dump) {
            await sql`insert into ${sql.table(table)} select * from json_populate_recordset(null::${sql.table(table)}, ${rows}::json)`.execute(
              transaction,
            );
          }
          await sql`delete from books where book_id = ${left}`.execute(transaction);
          await settleRestored(transaction);
          await restored.auditLog.append(transaction, auditEvent({ type: 'backup.restore' }));
        });
        const expected = [{ ...at(smuggled), kind: 'inserted', reason: 'no-event' }];
        const compare = async () => (await restored.database.transaction(asSystem, reconcile)).changes;
        expect(await compare()).toEqual(expected);
        await restored.auditLog.sequence();
        expect(await compare()).toEqual(expected);
        // Which no transaction of this database will ever have.
        const outside = `select bool_and(transaction >= '4611686018427387904') as outside from audit_changes`;
        expect(await restored.owner.run(outside)).toEqual([{ outside: true }]);
        // On PGlite, where each database counts for itself, the id of the transaction that did it comes again, with an event.
        const [{ transaction: former }] = (await owner.run(
          `select transaction::text as transaction from audit_changes`,
        )) as [{ transaction: string }];
        for (let reached = 0n; reached <= BigInt(former);) {
          reached = await restored.database.transaction(inTenant(tenant), async (transaction) => {
            await restored.auditLog.append(transaction, auditEvent());
            const { rows } = await sql<{ id: string }>`select pg_current_xact_id()::text as id`.execute(transaction);
            return BigInt(rows[0]!.id);
          });
        }
        await restored.auditLog.sequence();
        expect(await compare()).toEqual(expected);
      } finally {
        await restored.owner.close();
        await restored.database.close();
      }
    });
  });
}

describe('coveredTable', () => {
  it('takes plain names only', () => {
    expect(() => coveredTable('books; drop table books', ['id'])).toThrow(TypeError);
    expect(() => coveredTable('books', [])).toThrow(TypeError);
    expect(() => coveredTable('books', ["id'"])).toThrow(TypeError);
    expect(() => coveredTable('books', ['id'], { columns: ["title'"] })).toThrow(TypeError);
    expect(() => coveredTable('books', ['id'], { rows: (row) => `${row}.id > 1` })).toThrow(TypeError);
  });
});
