/** The copies of the keys under kill -9: at every step of an erasure, the machine burns down, and everybody but the erased is brought back. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
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

describe('an erasure with copies of the keys, killed at every step', () => {
  it('leaves keys for everybody else at every moment, and none for the erased', { timeout: 900_000 }, async () => {
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
      const program = join(import.meta.dirname, 'key-copies.chaos.test-support.ts');
      const parameters = ['--conditions=source', program, data, root, copies, who.recipient, victim, String(fatal)];
      const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      const [exit, signal] = (await once(child, 'close')) as [number | null, string | null];
      expect(exit === 0 || signal === 'SIGKILL', `child ended with ${exit} ${signal}`).toBe(true);
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
      if (exit === 0) break;
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
});
