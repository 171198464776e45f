/** What a copy of the keys opens beneath, while one root takes the place of another. */
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity } from '@strongroom/backup';
import { fileSlot, type RootSlot } from '@strongroom/encryption';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { backUp, fill, manifests, newFolder, openHouse, restored } from './key-copies.test-support.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`a copy of the keys on ${engine.name}`, () => {
    it('opens beneath both roots until every slot has the next one, and then beneath that alone', async () => {
      const who = await generateIdentity('x25519');
      const database = await engine.open(manifests);
      const root = join(temporaryFolder(), 'root');
      const folder = newFolder('copies');
      const file = fileSlot(root);
      let onStore = (): void => undefined;
      const slot: RootSlot = {
        ...file,
        store: async (material, replaces) => {
          onStore();
          await file.store(material, replaces);
        },
      };
      const house = await openHouse(database, slot, { folders: [folder], recipients: [who.recipient] });
      const shred = (subject: Parameters<typeof house.encryption.keyTree.shred>[1][number]) =>
        house.keyCopies.around(undefined, () => house.encryption.keyTree.shred(database, [subject]));
      const people = await fill(house, 4);
      const backup = join(temporaryFolder(), 'whole.age');
      await backUp(database, backup, who.recipient);
      const restore = async (from: { root: string; copies?: string }) =>
        restored(await engine.fresh(), { backup, identity: who.identity, ...from });

      const former = join(temporaryFolder(), 'root');
      const between = newFolder('between');
      onStore = () => {
        copyFileSync(root, former);
        copyFileSync(join(folder, 'keys-1-2.age'), join(between, 'keys-1-2.age'));
      };
      await shred(people[3]!);
      expect(await restore({ root: former, copies: between })).toEqual(people);
      expect(await restore({ root, copies: between })).toEqual(people.slice(0, 3));
      expect(readdirSync(folder)).toEqual(['keys-2.age']);
      expect(await restore({ root, copies: folder })).toEqual(people.slice(0, 3));
      await expect(restore({ root })).rejects.toThrow(code('encryption.tree-mismatch'));
      // The copy that stays opens nothing for whoever kept the former root.
      await expect(restore({ root: former, copies: folder })).rejects.toThrow(code('encryption.tree-mismatch'));
      // A former root and a backup of its time are what brings the erased back, and the reason why nobody may keep the two.
      expect(await restore({ root: former })).toEqual(people);

      // An attempt that was given up prepared another root of the same number.
      const givenUp = newFolder('given-up');
      onStore = () => {
        copyFileSync(join(folder, 'keys-2-3.age'), join(givenUp, 'keys-2-3.age'));
        throw new Error('the disk is gone');
      };
      await expect(shred(people[2]!)).rejects.toThrow('the disk is gone');
      expect(await restore({ root, copies: givenUp })).toEqual(people.slice(0, 3));
      onStore = () => undefined;
      expect(await shred(people[2]!)).toMatchObject({ complete: true });
      await expect(restore({ root, copies: givenUp })).rejects.toThrow(code('encryption.tree-mismatch'));
      expect(await restore({ root, copies: folder })).toEqual(people.slice(0, 2));
    });
  });
}
