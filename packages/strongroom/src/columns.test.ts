import { join } from 'node:path';
import { type AuditLog, catalogue, createAuditLog } from '@strongroom/audit-log';
import { encryptedTables, rotatedIndexes } from '@strongroom/authentication';
import {
  columnMigration,
  createEncryption,
  createIndexRotations,
  type Encryption,
  fileSlot,
  rowCodec,
  sealed,
} from '@strongroom/encryption';
import { defineDataMap, type Manifest, personal, subject, systemClock } from '@strongroom/kernel';
import type { Database } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordColumnMigration, recordIndexRotation } from './columns.ts';
import { rooms } from './rooms.ts';

const note = (protection: 'clear' | 'encrypted') =>
  personal({
    subject: 'id',
    category: 'user.content',
    purpose: 'test',
    lawfulBasis: 'contract',
    retention: 'until the end of the test',
    protection,
  });
const dataMap = defineDataMap({
  diaries: { scope: 'installation', columns: { id: subject, note: note('encrypted'), note_plain: note('clear') } },
});
const diaries = rowCodec(dataMap, 'diaries', {
  row: ['id'],
  subject: 'id',
  columns: { note: sealed.text({ moving: { from: 'note_plain', until: '2999-12-31' } }) },
});
const room: Manifest = {
  name: 'diary',
  migrations: [{ name: '0001-diary', sql: 'create table diaries (id uuid primary key, note bytea, note_plain text);' }],
  dataMap,
};

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`what the audit log says of columns on their way, on ${engine.name}`, () => {
    const clock = systemClock;
    const operator = () => ({ kind: 'operator', via: 'command-line' }) as const;
    let database: Database;
    let encryption: Encryption;
    let auditLog: AuditLog;
    let events: { readonly type: string; readonly outcome: string; readonly details: unknown }[];

    beforeAll(async () => {
      database = await engine.open([...rooms, room]);
      encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
    });
    beforeEach(() => {
      events = [];
      const log = createAuditLog({ clock, database, encryption, events: catalogue(rooms), nudge: () => {} });
      auditLog = {
        ...log,
        // Refuses events that no room declares.
        append: async (transaction, event) => {
          await log.append(transaction, event);
          const { type, outcome, details, context } = event;
          expect(context.actor).toEqual(operator());
          events.push({ type, outcome, details });
        },
      };
    });

    it('a phased encryption begins, is taken back, is cut over and ends', async () => {
      const migration = columnMigration({
        database,
        encryption,
        codec: diaries,
        column: 'note',
        record: (transaction, step) => recordColumnMigration({ auditLog, clock, operator }, transaction, step),
      });
      await migration.begin();
      await migration.revert();
      await migration.begin();
      await migration.run();
      await migration.cutOver();
      await migration.drop();
      expect(await migration.run()).toMatchObject({ phase: 'dropped' });
      await migration.run();
      const details = { column: 'diaries.note', until: '2999-12-31', rows: 0 };
      expect(events).toEqual([
        { type: 'column.encryption-begun', outcome: 'success', details: { ...details, from: 'declared' } },
        { type: 'column.encryption-reverted', outcome: 'success', details: { ...details, from: 'dual-writing' } },
        { type: 'column.encryption-begun', outcome: 'success', details: { ...details, from: 'declared' } },
        { type: 'column.encryption-cut-over', outcome: 'success', details: { ...details, from: 'verified' } },
        { type: 'column.encryption-ended', outcome: 'success', details: { ...details, from: 'dropping' } },
      ]);
    });

    it('the rotation of an index begins and ends, one way or the other', async () => {
      const rotations = createIndexRotations({
        database,
        encryption,
        clock,
        tables: encryptedTables,
        indexes: rotatedIndexes,
        record: (transaction, moment, report) =>
          recordIndexRotation({ auditLog, clock, operator }, transaction, moment, report),
      });
      await encryption.keyTree.rotate(database, { settle: 0 });
      const [{ table, column }] = rotatedIndexes as [(typeof rotatedIndexes)[number]];
      await rotations.begin(table, column);
      await rotations.cancel(table, column);
      await rotations.run();
      await rotations.begin(table, column);
      await rotations.run();
      const name = 'accounts.email';
      expect(events).toEqual([
        { type: 'column.index-rotation-begun', outcome: 'success', details: { column: name, keyVersion: 2 } },
        {
          type: 'column.index-rotation-ended',
          outcome: 'failure',
          details: { column: name, keyVersion: 1, state: 'cancelled' },
        },
        { type: 'column.index-rotation-begun', outcome: 'success', details: { column: name, keyVersion: 2 } },
        {
          type: 'column.index-rotation-ended',
          outcome: 'success',
          details: { column: name, keyVersion: 2, state: 'complete' },
        },
      ]);
    });
  });
}
