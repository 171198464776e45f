/** What is done between preparing a root and storing it may take its time: the lease is kept meanwhile, and a lost one is noticed. */
import { join } from 'node:path';
import { newUuid } from '@strongroom/kernel';
import { asSystem, inInstallation, type Database } from '@strongroom/storage';
import { needs, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';

const engine = databases().find(({ name }) => name === 'PostgreSQL')!;
const run = (database: Database, query: ReturnType<typeof sql<{ until: Date }>>) =>
  database.transaction(asSystem, async (transaction) => (await query.execute(transaction)).rows[0]);
const leaseEnd = async (database: Database): Promise<number> =>
  (await run(database, sql`select lease_until as until from key_tree`))!.until.getTime();

describe.skipIf(!needs('postgresql'))('an erasure that is held up by a copy of the keys', () => {
  it('keeps its lease, and gives up when it was lost all the same', async () => {
    const database = await engine.open([manifest]);
    let held: () => Promise<void> = () => Promise.resolve();
    const encryption = await createEncryption({
      slot: fileSlot(join(temporaryFolder(), 'root')),
      beforeReplacing: () => held(),
    });
    const [first, second] = [newUuid(), newUuid()];
    await database.transaction(inInstallation, (transaction) =>
      encryption.subjects(transaction, [first, second], { create: true }),
    );
    held = async () => {
      const before = await leaseEnd(database);
      await expect.poll(() => leaseEnd(database), { timeout: 60_000, interval: 200 }).toBeGreaterThan(before);
    };
    expect(await encryption.keyTree.shred(database, [first])).toMatchObject({ shredded: 1, complete: true });

    held = async () => {
      // Another server took over, because this one did not answer for too long.
      await run(
        database,
        sql`update key_tree set holder = ${newUuid()}, lease_until = now() + interval '1 hour' returning lease_until as until`,
      );
    };
    await expect(encryption.keyTree.shred(database, [second])).rejects.toThrow(
      expect.objectContaining({ code: 'encryption.shred-running' }),
    );
    const keys = await database.transaction(inInstallation, (transaction) =>
      encryption.subjects(transaction, [first, second]),
    );
    expect([keys.has(first), keys.has(second)]).toEqual([false, true]);
  });
});
