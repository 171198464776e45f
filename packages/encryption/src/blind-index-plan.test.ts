import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { newUuid } from '@strongroom/kernel';
import { asSystem } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { planBlindIndex } from './blind-index-plan.ts';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { leakageOf, type Counts } from './internal/index-plan/leakage.ts';
import { manifest } from './manifest.ts';
import { addNote, encryptedTables, testRoom } from './rotation.test-support.ts';

const counts = (...numbers: readonly number[]): Counts =>
  new Map(numbers.map((number, index) => [`v${index}`, number]));

describe('the leakage of a blind index', () => {
  it('is what can be worked out by hand', () => {
    const leakage = leakageOf([counts(6, 2, 1, 1)], [1], undefined);
    expect(leakage).toMatchObject({ distinct: 4, mostFrequent: 0.6, single: 0.5 });
    // Two ranks are certain, of the last two values one row is guessed right on average.
    expect(leakage.recoveredByFrequency).toBeCloseTo(0.9);
    const [oneBit, full] = leakage.widths;
    expect(oneBit!.falsePositives).toBeCloseTo((6 * 4 + 2 * 8 + 1 * 9 + 1 * 9) / 10 / 2);
    expect(oneBit!.alone).toBeCloseTo(1 / 8);
    expect(oneBit!.guessed).toBeCloseTo((6 + 2 / 2 + 1 / 4 + 1 / 8) / 10);
    expect(full).toMatchObject({ bits: 256, alone: 1, guessed: 1 });
    expect(full!.falsePositives).toBeLessThan(1e-70);
  });

  it('is nothing but the number of rows where every value is different, and everything where one is in each row', () => {
    expect(leakageOf([counts(...Array.from({ length: 1000 }, () => 1))], [], undefined)).toMatchObject({
      mostFrequent: 0.001,
      recoveredByFrequency: expect.closeTo(0.001),
      single: 1,
    });
    expect(leakageOf([counts(1000)], [], undefined)).toMatchObject({ mostFrequent: 1, recoveredByFrequency: 1 });
    expect(leakageOf([], [8], undefined)).toMatchObject({ distinct: 0, recoveredByFrequency: 0 });
  });

  it('depends on what the attacker knows', () => {
    const here = new Map([
      ['a', 5],
      ['b', 3],
      ['c', 2],
    ]);
    const right = leakageOf(
      [here],
      [],
      new Map([
        ['a', 0.6],
        ['b', 0.3],
        ['c', 0.1],
      ]),
    );
    const swapped = leakageOf(
      [here],
      [],
      new Map([
        ['a', 0.3],
        ['b', 0.6],
        ['c', 0.1],
      ]),
    );
    const nothing = leakageOf([here], [], new Map([['x', 1]]));
    expect([right, swapped, nothing].map((one) => one.recoveredByFrequency)).toEqual([1, 0.2, 0]);
  });

  it('is what an attacker finds who really matches indexes', () => {
    const here = counts(40, 25, 25, 10, 5, 5, 5, 1, 1, 1);
    const rows = [...here].flatMap(([name, count]) => Array.from({ length: count }, () => name));
    const [bits, rounds] = [3, 250];
    const expected = leakageOf([here], [bits], undefined);
    let [matched, guessed, extra] = [0, 0, 0];
    for (let round = 0; round < rounds; round += 1) {
      const key = randomBytes(32);
      const index = new Map([...here.keys()].map((name) => [name, createHmac('sha256', key).update(name).digest()]));
      // Index values of one frequency come in the order of their bytes, which is random.
      const ranked = [...here].toSorted(
        ([one, often], [other, oftenOther]) => oftenOther - often || Buffer.compare(index.get(one)!, index.get(other)!),
      );
      for (const [rank, [name]] of [...here].entries()) if (ranked[rank]![0] === name) matched += here.get(name)!;
      const bucket = (name: string): number => index.get(name)![0]! >> (8 - bits);
      const best = new Map<number, string>();
      for (const name of here.keys()) if (!best.has(bucket(name))) best.set(bucket(name), name);
      guessed += rows.filter((name) => best.get(bucket(name)) === name).length;
      for (const name of rows) extra += rows.filter((other) => other !== name && bucket(other) === bucket(name)).length;
    }
    const average = (total: number): number => total / rounds / rows.length;
    expect(average(matched)).toBeCloseTo(expected.recoveredByFrequency, 1);
    expect(average(guessed)).toBeCloseTo(expected.widths[0]!.guessed, 1);
    expect(average(extra) / expected.widths[0]!.falsePositives).toBeCloseTo(1, 0);
  });
});

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`the plan on ${engine.name}`, () => {
    it('reads the column, tenant by tenant, and refuses what is none', async () => {
      const database = await engine.open([manifest, testRoom]);
      const encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
      const [author, reader, gone] = [newUuid(), newUuid(), newUuid()];
      await database.transaction(asSystem, async (transaction) => {
        for (const tenant of [newUuid(), newUuid()]) {
          for (const text of ['yes', ' yes', 'no'])
            await addNote(encryption, transaction, { tenant, author, reader, text });
          await addNote(encryption, transaction, { tenant, author: gone, reader, text: 'maybe' });
        }
      });
      await encryption.keyTree.shred(database, [gone]);
      const target = { database, encryption, tables: encryptedTables, table: 'notes', column: 'text' };
      const plan = await planBlindIndex(target, {
        known: new Map([
          ['yes', 2],
          ['no', 1],
        ]),
      });
      expect(plan).toMatchObject({ rows: 6, unreadable: 2, distinct: 4, single: 0.5, recoveredByFrequency: 1 });
      expect(plan.mostFrequent).toBeCloseTo(4 / 6);
      expect(plan.widths.map(({ bits }) => bits)).toEqual([8, 16, 24, 32, 256]);
      expect(await planBlindIndex({ ...target, column: 'between' })).toMatchObject({ rows: 8, unreadable: 0 });
      await expect(planBlindIndex({ ...target, column: 'author' })).rejects.toMatchObject({
        code: 'encryption.column-not-encrypted',
      });
      await expect(planBlindIndex(target, { widths: [0] })).rejects.toThrow(TypeError);
    });
  });
}
