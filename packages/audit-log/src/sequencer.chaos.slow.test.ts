/** Three server replicas on one PostgreSQL: who sequences, and how long nobody does when that one is killed. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createEncryption, fileSlot, manifest as encryptionManifest } from '@strongroom/encryption';
import { asSystem, openDatabase } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';
import { changes, type Replica, startReplica } from './replica.test-support.ts';

/** Milliseconds from the end of a replica to the next run of another's sequencer; the lease is 4 s. */
const TAKEN_OVER_WITHIN = 5000;

const [, postgresql] = databases('both');

describe.skipIf(!postgresql!.available)('the sequencer of three replicas', () => {
  it('runs on one at a time and is taken over when that one is killed in the middle of a batch', async () => {
    const location = await postgresql!.migrated([encryptionManifest, manifest, changes]);
    const slot = join(temporaryFolder(), 'root.key');
    await createEncryption({ slot: fileSlot(slot) });
    const options = { location, slot, writers: 2, pause: 5, sequencer: 'job' } as const;
    const database = await openDatabase(location, [encryptionManifest, manifest, changes]);
    const all: Replica[] = [];
    let onBegin: (replica: Replica) => void = () => undefined;
    try {
      for (let count = 0; count < 3; count += 1) {
        const replica: Replica = startReplica(options, (line) => {
          if (line.startsWith('begin')) onBegin(replica);
        });
        all.push(replica);
      }
      await Promise.all(all.map(({ ready }) => ready));
      const nextRun = (except?: Replica): Promise<Replica> =>
        new Promise((resolve) => {
          onBegin = (replica) => {
            if (replica !== except) resolve(replica);
          };
        });
      const takeovers: number[] = [];
      for (let kills = 0; kills < 2; kills += 1) {
        await pause(2000);
        // It has said that it begins, and nobody else may before its lease has run out.
        const victim = await nextRun();
        const killed = Date.now();
        void victim.kill();
        const next = await nextRun(victim);
        takeovers.push(next.runs.at(-1)!.begin - killed);
      }
      await pause(1000);
      await Promise.all(all.map((replica) => replica.kill()));
      const runs = all
        .flatMap((replica) => replica.runs.map(({ begin, end = begin }) => ({ replica, begin, end })))
        .toSorted((left, right) => left.begin - right.begin);
      const overlapping = runs.filter((run, place) => place > 0 && run.begin < runs[place - 1]!.end);
      expect(overlapping).toEqual([]);
      expect(new Set(runs.map(({ replica }) => replica)).size).toBeGreaterThan(1);
      const { rows } = await database.transaction(asSystem, (transaction) =>
        sql<{ next: number; count: number }>`
          select max(index) + 1 as next, count(*) as count from audit_leaves`.execute(transaction),
      );
      expect(rows[0]!.count).toBe(rows[0]!.next);
      figure(
        `sequencer of 3 replicas: ${runs.length} runs, no two at once; taken over ${Math.max(...takeovers)} ms after kill -9`,
      );
      expect(Math.max(...takeovers)).toBeLessThan(TAKEN_OVER_WITHIN);
    } finally {
      await Promise.all(all.map((replica) => replica.kill()));
      await database.close();
    }
  });
});
