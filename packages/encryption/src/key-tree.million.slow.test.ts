/** What an erasure costs among 1,000,000 people. */
import { join } from 'node:path';
import { asSystem, inInstallation, type Database } from '@strongroom/storage';
import { figure, needs, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { counted, crowd, memoryOf } from './crowd.test-support.ts';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';

const PEOPLE = 1_000_000;
/** The bound that the tree's shape promises. */
const MOST_WRAPS = 512;
/** What one erasure may need at its peak, beside what the process needs anyway. Megabytes. */
const MOST_MEGABYTES = 64;
const RUNS = 9;
/** People erased at once. */
const BATCH = 100;

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

describe.skipIf(!needs('postgresql'))('erasing among a million people', () => {
  it('costs one replacement of the root and at most 512 wraps, in bounded memory', { timeout: 900_000 }, async () => {
    const engine = databases().find(({ name }) => name === 'PostgreSQL')!;
    const database: Database = await engine.open([manifest]);
    const file = fileSlot(join(temporaryFolder(), 'root'));
    const slot = counted(file);
    const encryption = await createEncryption({ slot });
    const started = performance.now();
    const some = await crowd(database, encryption, PEOPLE, RUNS + BATCH);
    const loading = (performance.now() - started) / 1000;
    const { rows } = await database.transaction(asSystem, (transaction) =>
      sql<{ people: number; branches: number }>`select (select count(*) from subject_keys) as people,
        (select count(*) from key_nodes where level = 2) as branches`.execute(transaction),
    );
    expect(rows).toEqual([{ people: PEOPLE, branches: Math.ceil(PEOPLE / 128 ** 2) }]);

    const loads: number[] = [];
    for (const person of some.slice(0, RUNS)) {
      const cold = await createEncryption({ slot: file, mustExist: true });
      const start = performance.now();
      await database.transaction(inInstallation, (transaction) => cold.subjects(transaction, [person]));
      loads.push(performance.now() - start);
    }

    const times: number[] = [];
    const wraps: number[] = [];
    const growth = await memoryOf(async () => {
      for (const victim of some.slice(0, RUNS)) {
        const stores = slot.stores;
        const start = performance.now();
        const report = await encryption.keyTree.shred(database, [victim]);
        times.push(performance.now() - start);
        wraps.push(report.wraps);
        expect(report).toMatchObject({ shredded: 1, rootOperations: 1, complete: true });
        expect(slot.stores - stores).toBe(1);
      }
    });
    expect(Math.max(...wraps)).toBeLessThanOrEqual(MOST_WRAPS);
    expect(growth).toBeLessThan(MOST_MEGABYTES);
    figure(
      `erasure among ${PEOPLE.toLocaleString('en')} people: 1 root operation, ${Math.max(...wraps)} wraps, median ${median(times).toFixed(0)} ms, ` +
        `at most ${growth.toFixed(0)} MB more memory (filling the tree: ${loading.toFixed(0)} s; a cold person's key: ${median(loads).toFixed(1)} ms)`,
    );

    const batch = some.slice(RUNS, RUNS + BATCH);
    let perPerson = { wraps: Number.NaN, milliseconds: Number.NaN };
    const batchGrowth = await memoryOf(async () => {
      const start = performance.now();
      const report = await encryption.keyTree.shred(database, batch);
      expect(report).toMatchObject({ shredded: BATCH, rootOperations: 1, complete: true });
      perPerson = { wraps: report.wraps / BATCH, milliseconds: (performance.now() - start) / BATCH };
    });
    figure(
      `erasure of ${BATCH} people at once: 1 root operation, ${perPerson.wraps.toFixed(0)} wraps and ` +
        `${perPerson.milliseconds.toFixed(1)} ms each, at most ${batchGrowth.toFixed(0)} MB more memory`,
    );
  });
});
