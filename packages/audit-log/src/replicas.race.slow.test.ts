/** Two handles on one PostgreSQL, as two server processes have them: both append, both sequence, all the time. */
import { asSystem, inInstallation, openDatabase } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { auditEvent, manifests, openHouse } from './log.test-support.ts';
import { verifyLog } from './verify-log.ts';

/** Transactions of each of the four writers; a tenth of them is rolled back. */
const WRITES = 300;

const postgresql = databases().find(({ name }) => name === 'PostgreSQL')!;

describe.skipIf(!postgresql.available)('two replicas', () => {
  it('give contiguous places without duplicates and lose nothing', async () => {
    const house = await openHouse(postgresql);
    const second = await openDatabase(house.location, manifests);
    try {
      const logs = [
        { log: house.auditLog, database: house.database },
        { log: await house.replica(second), database: second },
      ];
      const committed: string[] = [];
      const writing = new AbortController();
      const write = async (writer: number): Promise<void> => {
        const { log, database } = logs[writer % 2]!;
        for (let count = 0; count < WRITES; count += 1) {
          const id = `${writer}-${count}`;
          const work = database.transaction(inInstallation, async (transaction) => {
            await log.append(transaction, auditEvent({ object: { type: 'write', id } }));
            if (count % 10 === 9) throw new Error('rolled back');
          });
          await work.then(
            () => committed.push(id),
            () => undefined,
          );
        }
      };
      const batches = [0, 0];
      const sequence = async (replica: number): Promise<void> => {
        while (!writing.signal.aborted) batches[replica]! += (await logs[replica]!.log.sequence()) > 0 ? 1 : 0;
      };
      const sequencing = [sequence(0), sequence(1), sequence(0), sequence(1)];
      await Promise.all([0, 1, 2, 3].map(write));
      writing.abort();
      await Promise.all(sequencing);
      await house.auditLog.sequence();

      const logged = await house.database.transaction(asSystem, async (transaction) => {
        const { rows } = await sql<{ index: number; id: string }>`
          select l.index, e.object_id as id from audit_leaves l join audit_events e using (event_id) order by l.index`.execute(
          transaction,
        );
        return rows;
      });
      expect(committed).toHaveLength(4 * WRITES * 0.9);
      expect(logged.map(({ index }) => index)).toEqual(committed.map((_, index) => index));
      expect(logged.map(({ id }) => id).toSorted()).toEqual(committed.toSorted());
      expect(Math.min(...batches)).toBeGreaterThan(0);
      const keys = await house.auditLog.verifierKeys();
      expect(await verifyLog(house.auditLog.source(), { keys })).toMatchObject({
        ok: true,
        findings: [],
        size: committed.length,
      });
      figure(`two replicas: ${committed.length} events in ${batches[0]! + batches[1]!} batches, contiguous`);
    } finally {
      await second.close();
      await house.close();
    }
  });
});
