/** How long an event waits for its signed checkpoint while a thousand a second are committed and jobs run as in a server. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createEncryption, fileSlot, manifest as encryptionManifest } from '@strongroom/encryption';
import { systemClock } from '@strongroom/kernel';
import { asSystem, inInstallation, type Jobs, openDatabase, startJobs } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createAuditLog } from './audit-log.ts';
import { catalogue } from './catalogue.ts';
import { accountActor, alice, auditEvent } from './log.test-support.ts';
import { manifest } from './manifest.ts';
import { changes } from './replica.test-support.ts';

const SECONDS = 8;
const EVENTS_PER_SECOND = 1000;
/** Writers at once, each with one transaction for each event. */
const WRITERS = 8;
/** Milliseconds between two bursts of all writers. */
const TICK = (1000 * WRITERS) / EVENTS_PER_SECOND;

const [, postgresql] = databases('both');

describe.skipIf(!postgresql!.available)('a signed checkpoint', () => {
  it(`follows each commit soon at ${EVENTS_PER_SECOND} events a second`, async () => {
    const rooms = [encryptionManifest, manifest, changes];
    const database = await openDatabase(await postgresql!.migrated(rooms), rooms);
    const encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root.key')) });
    let jobs: Jobs | undefined;
    const nudge = () => jobs?.nudge('audit-log.sequence');
    const auditLog = createAuditLog({ clock: systemClock, database, encryption, events: catalogue(rooms), nudge });
    jobs = startJobs({
      database,
      jobs: manifest.jobs!.filter(({ name }) => name === 'audit-log.sequence'),
      services: { auditLog, database, auditSinks: { deliver: async () => 0 } },
      clock: systemClock,
      log: { jobFinished: () => undefined },
    });
    try {
      const committedAt = new Map<string, number>();
      const actor = accountActor(alice);
      const write = async (id: string): Promise<void> => {
        const event = auditEvent({ type: 'change.made', object: { type: 'change', id } }, actor);
        await database.transaction(inInstallation, (transaction) => auditLog.append(transaction, event));
        committedAt.set(id, Date.now());
        auditLog.committed();
      };
      const started = Date.now();
      let count = 0;
      const writing = (async () => {
        while (Date.now() - started < SECONDS * 1000) {
          await Promise.all(Array.from({ length: WRITERS }, () => write(String((count += 1)))));
          // What was missed is made up for, so that the rate holds on average.
          await pause(Math.max(0, started + (count / WRITERS) * TICK - Date.now()));
        }
      })();
      const signed: { size: number; at: number }[] = [];
      const watching = (async () => {
        for (;;) {
          const { rows } = await database.transaction(asSystem, (transaction) =>
            sql<{ size: number }>`select coalesce(max(size), 0) as size from audit_checkpoints`.execute(transaction),
          );
          const size = rows[0]!.size;
          if (size > (signed.at(-1)?.size ?? 0)) signed.push({ size, at: Date.now() });
          if (committedAt.size > 0 && size >= committedAt.size && Date.now() - started > SECONDS * 1000) return;
          await pause(10);
        }
      })();
      await writing;
      await watching;
      const { rows: leaves } = await database.transaction(asSystem, (transaction) =>
        sql<{ index: number; id: string }>`
          select l.index, e.object_id as id from audit_leaves l join audit_events e using (event_id)`.execute(
          transaction,
        ),
      );
      const delays = leaves
        .map(({ index, id }) => signed.find(({ size }) => size > index)!.at - committedAt.get(id)!)
        .toSorted((left, right) => left - right);
      expect(delays).toHaveLength(count);
      const at = (share: number): number => delays[Math.floor(share * (delays.length - 1))]!;
      const rate = Math.round(count / SECONDS);
      figure(
        `commit to signed checkpoint: median ${at(0.5)} ms, p99 ${at(0.99)} ms at ${rate} events/s, ${signed.length} checkpoints`,
      );
    } finally {
      await jobs.stop();
      await database.close();
    }
  });
});
