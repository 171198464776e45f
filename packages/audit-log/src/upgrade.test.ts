/** A database of the time before the inbox: what waited in the queue keeps its bytes and gets its place. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createEncryption, fileSlot, manifest as encryptionManifest } from '@strongroom/encryption';
import { defineDataMap, operational, subject, systemClock } from '@strongroom/kernel';
import { asSystem, openDatabase } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createAuditLog } from './audit-log.ts';
import { catalogue } from './catalogue.ts';
import { alice, tenant } from './log.test-support.ts';
import { manifest } from './manifest.ts';
import { verifyLog } from './verify-log.ts';

const former = new Set(['0001-events-and-tree', '0002-redaction', '0003-witnesses']);
const unchanged = [
  'audit_events',
  'audit_leaves',
  'audit_tiles',
  'audit_checkpoints',
  'audit_cosignatures',
  'audit_witness_policies',
  'audit_signing_keys',
  'audit_pseudonyms',
];

const before = {
  name: manifest.name,
  migrations: manifest.migrations!.filter(({ name }) => former.has(name)),
  dataMap: defineDataMap({
    ...Object.fromEntries(unchanged.map((name) => [name, manifest.dataMap![name]!])),
    audit_queue: { scope: 'installation', columns: { event_id: operational } },
    audit_openings: {
      scope: 'tenant',
      columns: { event_id: operational, field: operational, tenant_id: operational, subject, opening: operational },
    },
  }),
};

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`upgrading to the inbox on ${engine.name}`, () => {
    it('takes along what waits', async () => {
      const location = await engine.migrated([before]);
      const old = await openDatabase(location, [before]);
      const salt = randomBytes(32);
      const commitment = createHash('sha256').update(salt).update('203.0.113.0/24').digest('hex');
      const details = '{"note":"it\\u0000s \\"quoted\\"","ünï":true}';
      const event = (commit: boolean): string =>
        JSON.stringify([
          crypto.randomUUID(),
          '2026-10-01T08:00:00.123Z',
          'memory.created',
          'success',
          null,
          'account',
          alice,
          null,
          crypto.randomUUID(),
          tenant,
          crypto.randomUUID(),
          commit ? commitment : null,
          'memory',
          null,
          "o'brien",
          [alice],
          details,
          commit ? `00${salt.toString('hex')}${Buffer.from('203.0.113.0/24').toString('hex')}` : null,
        ]);
      await old.transaction(asSystem, async (transaction) => {
        for (const commit of [true, false, true])
          await sql`select audit_append(${event(commit)}::jsonb)`.execute(transaction);
        // One that is there for good stays where it is.
        const { rows } = await sql<{
          id: string;
        }>`delete from audit_queue where event_id = (select max(event_id::text)::uuid from audit_queue)
          returning event_id as id`.execute(transaction);
        expect(rows).toHaveLength(1);
      });
      await old.close();

      const database = await openDatabase(location, [encryptionManifest, manifest]);
      try {
        const encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root.key')) });
        const events = catalogue([manifest]);
        const auditLog = createAuditLog({ clock: systemClock, database, encryption, events, nudge: () => undefined });
        const left = async (table: string): Promise<number> =>
          database.transaction(asSystem, async (transaction) => {
            const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(
              transaction,
            );
            return rows[0]!.count;
          });
        expect([await left('audit_inbox'), await left('audit_events')]).toEqual([2, 1]);
        expect(await auditLog.sequence()).toBe(2);
        expect([await left('audit_inbox'), await left('audit_events'), await left('audit_openings')]).toEqual([
          0, 3, 2,
        ]);
        const entries = await auditLog.source().entries(0, 2);
        for (const { event: logged } of entries) {
          expect(logged).toMatchObject({
            details,
            objectId: "o'brien",
            occurredAt: Date.UTC(2026, 9, 1, 8, 0, 0, 123) * 1000,
          });
        }
        const verdict = await verifyLog(auditLog.source(), { keys: await auditLog.verifierKeys() });
        // The one whose place in the queue was taken away by hand above.
        expect(verdict.findings).toEqual([
          { where: expect.stringMatching(/^event /), what: 'it is stored but was never logged' },
        ]);
        expect(verdict).toMatchObject({ size: 2, verifiedEntries: 2 });
      } finally {
        await database.close();
      }
    });
  });
}
