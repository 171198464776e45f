/** The encryption of a column under kill -9, with readers and writers at work all the time. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { newUuid, systemClock, type Uuid } from '@strongroom/kernel';
import { openDatabase, type Location } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases, onlyOn } from '@strongroom/testing/databases';
import { describe, expect } from 'vitest';
import { Notes, notesRoom } from './column-migration.test-support.ts';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';

const ROWS = 400;
const manifests = [manifest, notesRoom];

/** What was written, and what may have been. */
class Ledger {
  readonly confirmed = new Map<Uuid, string | null>();
  readonly intended = new Map<Uuid, string>();
  writes = 0;

  note(line: string): void {
    const [word, id, content] = line.split(' ') as [string, Uuid, string];
    if (word === 'intent') this.intended.set(id, content);
    if (word !== 'done') return;
    this.confirmed.set(id, content);
    this.intended.delete(id);
    this.writes += 1;
  }

  /** Nothing is lost and nothing else is there. Writes that were cut off count as what they turned out to be. */
  check(found: ReadonlyMap<Uuid, string | null>): void {
    expect(found.size).toBe(this.confirmed.size);
    for (const [id, content] of found) {
      const intended = this.intended.get(id);
      if (intended !== undefined && content === intended) this.confirmed.set(id, intended);
      expect(content).toBe(this.confirmed.get(id));
    }
    this.intended.clear();
  }
}

interface Setting {
  readonly location: Location;
  readonly root: string;
  readonly tenant: Uuid;
  readonly owner: Uuid;
}

function start(setting: Setting, fatal: number, traffic: boolean, hear: (line: string) => void): ChildProcess {
  const program = join(import.meta.dirname, 'column-migration.chaos.test-support.ts');
  const child = spawn(
    process.execPath,
    ['--conditions=source', program, JSON.stringify({ ...setting, fatal, traffic })],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) hear(line);
  });
  return child;
}

/** True when the process came to its end, and so was not killed. */
async function end(child: ChildProcess): Promise<boolean> {
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(code === 0 || signal === 'SIGKILL', `child ended with ${code} ${signal}`).toBe(true);
  return code === 0;
}

async function fill(notes: Notes, owner: Uuid, ledger: Ledger): Promise<void> {
  await notes.insert(
    owner,
    Array.from({ length: ROWS }, (_, index) => (index % 10 === 0 ? null : `first-${index}`)),
  );
  for (const [id, content] of await notes.read()) ledger.confirmed.set(id, content);
}

async function complete(notes: Notes, ledger: Ledger): Promise<void> {
  expect(await notes.migration().status()).toMatchObject({ phase: 'dropped' });
  // Opening authenticates every value.
  ledger.check(await notes.read());
  expect((await notes.counts()).plain).toBe(0);
}

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`a column being encrypted on ${engine.name}`, () => {
    const root = join(temporaryFolder(), 'root');
    const owner = newUuid();

    onlyOn('PGlite', engine)('survives the death of the one process at any moment', { timeout: 600_000 }, async () => {
      const location: Location = { kind: 'folder', path: temporaryFolder(), durability: 'relaxed' };
      const tenant = newUuid();
      const ledger = new Ledger();
      const look = async <Result>(work: (notes: Notes, encryption: Encryption) => Promise<Result>): Promise<Result> => {
        const database = await openDatabase(location, manifests);
        try {
          const encryption = await createEncryption({ slot: fileSlot(root) });
          return await work(new Notes(database, encryption, systemClock, tenant), encryption);
        } finally {
          await database.close();
        }
      };
      await look((notes) => fill(notes, owner, ledger));
      const phases = new Set<string>();
      let kills = 0;
      for (;;) {
        // Odd steps, so that every kind of transaction is hit; enough of them to get on.
        const fatal = 13 + ((kills * 7) % 17);
        const child = start({ location, root, tenant, owner }, fatal, true, (line) => ledger.note(line));
        if (await end(child)) break;
        kills += 1;
        await look(async (notes) => {
          ledger.check(await notes.read());
          phases.add((await notes.migration().status()).phase);
        });
      }
      await look((notes) => complete(notes, ledger));
      expect(kills).toBeGreaterThan(5);
      expect(phases.size).toBeGreaterThan(2);
      figure(
        `column migration on PGlite: killed ${kills} times in phases ${[...phases].join(', ')}; ${ledger.writes} writes, none lost, no read failed`,
      );
    });

    onlyOn('PostgreSQL', engine)(
      'goes on for the other processes when the one that does it dies',
      { timeout: 600_000 },
      async () => {
        const location = await engine.fresh();
        const database = await openDatabase(location, manifests);
        const encryption = await createEncryption({ slot: fileSlot(root) });
        const notes = new Notes(database, encryption, systemClock);
        const ledger = new Ledger();
        await fill(notes, owner, ledger);
        let running = true;
        let reads = 0;
        const ids = [...ledger.confirmed.keys()];
        const writer = async (part: number): Promise<void> => {
          for (let turn = 0; running; turn += 1) {
            const id = ids[(turn * 2 + part) % ids.length]!;
            const content = `turn-${turn}-of-${part}`;
            await notes.update(owner, id, content);
            ledger.note(`done ${id} ${content}`);
            expect((await notes.read(id)).get(id)).toBe(content);
            reads += 1;
          }
        };
        const traffic = Promise.all([writer(0), writer(1)]);
        const setting = { location, root, tenant: notes.tenant, owner };
        const phases = new Set<string>();
        let kills = 0;
        const migrate = async (): Promise<void> => {
          for (;;) {
            const child = start(setting, 6 + ((kills * 5) % 9), false, () => undefined);
            if (await end(child)) return;
            kills += 1;
            phases.add((await notes.migration().status()).phase);
          }
        };
        await Promise.race([traffic, migrate()]);
        running = false;
        await traffic;
        await complete(notes, ledger);
        await database.close();
        expect(kills).toBeGreaterThan(4);
        expect(phases.size).toBeGreaterThan(2);
        figure(
          `column migration on PostgreSQL: killed ${kills} times in phases ${[...phases].join(', ')}; ${ledger.writes} writes and ${reads} reads meanwhile, none failed, nothing lost`,
        );
      },
    );
  });
}
