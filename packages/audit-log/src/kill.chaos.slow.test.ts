/** kill -9 at random points while four writers commit and the sequencer works: no change without its event, no gap, no duplicate. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createEncryption, fileSlot, manifest as encryptionManifest } from '@strongroom/encryption';
import { systemClock } from '@strongroom/kernel';
import { asSystem, type Location, openDatabase } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createAuditLog } from './audit-log.ts';
import { catalogue } from './catalogue.ts';
import { manifest } from './manifest.ts';
import { changes, type ReplicaOptions, startReplica } from './replica.test-support.ts';
import { verifyLog } from './verify-log.ts';

/** Of processes, on each engine. */
const KILLS = 100;
/** Series of kills side by side: most of the time goes into starting the next process. */
const SERIES = 4;
/** Milliseconds of work before a kill, at most. */
const LIFETIME = 400;

async function newSlot(): Promise<string> {
  const slot = join(temporaryFolder(), 'root.key');
  await createEncryption({ slot: fileSlot(slot) });
  return slot;
}

/** Starts, kills at a random moment, starts again. Returns what was reported as committed. */
async function killAgainAndAgain(options: ReplicaOptions, times: number): Promise<string[]> {
  const committed: string[] = [];
  for (let time = 0; time < times; time += 1) {
    const { promise: working, resolve: works } = Promise.withResolvers<void>();
    const replica = startReplica(options, (line) => line.startsWith('committed') && works());
    await replica.ready;
    // Every other time among commits for sure: on a busy machine the first of them takes longer than most of these lives.
    if (time % 2 === 0) await working;
    await pause(Math.random() * LIFETIME);
    await replica.kill();
    committed.push(...replica.committed);
  }
  return committed;
}

/** Sequences what is left and compares every row with every entry. Returns how many there are. */
async function judge(location: Location, slot: string, reported: readonly string[]): Promise<number> {
  const database = await openDatabase(location, [encryptionManifest, manifest, changes]);
  const encryption = await createEncryption({ slot: fileSlot(slot), mustExist: true });
  const events = catalogue([encryptionManifest, manifest, changes]);
  const auditLog = createAuditLog({ clock: systemClock, database, encryption, events, nudge: () => undefined });
  try {
    await auditLog.sequence();
    const stored = await database.transaction(asSystem, async (transaction) => {
      const rows = await sql<{ id: string }>`select change_id as id from changes order by 1`.execute(transaction);
      const leaves = await sql<{ index: number; id: string }>`
        select l.index, e.object_id as id from audit_leaves l join audit_events e using (event_id) order by l.index`.execute(
        transaction,
      );
      return { changes: rows.rows.map(({ id }) => id), leaves: leaves.rows };
    });
    expect(stored.leaves.map(({ id }) => id).toSorted()).toEqual(stored.changes);
    expect(stored.leaves.map(({ index }) => index)).toEqual(stored.leaves.map((_, place) => place));
    const kept = new Set(stored.changes);
    expect(reported.filter((id) => !kept.has(id))).toEqual([]);
    const verdict = await verifyLog(auditLog.source(), { keys: await auditLog.verifierKeys() });
    expect(verdict).toMatchObject({ ok: true, findings: [], size: stored.changes.length });
    return stored.changes.length;
  } finally {
    await database.close();
  }
}

const [pglite, postgresql] = databases('both');

describe.skipIf(!postgresql!.available)('four writing and sequencing processes on PostgreSQL', () => {
  it(`lose nothing and log nothing twice when they are killed ${KILLS} times`, async () => {
    const location = await postgresql!.migrated([encryptionManifest, manifest, changes]);
    const slot = await newSlot();
    const options = { location, slot, writers: 1, pause: 0, sequencer: 'always' } as const;
    const reported = await Promise.all(
      Array.from({ length: SERIES }, () => killAgainAndAgain(options, KILLS / SERIES)),
    );
    const count = await judge(location, slot, reported.flat());
    expect(count).toBeGreaterThan(KILLS);
    figure(`kill -9 on PostgreSQL: ${KILLS} times, ${count.toLocaleString('en')} changes, each with its one entry`);
  });
});

describe('four writers in one process on PGlite', () => {
  it(`lose nothing and log nothing twice when it is killed ${KILLS} times`, async () => {
    const counts = await Promise.all(
      Array.from({ length: SERIES }, async () => {
        const location = await pglite!.migrated([encryptionManifest, manifest, changes]);
        const slot = await newSlot();
        const options = { location, slot, writers: 4, pause: 0, sequencer: 'always' } as const;
        return judge(location, slot, await killAgainAndAgain(options, KILLS / SERIES));
      }),
    );
    const count = counts.reduce((sum, some) => sum + some, 0);
    expect(count).toBeGreaterThan(KILLS);
    figure(`kill -9 on PGlite: ${KILLS} times, ${count.toLocaleString('en')} changes, each with its one entry`);
  });
});
