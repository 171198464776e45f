/** The key tree and the root file under kill -9, at every step of an erasure and of the recovery from it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { inInstallation, openDatabase, type Database } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { SLOT_BYTES } from './internal/root-image.ts';
import { manifest } from './manifest.ts';

const PEOPLE = 300;

const placeOf = (subject: Uuid) => ({ tenant: null, table: 'accounts', column: 'email', row: subject, subject });

class House {
  readonly folder = temporaryFolder();
  readonly path = join(temporaryFolder(), 'root');
  readonly subjects = Array.from({ length: PEOPLE }, () => newUuid());
  readonly values = new Map<Uuid, Uint8Array>();
  readonly gone = new Set<Uuid>();

  async open<Result>(work: (database: Database, encryption: Encryption) => Promise<Result>): Promise<Result> {
    const database = await openDatabase({ kind: 'folder', path: this.folder, durability: 'relaxed' }, [manifest]);
    try {
      return await work(database, await createEncryption({ slot: fileSlot(this.path) }));
    } finally {
      await database.close();
    }
  }

  async fill(): Promise<void> {
    await this.open((database, encryption) =>
      database.transaction(inInstallation, async (transaction) => {
        const keys = await encryption.subjects(transaction, this.subjects, { create: true });
        for (const subject of this.subjects) this.values.set(subject, keys.seal(placeOf(subject), subject));
      }),
    );
  }

  /** True when the process came to its end, and so was not killed. */
  async run(victim: Uuid, from: 'shred' | 'recover', fatal: number | `store+${number}`): Promise<boolean> {
    const program = join(import.meta.dirname, 'key-tree.chaos.test-support.ts');
    const parameters = ['--conditions=source', program, this.folder, this.path, victim, from, String(fatal)];
    const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    expect(code === 0 || signal === 'SIGKILL', `child ended with ${code} ${signal}`).toBe(true);
    if (output.startsWith('erased')) this.gone.add(victim);
    return code === 0;
  }

  /** Whether the victim is erased, after recovery; everyone else must be as before, and no former root left. */
  async check(victim: Uuid): Promise<boolean> {
    return this.open(async (database, encryption) => {
      expect(await encryption.keyTree.recover(database)).toBe(true);
      const readable = await database.transaction(inInstallation, async (transaction) => {
        const keys = await encryption.subjects(transaction, this.subjects);
        return this.subjects.filter((subject) => {
          if (!keys.has(subject)) return false;
          expect(keys.openText(placeOf(subject), this.values.get(subject)!)).toBe(subject);
          return true;
        });
      });
      const erased = !readable.includes(victim);
      // What was acknowledged is erased; what was not may be either, but nobody else is touched.
      if (this.gone.has(victim)) expect(erased).toBe(true);
      if (erased) this.gone.add(victim);
      expect(readable).toEqual(this.subjects.filter((subject) => !this.gone.has(subject)));
      expect((await encryption.keyTree.status(database)).tree).toMatchObject({
        complete: true,
        shredded: this.gone.size,
      });
      const image = readFileSync(this.path);
      const halves = [image.subarray(0, SLOT_BYTES), image.subarray(SLOT_BYTES)];
      expect(halves.filter((half) => half.some((byte) => byte !== 0))).toHaveLength(1);
      return erased;
    });
  }
}

describe('an erasure whose process is killed', () => {
  it('has happened or has not, at every step, and everyone else stays readable', async () => {
    const house = new House();
    await house.fill();
    let [kills, forward, back] = [0, 0, 0];
    for (let fatal = 1; ; fatal += 1) {
      const victim = house.subjects[fatal]!;
      if (await house.run(victim, 'shred', fatal)) break;
      kills += 1;
      if (await house.check(victim)) forward += 1;
      else back += 1;
    }
    expect(back).toBeGreaterThan(5);
    expect(forward).toBeGreaterThan(2);
    figure(
      `key tree: killed at each of ${kills} steps of an erasure, ${back} undone, ${forward} finished, nobody else touched`,
    );
  });

  it('survives being killed again in each step of the recovery', { timeout: 900_000 }, async () => {
    const house = new House();
    await house.fill();
    let next = 0;
    let kills = 0;
    // Before the replacement of the root, after it, after the tree has moved.
    for (const first of ['store+0', 'store+1', 'store+2'] as const) {
      for (let fatal = 1; ; fatal += 1) {
        const victim = house.subjects[next]!;
        next += 1;
        expect(await house.run(victim, 'shred', first)).toBe(false);
        const through = await house.run(victim, 'recover', fatal);
        const erased = await house.check(victim);
        expect(erased).toBe(first !== 'store+0');
        if (through) break;
        kills += 1;
      }
    }
    expect(kills).toBeGreaterThan(10);
    figure(`key tree: killed ${kills} times more during recovery, nobody else touched`);
  });
});
