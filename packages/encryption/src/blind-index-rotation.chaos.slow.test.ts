/** Rotation of a blind index whose process is killed again and again, with people who are searched for and change their address beside it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { newUuid, parseUuid, type Uuid } from '@strongroom/kernel';
import { asSystem, openDatabase, type Database, type Location } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  filled,
  find,
  INDEX,
  rotationsOf,
  traffic,
  write,
} from './blind-index-rotation.traffic.test-support.ts';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';
import { testRoom } from './rotation.test-support.ts';

const PEOPLE = 400;
const FEWEST_KILLS = 5;

for (const engine of databases()) {
  describe.skipIf(!engine.available)(engine.name, () => {
    it('is finished in the end, and nobody was missed', { timeout: 600_000 }, async () => {
      const location = await engine.fresh();
      const path = join(temporaryFolder(), 'root');
      const open = async <Result>(
        work: (database: Database, encryption: Encryption) => Promise<Result>,
      ): Promise<Result> => {
        const database = await openDatabase(location, [manifest, testRoom]);
        try {
          const encryption = await createEncryption({ slot: fileSlot(path) });
          await encryption.keyTree.recover(database);
          return await work(database, encryption);
        } finally {
          await database.close();
        }
      };
      const written = new Map<Uuid, number>(Array.from({ length: PEOPLE }, () => [newUuid(), 0]));
      const failures: string[] = [];
      const told = {
        written: (id: Uuid, number: number) => void written.set(id, Math.max(number, written.get(id) ?? 0)),
        failed: (failure: string) => void failures.push(failure),
      };
      await open(async (database, encryption) => {
        const indexes = rotationsOf(database, encryption);
        await database.transaction(asSystem, async (transaction) => {
          await encryption.subjects(transaction, [...written.keys()], { create: true });
          for (const id of written.keys()) await write({ encryption, indexes }, transaction, id, 0);
        });
        await encryption.keyTree.rotate(database, { settle: 0 });
        await indexes.begin(...INDEX, { share: 0.5 });
      });
      const states = new Set<string>();
      let [kills, searches] = [0, 0];
      const killing = async (people: () => ReadonlyMap<Uuid, number>): Promise<void> => {
        for (let done = false; !done;) {
          // The later, the farther it may come, so that there is an end.
          const life = await run(location, path, people(), 3 + kills, told);
          ({ done } = life);
          searches += life.searches;
          if (!done) states.add(life.state);
          if (!done) kills += 1;
        }
      };
      if (engine.name === 'PGlite') {
        // One process at a time. What was committed in the moment of a kill is read before the next one searches for it.
        await killing(() => written);
      } else {
        await open(async (database, encryption) => {
          const others = traffic(database, { encryption, indexes: rotationsOf(database, encryption) }, written, told);
          await killing(() => new Map());
          await others.stop();
          searches = others.searches();
        });
      }
      expect(failures).toEqual([]);
      await open(async (database, encryption) => {
        const indexes = rotationsOf(database, encryption);
        expect(await indexes.status(...INDEX)).toMatchObject({ state: 'settled', liveVersion: 2, outcome: 'complete' });
        const [first, second] = await filled(database);
        expect([first, second >= written.size]).toEqual([0, true]);
        const missed: Uuid[] = [];
        for (const [id, number] of written) {
          const found = await database.transaction(asSystem, async (transaction) => [
            await find({ encryption, indexes }, transaction, addressOf(id, number)),
            // Committed in the moment of a kill, and not confirmed.
            await find({ encryption, indexes }, transaction, addressOf(id, number + 1)),
          ]);
          if (found.flat().join(' ') !== id) missed.push(id);
        }
        expect(missed).toEqual([]);
      });
      expect(kills).toBeGreaterThanOrEqual(FEWEST_KILLS);
      figure(
        `rotation of a blind index on ${engine.name}: ${kills} kills in states ${[...states].join(', ')}, ${written.size} people, ` +
          `${searches} searches beside it, 0 missed`,
      );
    });
  });
}

interface Life {
  readonly done: boolean;
  readonly searches: number;
  /** When it was killed. */
  readonly state: string;
}

/** One process, killed after so many steps; `done` when it came to its end before. */
async function run(
  location: Location,
  path: string,
  people: ReadonlyMap<Uuid, number>,
  steps: number,
  told: { readonly written: (id: Uuid, number: number) => void; readonly failed: (failure: string) => void },
): Promise<Life> {
  const program = join(import.meta.dirname, 'blind-index-rotation.chaos.test-support.ts');
  const parameters = ['--conditions=source', program, JSON.stringify(location), path, JSON.stringify([...people])];
  const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  let [buffered, done, searches, state] = ['', false, 0, ''];
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  let left = steps;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (buffered + text).split('\n');
    buffered = lines.pop()!;
    for (const line of lines) {
      const [word, first, second] = line.split(' ');
      if (word === 'written') told.written(parseUuid(first!), Number(second));
      else if (word === 'failed') told.failed(line);
      else if (word === 'searches') searches = Number(first);
      else if (word === 'done') done = true;
      else if (word === 'at') {
        state = first!;
        left -= 1;
        if (left === 0) child.kill('SIGKILL');
      }
    }
  });
  const [code, signal] = await ended;
  expect(code === 0 || signal === 'SIGKILL', `child ended with ${code} ${signal}`).toBe(true);
  return { done, searches, state };
}
