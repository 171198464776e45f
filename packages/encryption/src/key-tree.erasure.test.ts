/** That erased people stay erased, whatever somebody kept and whichever slot failed. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { asSystem, type Database } from '@strongroom/storage';
import { rounds, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEncryption, type Encryption } from './encryption.ts';
import { EncryptionError } from './errors.ts';
import { fileSlot } from './file-slot.ts';
import { breakable, erased, keepRows, openAll, people, reading, sealFor, treesOn } from './key-tree.test-support.ts';
import type { RootSlot } from './root-slot.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`erasure in the key tree on ${engine.name}`, () => {
    const freshTree = treesOn(engine);
    let database: Database;
    let path: string;
    let encryption: Encryption;
    beforeEach(async () => {
      ({ database, path, encryption } = await freshTree());
    });

    it('erases exactly the given people, at once for every process, and for good', async () => {
      const subjects = people(400);
      const values = await sealFor(database, encryption, subjects);
      const other = await createEncryption({ slot: fileSlot(path) });
      await reading(database, other, subjects, values);
      const gone = [subjects[3]!, subjects[200]!, subjects[201]!];
      const report = await encryption.keyTree.shred(database, gone);
      expect(report).toMatchObject({ shredded: 3, already: 0, rootOperations: 1, complete: true, erased: true });
      const wanted = subjects.map((subject) => (gone.includes(subject) ? erased : 'readable'));
      for (const process of [encryption, other, await createEncryption({ slot: fileSlot(path) })]) {
        expect(await reading(database, process, subjects, values)).toEqual(wanted);
      }
      await expect(sealFor(database, encryption, [gone[0]!])).rejects.toMatchObject({ code: erased });
      expect(await encryption.keyTree.shred(database, gone)).toMatchObject({
        shredded: 0,
        already: 3,
        rootOperations: 0,
        complete: true,
      });
      // And new people find room.
      const later = people(5);
      expect(await reading(database, encryption, later, await sealFor(database, encryption, later))).toEqual(
        later.map(() => 'readable'),
      );
    });

    it('leaves nothing of the erased to whoever kept every old row and value, and everything of the others', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 200 }),
          fc.array(fc.array(fc.nat(199), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 }),
          async (count, batches) => {
            ({ path, encryption } = await freshTree());
            const subjects = people(count);
            const values = await sealFor(database, encryption, subjects);
            const kept = [await keepRows(database)];
            const gone = new Set<Uuid>();
            for (const one of batches) {
              const batch = one.map((index) => subjects[index % count]!);
              await encryption.keyTree.shred(database, batch);
              for (const subject of batch) gone.add(subject);
              kept.push(await keepRows(database));
            }
            const opened = await openAll(path, kept, subjects, values);
            expect([...opened].filter((subject) => gone.has(subject))).toEqual([]);
            expect(opened.size).toBe(count - gone.size);
          },
        ),
        { numRuns: rounds(4, 10) },
      );
    });

    it('would be readable with a copy of the overwritten root: the search above can find something', async () => {
      const subjects = people(3);
      const values = await sealFor(database, encryption, subjects);
      const kept = await keepRows(database);
      const copy = join(temporaryFolder(), 'root');
      copyFileSync(path, copy);
      await encryption.keyTree.shred(database, subjects.slice(0, 1));
      expect(await openAll(copy, [kept], subjects, values)).toEqual(new Set(subjects));
      expect(await openAll(path, [kept], subjects, values)).toEqual(new Set());
      const after = [kept, await keepRows(database)];
      expect(await openAll(path, after, subjects, values)).toEqual(new Set(subjects.slice(1)));
    });

    it('keeps people out who never had a key, without touching the root', async () => {
      const [stranger] = people(1);
      expect(await encryption.keyTree.shred(database, [stranger!])).toMatchObject({ shredded: 1, rootOperations: 0 });
      await expect(sealFor(database, encryption, [stranger!])).rejects.toMatchObject({ code: erased });
      await database.transaction(asSystem, async (transaction) => {
        expect(await encryption.keyTree.shreddedOf(transaction, [stranger!, newUuid()])).toEqual(new Set([stranger]));
      });
    });

    it('takes new people in while the root is being replaced', async () => {
      const [first] = people(1);
      await sealFor(database, encryption, [first!]);
      const newcomers = people(3);
      let values: Uint8Array[] = [];
      const slot = fileSlot(path);
      const slow = await createEncryption({
        slot: {
          ...slot,
          load: () => slot.load(),
          async store(material, replaces) {
            values = await sealFor(database, encryption, newcomers);
            await slot.store(material, replaces);
          },
        },
      });
      expect(await slow.keyTree.shred(database, [first!])).toMatchObject({ complete: true });
      expect(values).toHaveLength(3);
      for (const process of [encryption, slow, await createEncryption({ slot: fileSlot(path) })]) {
        expect(await reading(database, process, newcomers, values)).toEqual(['readable', 'readable', 'readable']);
      }
    });

    it('is as before when the slot refuses, and erased when the slot took it and failed afterwards', async () => {
      const slot = breakable(fileSlot(path));
      encryption = await createEncryption({ slot });
      const subjects = people(2);
      const values = await sealFor(database, encryption, subjects);
      slot.fails = 'before';
      await expect(encryption.keyTree.shred(database, [subjects[0]!])).rejects.toMatchObject({
        code: 'encryption.root-unavailable',
      });
      slot.fails = 'no';
      expect(await reading(database, encryption, subjects, values)).toEqual(['readable', 'readable']);
      slot.fails = 'after';
      const report = await encryption.keyTree.shred(database, [subjects[0]!]);
      expect(report).toMatchObject({ complete: false, slots: [{ failure: 'encryption.root-unavailable' }] });
      expect(await reading(database, encryption, subjects, values)).toEqual([erased, 'readable']);
      expect((await encryption.keyTree.status(database)).tree.complete).toBe(false);
      slot.fails = 'no';
      expect(await encryption.keyTree.recover(database)).toBe(true);
      expect((await encryption.keyTree.status(database)).tree.complete).toBe(true);
    });

    it('waits for recovery when nobody can tell what the slot holds', async () => {
      for (const arrived of [false, true]) {
        ({ path } = await freshTree());
        const real = fileSlot(path);
        let dead = false;
        const slot: RootSlot = {
          ...real,
          load: () => (dead ? Promise.reject(new EncryptionError('encryption.root-unavailable')) : real.load()),
          async store(material, replaces) {
            if (replaces > 0) dead = true;
            if (arrived || replaces === 0) await real.store(material, replaces);
            if (dead) throw new EncryptionError('encryption.root-unavailable');
          },
        };
        encryption = await createEncryption({ slot });
        const subjects = people(2);
        const values = await sealFor(database, encryption, subjects);
        await expect(encryption.keyTree.shred(database, [subjects[0]!])).rejects.toMatchObject({
          code: 'encryption.root-unavailable',
        });
        // Until then everyone goes on.
        expect(await reading(database, encryption, subjects, values)).toEqual(['readable', 'readable']);
        const after = await createEncryption({ slot: fileSlot(path) });
        expect(await after.keyTree.recover(database)).toBe(true);
        expect(await reading(database, after, subjects, values)).toEqual([arrived ? erased : 'readable', 'readable']);
      }
    });

    it('is complete only when every slot has acknowledged, and writes the one that was away as soon as it is back', async () => {
      const escrow = breakable(fileSlot(join(temporaryFolder(), 'escrow')));
      const slots = { slot: fileSlot(path), furtherSlots: [escrow] };
      encryption = await createEncryption(slots);
      expect(await encryption.keyTree.recover(database)).toBe(true);
      const subjects = people(2);
      const values = await sealFor(database, encryption, subjects);
      await encryption.keyTree.rotate(database, { settle: 0 });
      escrow.fails = 'dead';
      const report = await encryption.keyTree.shred(database, [subjects[0]!]);
      expect(report.complete).toBe(false);
      expect(report.slots.map(({ acknowledged }) => acknowledged)).toEqual([true, false]);
      expect(await encryption.keyTree.recover(database)).toBe(false);
      escrow.fails = 'no';
      expect(await encryption.keyTree.recover(database)).toBe(true);
      expect((await encryption.keyTree.status(database)).tree.complete).toBe(true);
      // The escrow alone is enough now.
      const saved = await createEncryption({ slot: escrow });
      expect(await reading(database, saved, subjects, values)).toEqual([erased, 'readable']);
    });
  });
}
