import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { asSystem, type Database } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { columnMigration, type MigrationStep } from './column-migration.ts';
import { Notes, notesCodec, notesRoom, type NotesTable } from './column-migration.test-support.ts';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { encryptedQueries } from './kysely-plugin.ts';
import { manifest } from './manifest.ts';

const TODAY = Date.parse('2026-11-22T12:00:00Z');
const LAST_DAY = Date.parse('2027-01-31T23:59:59.999Z');

const code = (name: string) => expect.objectContaining({ code: `encryption.${name}` });

for (const engine of databases()) {
  describe.skipIf(!engine.available)(engine.name, () => {
    let database: Database;
    let encryption: Encryption;

    beforeAll(async () => {
      database = await engine.open([manifest, notesRoom]);
      encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
    });

    /** As before the first migration. */
    const open = async () => {
      const clock = { time: TODAY, now: () => clock.time };
      const notes = new Notes(database, encryption, clock);
      await notes.raw(sql`delete from notes`);
      await notes.raw(sql`delete from column_migrations`);
      return { notes, clock };
    };

    it('goes through all phases, readable and writable in each, and leaves no plaintext', async () => {
      const { notes } = await open();
      const steps: MigrationStep[] = [];
      const seen: number[] = [];
      const migration = notes.migration('content', {
        rowsAtOnce: 3,
        record: async (_, step) => {
          steps.push(step);
        },
        progress: (status) => seen.push(status.seen),
      });
      const owner = newUuid();
      const expected = new Map<Uuid, string | null>();
      const write = async (word: string) => {
        const [id, empty] = await notes.insert(owner, [word, null]);
        expected.set(id!, word).set(empty!, null);
        const [first] = expected.keys();
        expected.set(first!, `${word} again`);
        await notes.update(owner, first!, `${word} again`);
        expect(await notes.read()).toEqual(expected);
      };
      await write('declared');
      await write('declared too');
      expect(await notes.counts()).toEqual({ plain: 2, sealed: 0, index: 0 });
      await expect(migration.cutOver()).rejects.toThrow(code('migration-phase'));
      await expect(migration.drop()).rejects.toThrow(code('migration-phase'));

      expect(await migration.begin()).toMatchObject({ phase: 'dual-writing', until: '2027-01-31', expired: false });
      await write('dual');
      expect(await notes.counts()).toEqual({ plain: 3, sealed: 2, index: 2 });
      expect(await migration.run()).toMatchObject({ phase: 'verified' });
      expect(await notes.counts()).toEqual({ plain: 3, sealed: 3, index: 3 });
      expect(seen).toEqual([3, 6, 3, 6]);
      await write('verified');
      await expect(migration.begin()).rejects.toThrow(code('migration-phase'));

      expect(await migration.cutOver()).toMatchObject({ phase: 'cut-over' });
      await write('cut over');
      expect(await notes.counts()).toEqual({ plain: 3, sealed: 5, index: 5 });
      await expect(migration.revert()).rejects.toThrow(code('migration-phase'));
      expect(await migration.run()).toMatchObject({ phase: 'cut-over' });
      await migration.drop();
      await write('dropping');
      expect(await migration.run()).toMatchObject({ phase: 'dropped' });
      await write('dropped');
      expect(await notes.counts()).toEqual({ plain: 0, sealed: 7, index: 7 });
      const phases = [
        'declared',
        'dual-writing',
        'backfilling',
        'verifying',
        'verified',
        'cut-over',
        'dropping',
        'dropped',
      ];
      expect(steps.map(({ from, phase }) => `${from} ${phase}`)).toEqual(
        phases.slice(1).map((phase, index) => `${phases[index]} ${phase}`),
      );
      const { rows } = await notes.database.transaction(asSystem, (transaction) =>
        sql`select to_phase from column_migration_steps order by id`.execute(transaction),
      );
      expect(rows.map((row) => Object.values(row as object)[0])).toEqual(phases.slice(1));
      const forged = notes.transaction((transaction) =>
        sql`update column_migrations set phase = 'declared'`.execute(transaction),
      );
      await expect(forged).rejects.toMatchObject({ sqlState: '42501' });
    });

    it('serves the query layer in every phase, JSON and arrays too', async () => {
      const { notes, clock } = await open();
      const owner = newUuid();
      const migrations = [notes.migration('tags'), notes.migration('content')];
      const check = async (tags: readonly string[]) => {
        const id = newUuid();
        await notes.transaction(async (transaction) => {
          const queries = encryptedQueries(
            transaction.withTables<NotesTable>(),
            notes.encryption,
            { notes: notesCodec },
            { clock },
          );
          const at = { tenant_id: notes.tenant, id, owner };
          const content = `Content of ${id}`;
          await queries
            .insertInto('notes')
            .values({ ...at, content, tags })
            .execute();
          const found = await queries.selectFrom('notes').select(['tags', 'content']).where('id', '=', id).execute();
          expect(found).toEqual([{ tags, content }]);
          await queries
            .updateTable('notes')
            .set({ tags: ['changed'] })
            .where((where) => where.and(at))
            .execute();
          const all = await queries.selectFrom('notes').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
          const { content_index: _, ...row } = all;
          expect(row).toEqual({ ...at, content, tags: ['changed'] });
          const search = (texts: readonly string[]) =>
            queries
              .selectFrom('notes')
              .select('content')
              .where('tenant_id', '=', notes.tenant)
              .where('content', 'in', texts)
              .execute();
          expect(await search(['nothing', content])).toEqual([{ content }]);
          expect(await search(['nothing'])).toEqual([]);
          const nested = queries
            .selectFrom('notes')
            .select('id')
            .where(
              'id',
              'in',
              queries
                .selectFrom('notes')
                .select('id')
                .where((where) => where.and({ tenant_id: notes.tenant, content })),
            );
          expect(await nested.execute()).toEqual([{ id }]);
          const rows = await notesCodec.load(notes.encryption, transaction, [], { clock });
          const [match, ...further] = rows.matches('content', notes.tenant, content);
          expect(further).toEqual([]);
          const { rows: matched } =
            await sql`select id from notes where ${sql.ref(match!.column)} = ${match!.value}`.execute(transaction);
          expect(matched).toEqual([{ id }]);
          const refused = [
            queries.selectFrom('notes').select('id').where('content', 'is', null),
            queries
              .selectFrom('notes')
              .select('id')
              .where('tags', '=', 'x' as never),
            queries.selectFrom('notes').select('content_plain' as never),
            queries.updateTable('notes').set({ content_plain: 'x' } as never),
          ];
          for (const query of refused) await expect(query.execute()).rejects.toThrow(code('query-refused'));
        });
      };
      await check(['a', 'b "c"']);
      for (const migration of migrations) await migration.begin();
      await check([]);
      for (const migration of migrations) await migration.run();
      await check(['verified']);
      for (const migration of migrations) await migration.cutOver();
      await check(['after']);
      for (const migration of migrations) {
        await migration.drop();
        expect(await migration.run()).toMatchObject({ phase: 'dropped' });
      }
      await check(['end']);
    });

    it('goes back before it cuts over, and starts again with what was written meanwhile', async () => {
      const { notes } = await open();
      const owner = newUuid();
      const [one, two] = await notes.insert(owner, ['one', 'two']);
      const migration = notes.migration();
      await migration.begin();
      await migration.run();
      expect(await migration.revert()).toMatchObject({ phase: 'declared' });
      await notes.update(owner, one!, 'changed');
      // A script that knows of no sealed value leaves a former one beside it.
      await notes.raw(sql`update notes set content_plain = 'by a script' where id = ${two}`);
      expect(await notes.read()).toEqual(
        new Map([
          [one, 'changed'],
          [two, 'by a script'],
        ]),
      );
      await migration.begin();
      expect(await migration.run()).toMatchObject({ phase: 'verified' });
      await migration.cutOver();
      expect(await notes.read()).toEqual(
        new Map([
          [one, 'changed'],
          [two, 'by a script'],
        ]),
      );
    });

    it('refuses plaintext once it does not count, whoever put it there, and never removes what is nowhere else', async () => {
      const { notes } = await open();
      const owner = newUuid();
      const [one, two, three] = await notes.insert(owner, ['one', 'two', 'three']);
      const migration = notes.migration();
      await migration.begin();
      await migration.run();
      await migration.cutOver();
      await notes.raw(sql`update notes set content = null, content_plain = 'injected' where id = ${one}`);
      await notes.raw(sql`update notes set content_plain = 'another' where id = ${two}`);
      await expect(notes.read(one)).rejects.toThrow(code('plaintext-refused'));
      expect(await notes.read(two)).toEqual(new Map([[two, 'two']]));
      await migration.drop();
      await expect(migration.run()).rejects.toThrow(code('migration-unverified'));
      expect(await migration.status()).toMatchObject({ phase: 'dropping' });
      expect(await notes.counts()).toEqual({ plain: 2, sealed: 2, index: 3 });
      expect(await notes.read(three)).toEqual(new Map([[three, 'three']]));
      await notes.raw(sql`update notes set content_plain = null where content_plain is not null`);
      expect(await migration.run()).toMatchObject({ phase: 'dropped' });
    });

    it('heals rows that were changed past the codec before it verifies, and gives up when that does not end', async () => {
      const { notes } = await open();
      const owner = newUuid();
      const [one, two, three] = await notes.insert(owner, ['one', 'two', 'three']);
      let breaks = 1;
      const migration = notes.migration('content', {
        record: async (transaction, { phase }) => {
          if (phase !== 'verifying' || breaks === 0) return;
          breaks -= 1;
          await sql`update notes set content_plain = 'past the codec' where id = ${one}`.execute(transaction);
          await sql`update notes set content = (select content from notes where id = ${two}) where id = ${three}`.execute(
            transaction,
          );
          await sql`update notes set content_index = '\\x00' where id = ${two}`.execute(transaction);
        },
      });
      await migration.begin();
      expect(await migration.run()).toMatchObject({ phase: 'verified', problems: 0 });
      await migration.cutOver();
      expect(await notes.read()).toEqual(
        new Map([
          [one, 'past the codec'],
          [two, 'two'],
          [three, 'three'],
        ]),
      );

      const other = await open();
      await other.notes.insert(owner, ['x']);
      const endless = other.notes.migration('content', {
        record: async (transaction, { phase }) => {
          if (phase === 'verifying') await sql`update notes set content_index = '\\x01'`.execute(transaction);
        },
      });
      await endless.begin();
      await expect(endless.run()).rejects.toThrow(code('migration-unverified'));
      expect(await endless.status()).toMatchObject({ phase: 'backfilling' });
    });

    it('looks at every row again as long as there is plaintext left', async () => {
      const { notes } = await open();
      const owner = newUuid();
      await notes.insert(
        owner,
        Array.from({ length: 30 }, (_, index) => `note ${index}`),
      );
      let behind: Promise<void> | undefined;
      const migration = notes.migration('content', {
        rowsAtOnce: 2,
        // Puts the plaintext of the first row back when the walk has passed it.
        progress: ({ phase }) => {
          if (phase !== 'dropping' || behind !== undefined) return;
          behind = notes.raw(
            sql`update notes set content_plain = 'note 0' where id = (select min(id::text)::uuid from notes)`,
          );
        },
      });
      await migration.begin();
      await migration.run();
      await migration.cutOver();
      await migration.drop();
      expect(await migration.run()).toMatchObject({ phase: 'dropped' });
      await behind;
      expect(await notes.counts()).toEqual({ plain: 0, sealed: 30, index: 30 });
    });

    it('removes plaintext about people who were erased meanwhile', async () => {
      const { notes } = await open();
      const [ada, bob, eve] = [newUuid(), newUuid(), newUuid()];
      const [gone] = await notes.insert(ada, ['about Ada']);
      await notes.insert(bob, ['about Bob']);
      await notes.insert(eve, ['about Eve']);
      const migration = notes.migration();
      await notes.encryption.keyTree.shred(notes.database, [ada]);
      await migration.begin();
      // As the job of the room does it.
      const job = manifest.jobs.find(({ name }) => name === 'encryption.migrate-columns');
      await job?.run({ database, encryption, columnMigrations: [migration] }, new AbortController().signal);
      expect(await migration.status()).toMatchObject({ phase: 'verified' });
      expect(await notes.counts()).toEqual({ plain: 2, sealed: 2, index: 2 });
      await migration.cutOver();
      await notes.encryption.keyTree.shred(notes.database, [eve]);
      await migration.drop();
      expect(await migration.run()).toMatchObject({ phase: 'dropped' });
      expect(await notes.counts()).toEqual({ plain: 0, sealed: 1, index: 1 });
      expect(await notes.read(gone)).toEqual(new Map([[gone, null]]));
    });

    it('ends with the last day: nothing more in the clear, but a way on', async () => {
      const { notes, clock } = await open();
      const owner = newUuid();
      const [id] = await notes.insert(owner, ['secret']);
      const migration = notes.migration();
      clock.time = LAST_DAY;
      expect(await notes.read(id)).toEqual(new Map([[id, 'secret']]));
      clock.time = LAST_DAY + 1;
      await expect(notes.read(id)).rejects.toThrow(code('migration-expired'));
      await expect(notes.read(id)).rejects.toThrow(/notes.content in phase "declared"; the last day was 2027-01-31/);
      await expect(notes.insert(owner, ['more'])).rejects.toThrow(code('migration-expired'));
      expect(await migration.status()).toMatchObject({ expired: true });
      await migration.begin();
      await expect(notes.update(owner, id!, 'more')).rejects.toThrow(code('migration-expired'));
      await migration.run();
      await expect(notes.read(id)).rejects.toThrow(code('migration-expired'));
      expect(await migration.cutOver()).toMatchObject({ expired: false });
      // The other column is still in the clear: refused until it follows.
      await expect(notes.read(id)).rejects.toThrow(/notes.tags/);
      const tags = notes.migration('tags');
      await tags.begin();
      await tags.run();
      await tags.cutOver();
      expect(await notes.read(id)).toEqual(new Map([[id, 'secret']]));
    });

    it('refuses columns that are not ready, and rows whose phase was not read', async () => {
      const { notes } = await open();
      const owner = newUuid();
      await notes.insert(owner, ['x']);
      const rows = notesCodec.with(notes.encryption);
      const at = { tenant_id: notes.tenant, id: newUuid(), owner };
      expect(() => rows.change(at, { content: 'x' })).toThrow(code('phase-unknown'));
      expect(() => rows.open({ ...at, content: null })).toThrow(code('phase-unknown'));
      const options = { database: notes.database, encryption: notes.encryption, codec: notesCodec };
      expect(() => columnMigration({ ...options, column: 'owner' })).toThrow(TypeError);
      expect(() => columnMigration({ ...options, codec: { table: 'notes' }, column: 'content' })).toThrow(TypeError);
      const [{ name, sql: schema }] = notesRoom.migrations;
      const unready = schema
        .replace('content_plain text', 'content_plain text not null')
        .replace('tags_plain jsonb', 'tags_plain text');
      const other = await engine.open([manifest, { ...notesRoom, migrations: [{ name, sql: unready }] }]);
      const elsewhere = new Notes(other, encryption, notes.clock);
      await expect(elsewhere.migration().begin()).rejects.toThrow(code('migration-unready'));
      await expect(elsewhere.migration().begin()).rejects.toThrow('In notes: content_plain must allow null.');
      await expect(elsewhere.migration('tags').begin()).rejects.toThrow('In notes: tags_plain must be jsonb.');
    });

    it('changes the phase only when those who go by the former one have ended', async () => {
      const { notes, clock } = await open();
      const owner = newUuid();
      const [id] = await notes.insert(owner, ['before']);
      const migration = notes.migration();
      const [loaded, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      // Read as "declared", written in the clear alone.
      const writing = notes.transaction(async (transaction) => {
        const rows = await notesCodec.load(notes.encryption, transaction, [owner], { clock });
        loaded.resolve();
        await goOn.promise;
        const changed = rows.change({ tenant_id: notes.tenant, id: id!, owner }, { content: 'after' });
        await transaction.withTables<NotesTable>().updateTable('notes').set(changed).where('id', '=', id!).execute();
        return changed.content;
      });
      await loaded.promise;
      const begun = migration.begin().then(() => 'begun');
      expect(await Promise.race([begun, delay(150, 'waiting')])).toBe('waiting');
      goOn.resolve();
      expect(await writing).toBeNull();
      expect(await begun).toBe('begun');
      await migration.run();
      await migration.cutOver();
      expect(await notes.read()).toEqual(new Map([[id, 'after']]));
    });
  });
}
