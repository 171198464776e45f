/** Rotation whose process is killed again and again, with readers and writers beside it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { newUuid, parseUuid, systemClock, type Uuid } from '@strongroom/kernel';
import { asSystem, openDatabase, type Database, type Location } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';
import { createRotations, type Rotations } from './rotation.ts';
import { addPerson, encryptedTables, readPeople, storedVersions, testRoom } from './rotation.test-support.ts';
import { textOf, traffic } from './rotation.traffic.test-support.ts';

/**
 * On PostgreSQL several batches are under way at a time and a thread of its own seals, which takes a long table and no throttle; so the process lives
 * shorter. On PGlite it is throttled.
 */
const scale = {
  PGlite: { people: 2_000, share: 0.2, lifetime: 600, longer: 250 },
  PostgreSQL: { people: 6_000, share: 1, lifetime: 300, longer: 60 },
} as const;
const FEWEST_KILLS = 5;

for (const engine of databases()) {
  describe.skipIf(!engine.available)(engine.name, () => {
    it('is finished in the end, and nobody noticed', { timeout: 600_000 }, async () => {
      const location = await engine.fresh();
      const path = join(temporaryFolder(), 'root');
      const open = async <Result>(
        work: (database: Database, encryption: Encryption, rotations: Rotations) => Promise<Result>,
      ): Promise<Result> => {
        const database = await openDatabase(location, [manifest, testRoom]);
        try {
          const encryption = await createEncryption({ slot: fileSlot(path) });
          await encryption.keyTree.recover(database);
          const options = { database, encryption, clock: systemClock, tables: encryptedTables };
          return await work(database, encryption, createRotations(options));
        } finally {
          await database.close();
        }
      };
      const { share, lifetime, longer, ...size } = scale[engine.name];
      const people = Array.from({ length: size.people }, () => newUuid());
      const written = new Map<Uuid, number>(people.map((id) => [id, 0]));
      const failures: string[] = [];
      const told = {
        written: (id: Uuid, number: number) => void written.set(id, Math.max(number, written.get(id) ?? 0)),
        failed: (failure: string) => void failures.push(failure),
      };
      await open((database, encryption) =>
        database.transaction(asSystem, async (transaction) => {
          await encryption.subjects(transaction, people, { create: true });
          for (const id of people) await addPerson(encryption, transaction, id, textOf(id, 0));
        }),
      );
      let kills = 0;
      let reads = 0;
      const killing = async (mine: readonly Uuid[]): Promise<void> => {
        for (let done = false; !done;) {
          // The later, the longer it may live, so that it comes to an end.
          ({ done, reads } = await run(location, path, mine, lifetime + kills * longer, { ...told, reads }));
          if (!done) kills += 1;
        }
      };
      const throttle = { settle: 0, share };
      if (engine.name === 'PGlite') {
        // One process at a time: the killed one is rotator, readers and writer at once.
        await open((_, __, rotations) => rotations.begin({ kind: 'root' }, throttle));
        await killing(people);
      } else {
        await open(async (database, encryption, rotations) => {
          const others = traffic(database, encryption, people, told);
          await rotations.begin({ kind: 'root' }, throttle);
          await killing([]);
          await others.stop();
          reads = others.reads();
        });
      }
      expect(failures).toEqual([]);
      await open(async (database, encryption, rotations) => {
        const [report] = await rotations.list();
        expect(report).toMatchObject({ state: 'complete', damaged: 0, erased: 0, retired: [1] });
        const ids = [...written.keys()];
        const found = await database.transaction(asSystem, (transaction) => readPeople(encryption, transaction, ids));
        // What was confirmed is there; what was committed in the moment of a kill may be newer.
        const lost = ids.filter((id) => Number(found.get(id)?.split('#')[1] ?? -1) < written.get(id)!);
        expect(lost).toEqual([]);
        expect(await storedVersions(database)).toMatchObject({ 'people.email': [2], 'people.name': [2] });
        figure(
          `rotation on ${engine.name}: ${kills} kills, ${ids.length} people, ${reads} reads beside it, 0 failed; ` +
            `${report!.rewritten} values written anew in ${report!.pass} passes, ${report!.leftToWriters} rows left to writers, ` +
            `the last pass authenticated ${report!.authenticated}`,
        );
      });
      expect(kills).toBeGreaterThanOrEqual(FEWEST_KILLS);
    });
  });
}

interface Counting {
  readonly written: (id: Uuid, number: number) => void;
  readonly failed: (failure: string) => void;
  readonly reads: number;
}

/** One process, killed after a while; `done` when it came to its end before. */
async function run(
  location: Location,
  path: string,
  people: readonly Uuid[],
  lifetime: number,
  told: Counting,
): Promise<{ done: boolean; reads: number }> {
  const program = join(import.meta.dirname, 'rotation.chaos.test-support.ts');
  const parameters = ['--conditions=source', program, JSON.stringify(location), path, JSON.stringify(people)];
  const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  let [buffered, done, reads] = ['', false, told.reads];
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (buffered + text).split('\n');
      buffered = lines.pop()!;
      for (const line of lines) {
        const [word, first, second] = line.split(' ');
        if (word === 'written') told.written(parseUuid(first!), Number(second));
        else if (word === 'failed') told.failed(line);
        else if (word === 'ready') resolve();
        else if (word === 'read') reads = Number(first) + told.reads;
        else if (word === 'done') done = true;
      }
    });
  });
  await Promise.race([ready, ended]);
  const stop = new AbortController();
  await Promise.race([delay(lifetime, undefined, { signal: stop.signal }).catch(() => undefined), ended]);
  stop.abort();
  child.kill('SIGKILL');
  const [code, signal] = await ended;
  expect(code === 0 || signal === 'SIGKILL', `child ended with ${code} ${signal}`).toBe(true);
  return { done, reads };
}
