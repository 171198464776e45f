import { newUuid, utf8 } from '@strongroom/kernel';
import { asSystem, inInstallation, type Database } from '@strongroom/storage';
import { databases, onlyOn } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { FAN_OUT } from './internal/tree/tables.ts';
import { erased, people, placeOf, reading, sealFor, treesOn } from './key-tree.test-support.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`the key tree on ${engine.name}`, () => {
    const freshTree = treesOn(engine);
    let database: Database;
    let path: string;
    let encryption: Encryption;
    beforeEach(async () => {
      ({ database, path, encryption } = await freshTree());
    });

    it('gives each person a key once, which every process with the root finds', async () => {
      const subjects = people(300);
      const values = await sealFor(database, encryption, subjects);
      await sealFor(database, encryption, subjects);
      const other = await createEncryption({ slot: fileSlot(path) });
      expect(new Set(await reading(database, other, subjects, values))).toEqual(new Set(['readable']));
      expect(await encryption.keyTree.status(database)).toMatchObject({
        tree: { version: 1, complete: true, subjects: 300, nodes: Math.ceil(300 / FAN_OUT) + 1 },
        slots: [{ erasure: 'overwritten', acknowledged: true }],
      });
    });

    it('keeps no key of a transaction that was rolled back', async () => {
      const subject = newUuid();
      const attempt = database.transaction(inInstallation, async (transaction) => {
        await encryption.subjects(transaction, [subject], { create: true });
        expect((await encryption.subjects(transaction, [subject])).has(subject)).toBe(true);
        throw new Error('rolled back');
      });
      await expect(attempt).rejects.toThrow('rolled back');
      const first = await sealFor(database, encryption, [subject]);
      const second = await sealFor(database, encryption, [subject]);
      for (const process of [encryption, await createEncryption({ slot: fileSlot(path) })]) {
        for (const values of [first, second]) {
          expect(await reading(database, process, [subject], values)).toEqual(['readable']);
        }
      }
    });

    it('says whether a person was not loaded or is not there', async () => {
      const [known, unknown] = people(2);
      const [value] = await sealFor(database, encryption, [known!]);
      await database.transaction(inInstallation, async (transaction) => {
        const keys = await encryption.subjects(transaction, [unknown!]);
        expect(keys.has(unknown!)).toBe(false);
        expect(() => keys.open(placeOf(known!), value!)).toThrow(
          expect.objectContaining({ code: 'encryption.subject-not-loaded' }),
        );
        expect(() => keys.seal(placeOf(unknown!), 'x')).toThrow(expect.objectContaining({ code: erased }));
        expect(() => encryption.open(placeOf(known!), value!)).toThrow(
          expect.objectContaining({ code: 'encryption.subject-not-loaded' }),
        );
      });
    });

    it.each([
      ['aes-256-gcm', 12 + 16],
      ['xaes-256-gcm', 24 + 16],
      // Version, time, vector, a block of ciphertext and the signature in base64, in place of the plaintext.
      ['fernet', 100 - 'between us'.length],
    ] as const)('values about two people stay readable until both are erased: %s', async (algorithm, longer) => {
      const [one, two, stranger] = people(3);
      const place = { tenant: newUuid(), table: 'messages', column: 'text', row: newUuid() };
      const text = utf8('between us');
      const value = await database.transaction(inInstallation, async (transaction) => {
        const keys = await encryption.subjects(transaction, [one!, two!, stranger!], { create: true });
        const sealed = keys.sealShared([one!, two!], place, 'between us', algorithm);
        expect(sealed.length).toBe(text.length + 7 + 2 * 92 + 32 + longer);
        expect(keys.openShared([two!], place, sealed)).toEqual(text);
        const cannotOpen = expect.objectContaining({ code: 'encryption.cannot-open' });
        expect(() => keys.openShared([stranger!], place, sealed)).toThrow(cannotOpen);
        for (const named of [
          [one!, stranger!],
          [stranger!, two!],
        ])
          expect(() => keys.openShared(named, place, sealed)).toThrow(cannotOpen);
        expect(() => keys.openShared([one!], { ...place, row: newUuid() }, sealed)).toThrow(cannotOpen);
        for (let index = 6; index < sealed.length; index += 1) {
          const changed = Uint8Array.from(sealed);
          changed[index]! ^= 1;
          expect(() => keys.openShared([one!, two!], place, changed), `byte ${index}`).toThrow(cannotOpen);
          expect(() => keys.openShared([one!], place, sealed.subarray(0, index))).toThrow(cannotOpen);
        }
        expect(() => keys.openShared([one!, newUuid()], place, sealed)).toThrow(
          expect.objectContaining({ code: 'encryption.subject-not-loaded' }),
        );
        // Nor under another algorithm's number, nor with a number that is none.
        for (const number of [1, 2, 3].filter((other) => other !== sealed[1])) {
          expect(() => keys.openShared([one!], place, Uint8Array.from(sealed).fill(number, 1, 2))).toThrow(cannotOpen);
        }
        expect(() => keys.openShared([one!], place, Uint8Array.from(sealed).fill(4, 1, 2))).toThrow(
          expect.objectContaining({ code: 'encryption.unknown-version' }),
        );
        return sealed;
      });
      const open = (): Promise<Uint8Array> =>
        database.transaction(inInstallation, async (transaction) =>
          (await encryption.subjects(transaction, [one!, two!])).openShared([one!, two!], place, value),
        );
      await encryption.keyTree.shred(database, [one!]);
      expect(await open()).toEqual(text);
      await encryption.keyTree.shred(database, [two!]);
      await expect(open()).rejects.toMatchObject({ code: erased });
    });

    it.each([
      `update subject_keys as row set wrapped = other.wrapped from subject_keys as other
        where row.subject <> other.subject and other.leaf is not null`,
      'update subject_keys set version = version + 1',
      'update key_nodes set version = version + 1 where level = 1',
      'update key_nodes set version = version + 1 where level = 2',
      'update key_nodes set wrapped = set_byte(wrapped, 92, get_byte(wrapped, 92) # 1) where level = 1',
    ])('opens no key that was moved, exchanged or changed: %s', async (change) => {
      const [one, two] = people(2);
      const values = await sealFor(database, encryption, [one!, two!]);
      await database.transaction(asSystem, (transaction) => sql.raw(change).execute(transaction));
      const fresh = await createEncryption({ slot: fileSlot(path) });
      await expect(reading(database, fresh, [one!], values)).rejects.toMatchObject({ code: 'encryption.tree-damaged' });
    });

    // PGlite has one role, which may do everything.
    onlyOn('PostgreSQL', engine)('may not be thinned out by the serving role, nor the ledger by anyone', async () => {
      const refused = { code: 'storage.query-failed' };
      for (const statement of ['delete from subject_keys', 'delete from key_nodes', 'delete from shredded_subjects']) {
        const attempt = database.transaction(inInstallation, (transaction) => sql.raw(statement).execute(transaction));
        await expect(attempt, statement).rejects.toMatchObject(refused);
      }
      const forget = database.transaction(asSystem, (transaction) =>
        sql`delete from shredded_subjects`.execute(transaction),
      );
      await expect(forget).rejects.toMatchObject(refused);
    });

    onlyOn('PostgreSQL', engine)('gives one key to a person whom several processes meet at once', async () => {
      const subjects = people(40);
      const processes = await Promise.all([1, 2, 3, 4].map(() => createEncryption({ slot: fileSlot(path) })));
      const all = await Promise.all(processes.map((process) => sealFor(database, process, subjects)));
      for (const values of all) {
        expect(new Set(await reading(database, encryption, subjects, values))).toEqual(new Set(['readable']));
      }
    });
  });
}
