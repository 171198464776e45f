/**
 * A process that encrypts a column and dies in the middle; column-migration.chaos.slow.test.ts starts it. Parameters: location, root file, tenant and
 * owner as JSON, the moment to die (a number of transactions), whether it reads and writes meanwhile. On standard output a line for each write before it
 * begins (`intent`) and after it was committed (`done`), and `dropped` when the column is encrypted.
 */
import { writeSync } from 'node:fs';
import { systemClock, type Uuid } from '@strongroom/kernel';
import { openDatabase, type Database, type Location } from '@strongroom/storage';
import { Notes, notesRoom } from './column-migration.test-support.ts';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';

interface Told {
  readonly location: Location;
  readonly root: string;
  readonly tenant: Uuid;
  readonly owner: Uuid;
  readonly fatal: number;
  readonly traffic: boolean;
}

const told = JSON.parse(process.argv[2]!) as Told;
const say = (...words: readonly string[]): void => {
  writeSync(1, `${words.join(' ')}\n`);
};

const real = await openDatabase(told.location, [manifest, notesRoom]);
let transactions = 0;
const database: Database = {
  engine: real.engine,
  warnings: real.warnings,
  transaction: (scope, work) => {
    transactions += 1;
    if (transactions === told.fatal) process.kill(process.pid, 'SIGKILL');
    return real.transaction(scope, work);
  },
  close: () => real.close(),
};
const encryption = await createEncryption({ slot: fileSlot(told.root), mustExist: true });
const notes = new Notes(database, encryption, systemClock, told.tenant);
const migration = notes.migration('content', { rowsAtOnce: 20 });
let finished = false;

async function writeAndRead(): Promise<void> {
  const ids = [...(await notes.read()).keys()];
  for (let turn = 0; !finished; turn += 1) {
    const id = ids[Math.floor(Math.random() * ids.length)]!;
    const content = `turn-${turn}-of-${process.pid}`;
    say('intent', id, content);
    await notes.update(told.owner, id, content);
    say('done', id, content);
    if ((await notes.read(id)).get(id) !== content) throw new Error('a committed write was not read');
  }
}

async function migrate(): Promise<void> {
  for (;;) {
    const { phase } = await migration.run();
    if (phase === 'dropped') break;
    if (phase === 'declared') await migration.begin();
    else if (phase === 'verified') await migration.cutOver();
    else await migration.drop();
  }
  finished = true;
  say('dropped');
}

await Promise.all([migrate(), ...(told.traffic ? [writeAndRead()] : [])]);
await real.close();
