/**
 * A process that rotates keys until nothing is left to do, or until it is killed; rotation.chaos.slow.test.ts starts it. Parameters: location of the
 * database as JSON, root file, JSON list of people whom this process reads and changes meanwhile (none on PostgreSQL, where others do).
 * Lines on standard output: `ready`, `written ID NUMBER` once committed, `failed CODE` for a read or a write that was refused, `read NUMBER` now and then, `done`.
 */
import { writeSync } from 'node:fs';
import { systemClock, type Uuid } from '@strongroom/kernel';
import { openDatabase, type Location } from '@strongroom/storage';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';
import { createRotations } from './rotation.ts';
import { traffic } from './rotation.traffic.test-support.ts';
import { encryptedTables, testRoom } from './rotation.test-support.ts';

const [location, path, ids] = process.argv.slice(2) as [string, string, string];
const say = (line: string): void => void writeSync(1, `${line}\n`);

const database = await openDatabase(JSON.parse(location) as Location, [manifest, testRoom]);
const encryption = await createEncryption({ slot: fileSlot(path), mustExist: true });
await encryption.keyTree.recover(database);
const rotations = createRotations({
  database,
  encryption,
  clock: systemClock,
  tables: encryptedTables,
  rowsAtOnce: 25,
});
say('ready');
const others = traffic(database, encryption, JSON.parse(ids) as Uuid[], {
  written: (id, number) => say(`written ${id} ${number}`),
  failed: (failure) => say(`failed ${failure}`),
});
const counting = setInterval(() => say(`read ${others.reads()}`), 100);
await rotations.work();
clearInterval(counting);
await others.stop();
await database.close();
say('done');
