/** What a process finds in its slots when it starts: the root of another installation, or what a store that was cut off left. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { RootKeyring } from './internal/root-keyring.ts';
import { SLOT_BYTES } from './internal/root-image.ts';
import { breakable, people, reading, sealFor, treesOn } from './key-tree.test-support.ts';

const mismatch = expect.objectContaining({ code: 'encryption.tree-mismatch' });

/** The file of another installation, whose root was replaced more often; its tree has the number that is asked for. */
async function foreignRoot(treeVersion: number): Promise<string> {
  const path = join(temporaryFolder(), 'foreign');
  let keyring = RootKeyring.create(0);
  while (keyring.treeVersion < treeVersion) keyring = keyring.withNewTreeRoot();
  for (let more = 0; more < 50; more += 1) keyring = keyring.restated();
  await fileSlot(path).store(keyring.encode(), 0);
  return path;
}

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`slots at the start on ${engine.name}`, () => {
    const fresh = treesOn(engine);

    it('with the root of another installation are refused before the right one is overwritten', async () => {
      const { database, path, encryption } = await fresh();
      const subjects = people(3);
      const values = await sealFor(database, encryption, subjects);
      const escrow = join(temporaryFolder(), 'escrow');
      const open = () => createEncryption({ slot: fileSlot(path), furtherSlots: [fileSlot(escrow)], mustExist: true });
      expect(await (await open()).keyTree.recover(database)).toBe(true);
      const [own, held] = [`${path}.own`, readFileSync(escrow)];
      copyFileSync(path, own);
      copyFileSync(await foreignRoot(1), path);
      const misled = await open();
      await expect(misled.keyTree.recover(database)).rejects.toThrow(mismatch);
      await expect(misled.keyTree.shred(database, [subjects[0]!])).rejects.toThrow(mismatch);
      await expect(misled.keyTree.rotate(database, { settle: 0 })).rejects.toThrow(mismatch);
      expect(readFileSync(escrow)).toEqual(held);
      // The right one counts as soon as it is back.
      copyFileSync(own, path);
      const again = await open();
      expect(await again.keyTree.recover(database)).toBe(true);
      expect(await reading(database, again, subjects, values)).toEqual(subjects.map(() => 'readable'));
      figure(`the root of another installation in a slot, on ${engine.name}: refused before anything was stored`);
    });

    it('with a root whose number is the prepared one by chance move no tree', async () => {
      const { database, path, encryption } = await fresh();
      const subjects = people(3);
      const values = await sealFor(database, encryption, subjects);
      const slot = breakable(fileSlot(path));
      const cut = await createEncryption({ slot });
      const progress = () => void (slot.fails = 'dead');
      await expect(cut.keyTree.shred(database, [subjects[0]!], { progress })).rejects.toThrow('root key');
      const own = `${path}.own`;
      copyFileSync(path, own);
      copyFileSync(await foreignRoot(2), path);
      const misled = await createEncryption({ slot: fileSlot(path) });
      await expect(misled.keyTree.recover(database)).rejects.toThrow(mismatch);
      copyFileSync(own, path);
      const again = await createEncryption({ slot: fileSlot(path) });
      expect(await again.keyTree.recover(database)).toBe(true);
      expect(await reading(database, again, subjects, values)).toEqual(subjects.map(() => 'readable'));
    });

    it('that a store left with two keyrings, cut off in the middle, lose the former one', async () => {
      const { database, path, encryption } = await fresh();
      await sealFor(database, encryption, people(1));
      const former = readFileSync(path);
      const { material, generation } = (await fileSlot(path).load())!;
      await fileSlot(path).store(RootKeyring.decode(material).restated().encode(), generation);
      const image = readFileSync(path);
      const halves = (): boolean[] =>
        [readFileSync(path).subarray(0, SLOT_BYTES), readFileSync(path).subarray(SLOT_BYTES)].map((half) =>
          half.some((byte) => byte !== 0),
        );
      // Each half is zeros in one of the two.
      writeFileSync(path, Buffer.from(image.map((byte, index) => byte | former[index]!)));
      expect(halves()).toEqual([true, true]);
      const next = await createEncryption({ slot: fileSlot(path) });
      expect(await next.keyTree.recover(database)).toBe(true);
      expect(halves().filter(Boolean)).toHaveLength(1);
      const { revision } = await next.keyTree.status(database);
      expect(await next.keyTree.recover(database)).toBe(true);
      expect((await next.keyTree.status(database)).revision).toBe(revision);
    });
  });
}
