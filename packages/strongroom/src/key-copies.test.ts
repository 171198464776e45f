import { copyFileSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, type GeneratedIdentity } from '@strongroom/backup';
import { type RootSlot, fileSlot } from '@strongroom/encryption';
import { asSystem } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeName, copyName, look, newestCopy } from './key-copy-folder.ts';
import { KEY_COPIES, KEY_COPY_RECIPIENTS, keyCopyPlaces } from './key-copies.ts';
import {
  backUp,
  fill,
  type House,
  manifests,
  newFolder,
  openHouse,
  readable,
  restored,
} from './key-copies.test-support.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
let who: GeneratedIdentity;
beforeAll(async () => {
  who = await generateIdentity('x25519');
});

describe('places for copies of the keys', () => {
  const data = temporaryFolder();
  const places = (folders?: string, recipients?: string) =>
    keyCopyPlaces(data, { [KEY_COPIES]: folders, [KEY_COPY_RECIPIENTS]: recipients });

  it('are folders and recipients that the environment names', async () => {
    expect(await places()).toEqual({ folders: [], recipients: [] });
    expect(await places(' ', who.recipient)).toEqual({ folders: [], recipients: [] });
    expect(await places(' /a  b /a', who.recipient)).toEqual({
      folders: ['/a', join(data, 'b')],
      recipients: [who.recipient],
    });
    writeFileSync(join(data, 'recipients'), `# mine\n${who.recipient}\n`);
    expect((await places('/a', 'recipients')).recipients).toEqual([who.recipient]);
  });

  it('are refused without anybody who could open them', async () => {
    await expect(places('/a')).rejects.toThrow(code('strongroom.key-copies'));
    await expect(places('/a', 'no-such-file')).rejects.toThrow(code('strongroom.key-copies'));
    await expect(places('/a', 'age1nobody')).rejects.toThrow(code('backup.invalid-recipient'));
  });

  it('hold one copy that counts, whatever else lies there', async () => {
    const folder = newFolder('copies');
    expect(await newestCopy(folder)).toBeUndefined();
    for (const name of ['keys-9.age', 'keys-10.age', 'keys-9-10.age', 'keys-.age', 'notes.txt', 'keys-11.age.bak'])
      writeFileSync(join(folder, name), '');
    expect(await newestCopy(folder)).toBe(join(folder, copyName(10)));
    writeFileSync(join(folder, changeName(10, 11)), '');
    expect(await newestCopy(folder)).toBe(join(folder, changeName(10, 11)));
    expect(await look(folder, 10)).toEqual({
      isPresent: true,
      outdated: [join(folder, 'keys-9-10.age'), join(folder, 'keys-9.age')],
    });
    await expect(newestCopy(join(folder, 'missing'))).rejects.toThrow(code('ENOENT'));
  });
});

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`copies of the keys on ${engine.name}`, () => {
    let house: House;
    let folders: readonly [string, string];
    let root: string;
    let backup: string;
    /** What happens when a slot is stored; the slot is a file. */
    let onStore: () => void;

    beforeEach(async () => {
      const database = await engine.open(manifests);
      root = join(temporaryFolder(), 'root');
      folders = [newFolder('one'), newFolder('other')];
      onStore = () => undefined;
      const file = fileSlot(root);
      const slot: RootSlot = {
        ...file,
        store: async (material, replaces) => {
          onStore();
          await file.store(material, replaces);
        },
      };
      house = await openHouse(database, slot, { folders, recipients: [who.recipient] });
    });
    const listed = () => folders.map((folder) => readdirSync(folder).toSorted());
    const shred = (...subjects: Parameters<House['encryption']['keyTree']['shred']>[1]) =>
      house.keyCopies.around(undefined, () => house.encryption.keyTree.shred(house.database, subjects));
    const states = async () => (await house.keyCopies.states()).map(({ state }) => state);
    const restore = (more: { root?: string; copies?: string } = {}) =>
      engine.fresh().then((location) => restored(location, { backup, root, identity: who.identity, ...more }));

    it('are replaced by every erasure, and restore everybody else from an older backup', async () => {
      expect(await states()).toEqual(['present', 'present']);
      const people = await fill(house, 5);
      expect(await states()).toEqual(['behind', 'behind']);
      await house.keyCopies.settle();
      expect(listed()).toEqual([['keys-1.age'], ['keys-1.age']]);
      backup = join(temporaryFolder(), 'whole.age');
      await backUp(house.database, backup, who.recipient);
      const formerCopies = newFolder('former');
      copyFileSync(join(folders[0], 'keys-1.age'), join(formerCopies, 'keys-1.age'));

      const during: string[][][] = [];
      onStore = () => during.push(listed());
      expect(await shred(people[0]!)).toMatchObject({ shredded: 1, complete: true });
      // Before the slot is stored, there is one that opens beneath either root.
      expect(during).toEqual([
        [
          ['keys-1-2.age', 'keys-1.age'],
          ['keys-1-2.age', 'keys-1.age'],
        ],
      ]);
      expect(listed()).toEqual([['keys-2.age'], ['keys-2.age']]);
      expect(await states()).toEqual(['present', 'present']);
      expect(house.recorded.length).toBeGreaterThan(2);

      await expect(restore({ copies: formerCopies })).rejects.toThrow(code('backup.older-keys'));
      expect(await restore({ copies: folders[1] })).toEqual(people.slice(1));
    });

    it('are waited for: without any place nobody is erased, and one place is enough', async () => {
      const people = await fill(house, 3);
      await house.keyCopies.settle();
      for (const folder of folders) rmSync(folder, { recursive: true });
      await expect(shred(people[0]!)).rejects.toThrow(code('strongroom.no-key-copy'));
      const read = () => house.database.transaction(asSystem, (transaction) => readable(transaction, house.encryption));
      expect(await read()).toEqual(people);
      expect(await house.keyCopies.states()).toEqual(
        folders.map((folder) => ({ folder, state: 'unavailable', failure: 'ENOENT' })),
      );
      // A folder that is gone is never made: it may be a disk that is not mounted.
      mkdirSync(folders[0]);
      expect(await shred(people[0]!)).toMatchObject({ complete: true });
      expect(await states()).toEqual(['present', 'unavailable']);
      mkdirSync(folders[1]);
      expect(await states()).toEqual(['present', 'behind']);
      writeFileSync(join(folders[1], 'keys-1.age'), 'from before');
      writeFileSync(join(folders[1], 'photo.age'), 'of somebody');
      const given = join(folders[1], '.keys-1.age.0011223344556677.partial');
      writeFileSync(given, '');
      utimesSync(given, 0, 0);
      await house.keyCopies.settle();
      expect(listed()).toEqual([['keys-2.age'], ['keys-2.age', 'photo.age']]);
      expect(await read()).toEqual(people.slice(1));
    });

    it('go into a file that is asked for once, which is gone when nothing came of it', async () => {
      const people = await fill(house, 3);
      const { keyTree } = house.encryption;
      const once = (path: string) => ({ path, recipients: [who.recipient] });
      const path = join(temporaryFolder(), 'keys.age');
      onStore = () => {
        throw new Error('the disk is gone');
      };
      const attempt = () => house.keyCopies.around(once(path), () => keyTree.shred(house.database, [people[0]!]));
      await expect(attempt()).rejects.toThrow('the disk is gone');
      expect(readdirSync(join(path, '..'))).toEqual([]);
      onStore = () => undefined;
      expect(await attempt()).toMatchObject({ shredded: 1 });
      await expect(attempt()).rejects.toThrow(code('backup.file-exists'));
      // Nothing is left to erase, and the copy is made all the same.
      const second = join(temporaryFolder(), 'keys.age');
      await house.keyCopies.around(once(second), () => keyTree.shred(house.database, [people[0]!]));
      backup = join(temporaryFolder(), 'whole.age');
      await backUp(house.database, backup, who.recipient);
      await keyTree.shred(house.database, [people[1]!]);
      await expect(restore({ copies: second })).rejects.toThrow(code('backup.older-keys'));
      const nowhere = once(join(temporaryFolder(), 'no', 'folder'));
      const refused = house.keyCopies.around(nowhere, () => keyTree.shred(house.database, [people[2]!]));
      await expect(refused).rejects.toThrow(code('backup.file-unwritable'));
      const left = await house.database.transaction(asSystem, (transaction) => readable(transaction, house.encryption));
      expect(left).toEqual(people.slice(2));
    });
  });
}
