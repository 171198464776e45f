/** The copies of the keys under kill -9: at every step of an erasure, the machine burns down, and everybody but the erased is brought back. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { generateIdentity } from '@strongroom/backup';
import { fileSlot } from '@strongroom/encryption';
import { asSystem, openDatabase } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
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

const PEOPLE = 60;
const code = (expected: string) => expect.objectContaining({ code: expected });
/** Whatever is quickest to make: what is restored does not depend on it. */
const engine = databases().findLast(({ available }) => available)!;

/** Bytes appended to a copy, so that overwriting it takes long enough to be killed in. */
const LONG = 192 << 20;
/** How often a process is killed while it overwrites. */
const KILLS = 4;

async function newVault() {
  const who = await generateIdentity('x25519');
  const data = temporaryFolder();
  const root = join(temporaryFolder(), 'root');
  const copies = newFolder('copies');
  const backup = join(temporaryFolder(), 'whole.age');
  const inHouse = async <Result>(work: (house: House) => Promise<Result>): Promise<Result> => {
    const database = await openDatabase({ kind: 'folder', path: data, durability: 'relaxed' }, manifests);
    try {
      const places = { folders: [copies], recipients: [who.recipient] };
      return await work(await openHouse(database, fileSlot(root), places));
    } finally {
      await database.close();
    }
  };
  const people = await inHouse(async (house) => {
    const ids = await fill(house, PEOPLE);
    await backUp(house.database, backup, who.recipient);
    await house.keyCopies.settle();
    return ids;
  });
  /** A process that erases this person, and dies at this moment if it gets there. */
  const erase = (victim: string, fatal: number) => {
    const program = join(import.meta.dirname, 'key-copies.chaos.test-support.ts');
    const parameters = ['--conditions=source', program, data, root, copies, who.recipient, victim, String(fatal)];
    const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const ended = once(child, 'close').then(([exit, signal]: unknown[]) => {
      expect(exit === 0 || signal === 'SIGKILL', `child ended with ${String(exit)} ${String(signal)}`).toBe(true);
      return { isKilled: exit !== 0, output };
    });
    return { child, ended };
  };
  return { who, root, copies, backup, people, inHouse, erase };
}

describe('an erasure with copies of the keys, killed at every step', () => {
  it('leaves keys for everybody else at every moment, and none for the erased', { timeout: 900_000 }, async () => {
    const { who, root, copies, backup, people, inHouse, erase } = await newVault();
    const listed = () => readdirSync(copies).filter((name) => name.startsWith('keys-'));
    const gone = new Set<string>();
    const stay = () => people.filter((id) => !gone.has(id));
    /** The backup from before everything, with what there is of root and copies. */
    const restore = async (from: { root: string; copies: string }) =>
      restored(await engine.fresh(), { backup, identity: who.identity, ...from });

    let [kills, forward, back, twice] = [0, 0, 0, 0];
    for (let fatal = 1; ; fatal += 1) {
      const victim = people[fatal]!;
      const former = join(temporaryFolder(), 'root');
      copyFileSync(root, former);
      const { isKilled, output } = await erase(victim, fatal).ended;
      // The machine burns down: what is left are the root in its slot, the copies, and the old backup.
      const burnt = await restore({ root, copies });
      if (listed().length > 1) twice += 1;
      // It does not burn down, and goes on.
      const readableNow = await inHouse(async ({ database, encryption, keyCopies }) => {
        expect(await encryption.keyTree.recover(database)).toBe(true);
        await keyCopies.settle();
        expect(await keyCopies.states()).toMatchObject([{ state: 'present' }]);
        return database.transaction(asSystem, (transaction) => readable(transaction, encryption));
      });
      const isGone = !readableNow.includes(victim);
      if (isGone) gone.add(victim);
      if (output === 'erased\n') expect(isGone).toBe(true);
      expect(readableNow).toEqual(stay());
      expect(burnt).toEqual(stay());
      // Beside the copy of today at most the one of an attempt that was given up.
      expect(listed().length).toBeLessThanOrEqual(isGone ? 1 : 2);
      expect(await restore({ root, copies })).toEqual(stay());
      // Whoever kept the former root opens nothing with the copy that stays.
      if (isGone) await expect(restore({ root: former, copies })).rejects.toThrow(code('encryption.tree-mismatch'));
      if (!isKilled) break;
      kills += 1;
      if (isGone) forward += 1;
      else back += 1;
    }
    expect(forward).toBeGreaterThan(5);
    expect(back).toBeGreaterThan(5);
    expect(twice).toBeGreaterThan(3);
    figure(
      `copies of the keys: killed at each of ${kills} steps of an erasure (${back} undone, ${forward} finished), ` +
        `${PEOPLE - gone.size} of ${PEOPLE - gone.size} restored from root, copy and an old backup at each, 0 of the erased`,
    );
  });

  it(
    'overwrites a former copy to its end, when it was killed in the middle of that',
    { timeout: 900_000 },
    async () => {
      const { copies, people, inHouse, erase } = await newVault();
      const parts: number[] = [];
      for (let attempt = 1; parts.length < KILLS; attempt += 1) {
        const victim = people[attempt]!;
        const [name] = readdirSync(copies);
        const former = join(copies, name!);
        appendFileSync(former, new Uint8Array(LONG).fill(255));
        const { size } = statSync(former);
        // What the disk has, whatever becomes of the name.
        const held = join(temporaryFolder(), 'held');
        linkSync(former, held);
        const file = openSync(held, 'r');
        const isZero = (position: number): boolean => {
          const byte = new Uint8Array(1);
          readSync(file, byte, 0, 1, position);
          return byte[0] === 0;
        };
        const { child, ended } = erase(victim, 0);
        const until = Math.floor((size - 1) * (0.1 + 0.6 * Math.random()));
        while (!isZero(until) && child.exitCode === null) await delay(1);
        child.kill('SIGKILL');
        const { isKilled, output } = await ended;
        const isCut = isKilled && existsSync(former) && !isZero(size - 1);
        if (isCut) {
          parts.push(readFileSync(held).lastIndexOf(0) / size);
          // Neither to whoever asked for it nor to whoever asks afterwards.
          expect(output).toBe('');
        }
        await inHouse(async ({ database, encryption, keyCopies }) => {
          expect(await encryption.keyTree.recover(database)).toBe(true);
          if (isCut) expect(await keyCopies.states()).toMatchObject([{ state: 'behind' }]);
          await keyCopies.settle();
          expect(await keyCopies.states()).toMatchObject([{ state: 'present' }]);
          const left = await database.transaction(asSystem, (transaction) => readable(transaction, encryption));
          expect(left).toEqual(people.filter((id, index) => index < 1 || index > attempt));
        });
        expect(readdirSync(copies)).toHaveLength(1);
        expect(existsSync(former)).toBe(false);
        expect(readFileSync(held).every((byte) => byte === 0)).toBe(true);
        closeSync(file);
      }
      figure(
        `copies of the keys: killed ${parts.length} times while a former one was being overwritten (${parts.map((part) => `${Math.round(part * 100)} %`).join(', ')} of it done), ` +
          'not told as erased, overwritten to its last byte after the next start',
      );
    },
  );
});
