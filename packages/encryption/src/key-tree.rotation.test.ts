import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { keepRows, people, placeOf, putRows, reading, sealFor, treesOn } from './key-tree.test-support.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`rotation of the key tree on ${engine.name}`, () => {
    const freshTree = treesOn(engine);
    let database: Database;
    let path: string;
    let encryption: Encryption;
    beforeEach(async () => {
      ({ database, path, encryption } = await freshTree());
    });

    it('rotates: new values under a new version, old ones readable until it is retired, look-ups the same', async () => {
      const [subject] = people(1);
      const [before] = await sealFor(database, encryption, [subject!]);
      const index = encryption.blindIndex(placeOf(subject!), 'x');
      const steps: string[] = [];
      const report = await encryption.keyTree.rotate(database, { settle: 0, progress: ({ step }) => steps.push(step) });
      expect(report).toMatchObject({ keyVersion: 2, wraps: 1, complete: true });
      expect(steps).toEqual(['prepared', 'replaced', 'moved', 'moved']);
      const [after] = await sealFor(database, encryption, [subject!]);
      expect([before![5], after![5]]).toEqual([1, 2]);
      expect(encryption.blindIndex(placeOf(subject!), 'x')).toEqual(index);
      const fresh = await createEncryption({ slot: fileSlot(path) });
      expect(await reading(database, fresh, [subject!], [before!])).toEqual(['readable']);
      expect(await reading(database, fresh, [subject!], [after!])).toEqual(['readable']);
      await expect(encryption.keyTree.retire(database, 2)).rejects.toMatchObject({ code: 'encryption.key-in-use' });
      await encryption.keyTree.rotate(database, { settle: 0 });
      await encryption.keyTree.retire(database, 2);
      const values = { versions: [{ version: 1 }, { version: 3 }], keyVersion: 3, lookupVersion: 1 };
      expect(await encryption.keyTree.status(database)).toMatchObject(values);
      expect(await reading(database, encryption, [subject!], [after!])).toEqual(['encryption.key-missing']);
    });

    it('tells every process of the present key version in its next transaction', async () => {
      const [subject] = people(1);
      const [value] = await sealFor(database, encryption, [subject!]);
      const other = await createEncryption({ slot: fileSlot(path) });
      await encryption.keyTree.rotate(database, { settle: 0 });
      expect(other.keyVersion).toBe(1);
      const [after] = await sealFor(database, other, [subject!]);
      expect([value![5], after![5]]).toEqual([1, 2]);
      // A copy that is one step behind, with the same tree, is a copy all the same.
      const copy = join(temporaryFolder(), 'root');
      copyFileSync(path, copy);
      const copied = await createEncryption({ slot: fileSlot(copy) });
      await encryption.keyTree.retire(database, 1);
      await expect(sealFor(database, copied, [subject!])).rejects.toMatchObject({ code: 'encryption.root-outdated' });
      expect(await reading(database, other, [subject!], [after!])).toEqual(['readable']);
      expect(await reading(database, other, [subject!], [value!])).toEqual(['encryption.key-missing']);
    });

    it('keeps of the lookup version what look-ups need, and no value opens under it', async () => {
      const [subject] = people(1);
      const [before] = await sealFor(database, encryption, [subject!]);
      const index = encryption.blindIndex(placeOf(subject!), 'x');
      await expect(encryption.keyTree.retire(database, 1)).rejects.toMatchObject({ code: 'encryption.key-in-use' });
      await encryption.keyTree.rotate(database, { settle: 0 });
      await encryption.keyTree.retire(database, 1);
      const fresh = await createEncryption({ slot: fileSlot(path) });
      expect(fresh.blindIndex(placeOf(subject!), 'x')).toEqual(index);
      expect(await reading(database, fresh, [subject!], [before!])).toEqual(['encryption.key-missing']);
      expect((await fresh.keyTree.status(database)).versions).toMatchObject([
        { version: 1, isLookupOnly: true },
        { version: 2, isLookupOnly: false },
      ]);
    });

    it('notices a root and a tree that do not belong together', async () => {
      const [subject] = people(1);
      const copy = join(temporaryFolder(), 'root');
      copyFileSync(path, copy);
      const values = await sealFor(database, encryption, [subject!]);
      const rows = await keepRows(database);
      await encryption.keyTree.rotate(database, { settle: 0 });
      const old = await createEncryption({ slot: fileSlot(copy) });
      await expect(reading(database, old, [subject!], values)).rejects.toMatchObject({
        code: 'encryption.root-outdated',
      });
      for (const work of [
        () => old.keyTree.recover(database),
        () => old.keyTree.shred(database, [subject!]),
        () => old.keyTree.rotate(database),
        () => old.keyTree.retire(database, 1),
      ]) {
        await expect(work()).rejects.toMatchObject({ code: 'encryption.root-outdated' });
      }
      // Nobody else was disturbed by that.
      expect(await reading(database, encryption, [subject!], values)).toEqual(['readable']);
      await putRows(database, rows);
      const present = await createEncryption({ slot: fileSlot(path) });
      await expect(present.keyTree.recover(database)).rejects.toMatchObject({ code: 'encryption.tree-mismatch' });
    });
  });
}
