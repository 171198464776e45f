/**
 * Somebody who may write whatever they like into the database, without the root key, against a program that reads it. Each class of attack succeeds
 * against the weakened build, so that it is a real one, and none against this package. What nobody can prevent with a
 * whole row put back as it once was is found by the audit log; see docs/design/encryption.md.
 */
import { inspect } from 'node:util';
import { newUuid, toHex } from '@strongroom/kernel';
import { openDatabase, type Database } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases, type Owner, ownerOf } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { algorithms, type Algorithm } from './algorithms.ts';
import { EncryptionError } from './errors.ts';
import {
  type Build,
  manifests,
  newPlace,
  type Place,
  type RecordOf,
  strongBuild,
  TABLES,
  weakBuild,
} from './attack-storage.builds.test-support.ts';

const KEPT = [...TABLES, 'weak_keys', 'key_tree', 'key_nodes', 'subject_keys', 'shredded_subjects'];

interface Scene {
  readonly build: Build;
  readonly owner: Owner;
  /** Whose record the attacker wants to change or to read. */
  readonly victim: Place & RecordOf;
  /** The victim's second record, in the same table. */
  readonly second: Place & RecordOf;
  readonly other: Place & RecordOf;
  /** The victim's record in the other table and in another tenant. */
  readonly elsewhere: Place & RecordOf;
  readonly abroad: Place & RecordOf;
}

/** True when the attacker got what they wanted. Whatever is refused throws. */
type Attack = (scene: Scene) => Promise<boolean>;

const at = ({ table, id }: Place): string => `${table} where id = '${id}'`;
const set = ({ table, id }: Place, change: string): string => `update ${table} set ${change} where id = '${id}'`;
const hex = (bytes: Uint8Array): string => `'\\x${toHex(bytes)}'::bytea`;

/** Whether the program takes the victim's record for something else than what it wrote. */
async function misled({ build, victim }: Scene): Promise<boolean> {
  const { email, note, person } = await build.read(victim);
  return email !== victim.email || note !== victim.note || person !== victim.person;
}

/** For attacks with several attempts: one that is refused is no success. */
function refused(error: unknown): false {
  expect(error).toBeInstanceOf(Error);
  return false;
}

async function value({ owner }: Scene, place: Place, column: 'email' | 'note' | 'email_index'): Promise<Uint8Array> {
  const [row] = await owner.run<{ found: string }>(`select encode(${column}, 'hex') as found from ${at(place)}`);
  return Buffer.from(row!.found, 'hex');
}

const attacks: Readonly<Record<string, Attack>> = {
  'a value in another row': async (scene) => {
    await scene.owner.run(set(scene.victim, `note = (select note from ${at(scene.second)})`));
    return misled(scene);
  },
  'a value in another column': async (scene) => {
    await scene.owner.run(set(scene.victim, 'note = email'));
    return misled(scene);
  },
  'a value in another table': async (scene) => {
    await scene.owner.run(set(scene.victim, `note = (select note from ${at(scene.elsewhere)})`));
    return misled(scene);
  },
  'a value in another tenant': async (scene) => {
    await scene.owner.run(set(scene.victim, `note = (select note from ${at(scene.abroad)})`));
    return misled(scene);
  },
  'a whole row in another tenant': async ({ build, owner, victim, abroad }) => {
    // The insider reads there what they may not read here.
    await owner.run(set(victim, `tenant_id = '${abroad.tenant}'`));
    const read = await build.read({ ...victim, tenant: abroad.tenant });
    return read.note === victim.note;
  },
  'a copy of a row under another name': async ({ build, owner, victim }) => {
    const id = newUuid();
    await owner.run(
      `insert into ${victim.table} select tenant_id, '${id}', revision, person, email, email_index, note from ${at(victim)}`,
    );
    return (await build.read({ ...victim, id })).note === victim.note;
  },
  'a value of another revision': async (scene) => {
    const old = await value(scene, scene.victim, 'note');
    const { email, person } = scene.victim;
    await scene.build.write(scene.victim, { email, person, note: 'allergic to penicillin' }, 2);
    await scene.owner.run(set(scene.victim, `note = ${hex(old)}`));
    return (await scene.build.read(scene.victim)).note === scene.victim.note;
  },
  'a value under another key version': async (scene) => {
    await scene.build.rotate();
    const old = await value(scene, scene.victim, 'note');
    // The version stands at the end of the weakened build's header, and of this package's number of four bytes.
    const position = scene.build.algorithm === undefined ? 1 : 5;
    old[position] = 2;
    await scene.owner.run(set(scene.victim, `note = ${hex(old)}`));
    return (await scene.build.read(scene.victim)).note === scene.victim.note;
  },
  'a plaintext in place of a value': async (scene) => {
    await scene.owner.run(set(scene.victim, `note = ${hex(scene.build.plaintext('nothing to see'))}`));
    return misled(scene);
  },
  'another algorithm': async (scene) => {
    const { algorithm } = scene.build;
    const note = await value(scene, scene.victim, 'note');
    const others = Object.values(algorithms).filter((number) => number !== note[1]);
    // The weakened build: AES-CTR over what GCM encrypted, its tag left out, the first letter changed.
    const passedOff =
      algorithm === undefined
        ? [Buffer.concat([Uint8Array.of(2, note[1]!), note.subarray(2, 14), note.subarray(30)])]
        : [0, 4, ...others].map((number) => Buffer.concat([Uint8Array.of(note[0]!, number), note.subarray(2)]));
    for (const downgraded of passedOff) {
      downgraded[downgraded.length - 1]! ^= 1;
      await scene.owner.run(set(scene.victim, `note = ${hex(downgraded)}`));
      if (await misled(scene).catch(refused)) return true;
    }
    return false;
  },
  "a value dressed with another one's header": async (scene) => {
    // Everything that is no secret taken from the place where it is to pass: format, algorithm, version, commitment.
    const [here, there] = [await value(scene, scene.victim, 'note'), await value(scene, scene.second, 'note')];
    const { headerBytes } = scene.build;
    const dressed = Buffer.concat([here.subarray(0, headerBytes), there.subarray(headerBytes)]);
    await scene.owner.run(set(scene.victim, `note = ${hex(dressed)}`));
    return misled(scene);
  },
  'a value cut short': async (scene) => {
    const note = await value(scene, scene.victim, 'note');
    for (let length = note.length - 1; length >= 0; length -= 1) {
      const cut =
        scene.build.algorithm === undefined
          ? Buffer.concat([Uint8Array.of(2, note[1]!), note.subarray(2, 14), note.subarray(30, -1)])
          : note.subarray(0, length);
      await scene.owner.run(set(scene.victim, `note = ${hex(cut)}`));
      if (await misled(scene).catch(refused)) return true;
    }
    return false;
  },
  "another person's record shown as theirs": async (scene) => {
    const { owner, victim, other } = scene;
    await owner.run(set(victim, `person = '${other.person}'`));
    // Enough where anybody's key opens a value about several people.
    if (await misled(scene).catch(refused)) return true;
    await owner.run(
      `update weak_keys set wrapped = (select wrapped from weak_keys where person = '${victim.person}') where person = '${other.person}'`,
      `update subject_keys set (wrapped, leaf, version) = (select wrapped, leaf, version from subject_keys where subject = '${victim.person}')
        where subject = '${other.person}'`,
    );
    return misled(scene);
  },
  'the key of somebody the attacker writes for': async (scene) => {
    // The attacker's own record, sealed by the program with their key; then that key and that value in the victim's place.
    const { build, owner, victim } = scene;
    const own = newPlace(victim.table, victim.tenant);
    const person = newUuid();
    await build.write(own, { person, email: 'mallory@example.org', note: 'chosen by Mallory' }, 1);
    await owner.run(
      set(victim, `(email, note) = (select email, note from ${at(own)})`),
      `update weak_keys set wrapped = (select wrapped from weak_keys where person = '${person}') where person = '${victim.person}'`,
      `update subject_keys set (wrapped, leaf, version) = (select wrapped, leaf, version from subject_keys where subject = '${person}')
        where subject = '${victim.person}'`,
    );
    return misled(scene);
  },
  'an index that leads to somebody else': async (scene) => {
    const { build, owner, victim, other } = scene;
    const index = await value(scene, victim, 'email_index');
    // Removed from the victim's own row, so that the only hit is the wrong one.
    await owner.run(set(victim, `email_index = ''`), set(other, `email_index = ${hex(index)}`));
    return (await build.find(victim.table, victim.tenant, victim.email)) === other.id;
  },
  'equal indexes tell of one person in two tenants': async (scene) => {
    const [here, there] = await Promise.all(
      [scene.victim, scene.abroad].map((place) => value(scene, place, 'email_index')),
    );
    return toHex(here!) === toHex(there!);
  },
  'equal indexes tell of one person in two tables': async (scene) => {
    const [here, there] = await Promise.all(
      [scene.victim, scene.elsewhere].map((place) => value(scene, place, 'email_index')),
    );
    return toHex(here!) === toHex(there!);
  },
  'the keys of an erased person put back': async (scene) => {
    const { build, owner, victim } = scene;
    await build.forget(victim.person);
    await restore(owner);
    return (await build.read(victim)).note === victim.note;
  },
  'the key of an erased person put back, the rest as it is': async (scene) => {
    const { build, owner, victim } = scene;
    await build.forget(victim.person);
    await owner.run(
      `insert into weak_keys table kept_weak_keys on conflict do nothing`,
      `insert into key_nodes select * from kept_key_nodes on conflict (id) do update set wrapped = excluded.wrapped, version = excluded.version`,
      `insert into subject_keys select * from kept_subject_keys where subject = '${victim.person}'
        on conflict (subject) do update set wrapped = excluded.wrapped, leaf = excluded.leaf, version = excluded.version, shred_hash = null`,
      'delete from shredded_subjects',
    );
    return (await build.read(victim)).note === victim.note;
  },
};

/** Everything as it was when it was kept: what a stolen backup brings back. */
async function restore(owner: Owner): Promise<void> {
  await owner.run(
    `truncate ${KEPT.join(', ')}`,
    // Nodes refer to their parents.
    ...KEPT.map(
      (table) =>
        `insert into ${table} select * from kept_${table}${table === 'key_nodes' ? ' order by level desc' : ''}`,
    ),
  );
}

for (const engine of databases()) {
  const names = Object.keys(algorithms) as Algorithm[];
  const builds = names.flatMap((algorithm) => [
    { algorithm, several: false, name: `Strongroom with ${algorithm}` },
    { algorithm, several: true, name: `Strongroom with ${algorithm}, values about two people` },
  ]);
  for (const { algorithm, several, name } of [
    ...builds,
    { algorithm: undefined, several: false, name: 'the weakened build' },
  ]) {
    describe.skipIf(!engine.available)(`attacks on stored rows of ${name} on ${engine.name}`, () => {
      let database: Database;
      let owner: Owner;
      const succeeded: string[] = [];

      beforeAll(async () => {
        const location = await engine.fresh();
        database = await openDatabase(location, manifests);
        owner = await ownerOf(location, database, KEPT);
        await owner.run(...KEPT.map((table) => `create table kept_${table} as table ${table}`));
      });
      afterAll(async () => {
        const all = Object.keys(attacks).length;
        figure(
          `${succeeded.length} of ${all} classes of attack on stored rows succeed against ${name} on ${engine.name}`,
        );
        await owner.close();
        await database.close();
      });

      /** Five records in an empty database, and a copy of everything. */
      async function scene(): Promise<Scene> {
        await owner.run(`truncate ${KEPT.join(', ')}`);
        const build = await (algorithm === undefined ? weakBuild(database) : strongBuild(database, algorithm, several));
        const [here, there, person, stranger] = [newUuid(), newUuid(), newUuid(), newUuid()];
        const record = (place: Place, who: RecordOf): Place & RecordOf => ({ ...place, ...who });
        const email = 'ada@example.org';
        const records = {
          victim: record(newPlace('patients', here), { person, email, note: 'in good health' }),
          second: record(newPlace('patients', here), { person, email: 'ada@work.example', note: 'a broken arm' }),
          other: record(newPlace('patients', here), { person: stranger, email: 'ben@example.org', note: 'a cough' }),
          elsewhere: record(newPlace('doctors', here), { person, email, note: 'works at night' }),
          abroad: record(newPlace('patients', there), { person, email, note: 'on a journey' }),
        };
        for (const one of Object.values(records)) await build.write(one, one, 1);
        await owner.run(
          ...KEPT.flatMap((table) => [`truncate kept_${table}`, `insert into kept_${table} table ${table}`]),
        );
        for (const one of Object.values(records)) expect(await build.read(one)).toMatchObject({ note: one.note });
        return { build, owner, ...records };
      }

      it('finds people by their address in any spelling', async () => {
        const { build, victim } = await scene();
        expect(await build.find(victim.table, victim.tenant, ' Ada@Example.ORG')).toBe(victim.id);
        expect(await build.find(victim.table, victim.tenant, 'nobody@example.org')).toBeUndefined();
      });

      it.each(Object.entries(attacks))('%s', async (attack, run) => {
        const staged = await scene();
        const outcome = await run(staged).catch((error: unknown) => error);
        if (outcome === true) succeeded.push(attack);
        if (algorithm === undefined) expect(outcome).toBe(true);
        else if (outcome instanceof EncryptionError) expect(inspect(outcome)).not.toContain(staged.victim.note);
        else expect(outcome).toBe(false);
      });

      it('leaves the others readable after an erasure', async () => {
        const { build, victim, other } = await scene();
        await build.forget(victim.person);
        await expect(build.read(victim)).rejects.toThrow();
        expect(await build.read(other)).toMatchObject({ note: other.note });
      });
    });
  }
}
