import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { newUuid, utf8, type Uuid } from '@strongroom/kernel';
import { asSystem, inInstallation, type Database } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import fc from 'fast-check';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEncryption, type Encryption } from './encryption.ts';
import { EncryptionError } from './errors.ts';
import { fileSlot } from './file-slot.ts';
import { RootKeyring } from './internal/root-keyring.ts';
import { everyReachableSubject, type KeptRows } from './internal/tree/attacker.test-support.ts';
import { FAN_OUT } from './internal/tree/tables.ts';
import { manifest } from './manifest.ts';
import type { Place } from './place.ts';
import type { RootSlot } from './root-slot.ts';

const placeOf = (subject: Uuid): Place => ({ tenant: null, table: 'accounts', column: 'email', row: subject, subject });

/** Empties the tree by putting fresh tables in place of the used ones; the ledger stays, as always. */
async function emptyTree(database: Database): Promise<void> {
  await database.transaction(asSystem, async (transaction) => {
    await sql`delete from subject_keys`.execute(transaction);
    await sql`delete from key_nodes where level = 1`.execute(transaction);
    await sql`delete from key_nodes`.execute(transaction);
    await sql`delete from key_tree`.execute(transaction);
  });
}

async function sealFor(database: Database, encryption: Encryption, subjects: readonly Uuid[]): Promise<Uint8Array[]> {
  return database.transaction(inInstallation, async (transaction) => {
    const keys = await encryption.subjects(transaction, subjects, { create: true });
    return subjects.map((subject) => keys.seal(placeOf(subject), `about ${subject}`));
  });
}

/** For each person: readable, erased, or the code of another error. */
async function reading(
  database: Database,
  encryption: Encryption,
  subjects: readonly Uuid[],
  values: readonly Uint8Array[],
): Promise<string[]> {
  return database.transaction(inInstallation, async (transaction) => {
    const keys = await encryption.subjects(transaction, subjects);
    return subjects.map((subject, index) => {
      try {
        const text = keys.openText(placeOf(subject), values[index]!);
        return text === `about ${subject}` ? 'readable' : 'wrong';
      } catch (error) {
        return error instanceof EncryptionError ? error.code : String(error);
      }
    });
  });
}

const people = (count: number): Uuid[] => Array.from({ length: count }, () => newUuid());
const erased = 'encryption.subject-erased';

/** A slot that fails when told to, in front of a real one. */
function breakable(slot: RootSlot): RootSlot & { fails: 'no' | 'before' | 'after' | 'dead' } {
  const broken = (): Promise<never> => Promise.reject(new EncryptionError('encryption.root-unavailable'));
  return {
    ...slot,
    fails: 'no',
    load() {
      return this.fails === 'dead' ? broken() : slot.load();
    },
    async store(material, replaces) {
      if (this.fails === 'before' || this.fails === 'dead') await broken();
      await slot.store(material, replaces);
      if (this.fails === 'after') await broken();
    },
  };
}

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`the key tree on ${engine.name}`, () => {
    let database: Database;
    let path: string;
    let encryption: Encryption;

    beforeAll(async () => {
      database = await engine.open([manifest]);
    });

    beforeEach(async () => {
      await emptyTree(database);
      path = join(temporaryFolder(), 'root');
      encryption = await createEncryption({ slot: fileSlot(path) });
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
          async (count, rounds) => {
            await emptyTree(database);
            path = join(temporaryFolder(), 'root');
            encryption = await createEncryption({ slot: fileSlot(path) });
            const subjects = people(count);
            const values = await sealFor(database, encryption, subjects);
            const kept = [await keepRows(database)];
            const gone = new Set<Uuid>();
            for (const round of rounds) {
              const batch = round.map((index) => subjects[index % count]!);
              await encryption.keyTree.shred(database, batch);
              for (const subject of batch) gone.add(subject);
              kept.push(await keepRows(database));
            }
            const opened = await openAll(path, kept, subjects, values);
            expect([...opened].filter((subject) => gone.has(subject))).toEqual([]);
            expect(opened.size).toBe(count - gone.size);
          },
        ),
        { numRuns: 10 },
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
        await emptyTree(database);
        path = join(temporaryFolder(), 'root');
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

    it('values about two people stay readable until both are erased', async () => {
      const [one, two, stranger] = people(3);
      const place = { tenant: newUuid(), table: 'messages', column: 'text', row: newUuid() };
      const text = utf8('between us');
      const value = await database.transaction(inInstallation, async (transaction) => {
        const keys = await encryption.subjects(transaction, [one!, two!, stranger!], { create: true });
        const sealed = keys.sealShared([one!, two!], place, 'between us');
        expect(sealed.length).toBe(text.length + 7 + 2 * 92 + 60);
        expect(keys.openShared([two!], place, sealed)).toEqual(text);
        const cannotOpen = expect.objectContaining({ code: 'encryption.cannot-open' });
        expect(() => keys.openShared([stranger!], place, sealed)).toThrow(cannotOpen);
        expect(() => keys.openShared([one!], { ...place, row: newUuid() }, sealed)).toThrow(cannotOpen);
        for (let index = 6; index < sealed.length; index += 1) {
          const changed = Uint8Array.from(sealed);
          changed[index]! ^= 1;
          expect(() => keys.openShared([one!, two!], place, changed), `byte ${index}`).toThrow(cannotOpen);
          expect(() => keys.openShared([one!], place, sealed.subarray(0, index))).toThrow(cannotOpen);
        }
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

    it('may not be thinned out by the serving role, nor the ledger by anyone', async () => {
      if (database.engine === 'pglite') return;
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

    it.skipIf(engine.name === 'PGlite')('gives one key to a person whom several processes meet at once', async () => {
      const subjects = people(40);
      const processes = await Promise.all([1, 2, 3, 4].map(() => createEncryption({ slot: fileSlot(path) })));
      const all = await Promise.all(processes.map((process) => sealFor(database, process, subjects)));
      for (const values of all) {
        expect(new Set(await reading(database, encryption, subjects, values))).toEqual(new Set(['readable']));
      }
    });
  });
}

/** What a backup, a write-ahead log or a replica keeps. */
const keepRows = (database: Database): Promise<KeptRows> =>
  database.transaction(asSystem, async (transaction) => {
    const nodes = await sql<
      KeptRows['nodes'][number]
    >`select id, parent, wrapped, version, level from key_nodes`.execute(transaction);
    const subjects = await sql<KeptRows['subjects'][number]>`
      select subject as id, leaf as parent, wrapped, version from subject_keys`.execute(transaction);
    const tree = await sql<{ version: number }>`select version from key_tree`.execute(transaction);
    return { nodes: nodes.rows, subjects: subjects.rows, version: tree.rows[0]!.version };
  });

/** Puts kept nodes back, as restoring a whole database would. */
async function putRows(database: Database, kept: KeptRows): Promise<void> {
  await database.transaction(asSystem, async (transaction) => {
    for (const { id, wrapped, version } of kept.nodes) {
      await sql`update key_nodes set wrapped = ${wrapped}, version = ${version} where id = ${id}`.execute(transaction);
    }
    await sql`update key_tree set version = ${kept.version}, acknowledged_version = ${kept.version}`.execute(
      transaction,
    );
  });
}

/** Whom somebody can read who has this root file, all these rows in any combination, and all values. */
async function openAll(
  path: string,
  kept: readonly KeptRows[],
  subjects: readonly Uuid[],
  values: readonly Uint8Array[],
): Promise<Set<Uuid>> {
  const stored = await fileSlot(path).load();
  const reachable = everyReachableSubject(RootKeyring.decode(stored!.material), kept);
  const opened = subjects.filter((subject, index) =>
    reachable(subject).some((keys) => {
      try {
        return keys.openText(placeOf(subject), values[index]!) === `about ${subject}`;
      } catch {
        return false;
      }
    }),
  );
  return new Set(opened);
}
