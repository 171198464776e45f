/**
 * A process that rotates a blind index until nothing is left to do, or until it is killed; blind-index-rotation.chaos.slow.test.ts starts it. Parameters:
 * location of the database as JSON, root file, JSON list of people and numbers whom this process searches and changes meanwhile (none on PostgreSQL).
 * Lines on standard output: `at STATE SEEN` whenever that has changed, `written ID NUMBER` once committed, `failed CODE`, `searches NUMBER` now and then, `done`.
 */
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Uuid } from '@strongroom/kernel';
import { openDatabase, type Location } from '@strongroom/storage';
import { INDEX, rotationsOf, traffic } from './blind-index-rotation.traffic.test-support.ts';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';
import { testRoom } from './rotation.test-support.ts';

/** Milliseconds. */
const LOOK_EVERY = 10;

const [location, path, people] = process.argv.slice(2) as [string, string, string];
const say = (line: string): void => void writeSync(1, `${line}\n`);

const database = await openDatabase(JSON.parse(location) as Location, [manifest, testRoom]);
const encryption = await createEncryption({ slot: fileSlot(path), mustExist: true });
await encryption.keyTree.recover(database);
const indexes = rotationsOf(database, encryption);
const others = traffic(database, { encryption, indexes }, new Map(JSON.parse(people) as [Uuid, number][]), {
  written: (id, number) => say(`written ${id} ${number}`),
  failed: (failure) => say(`failed ${failure}`),
});
const running = indexes.run().then(() => true);
for (let [told, done] = ['', false]; !done;) {
  const { state, seen } = await indexes.status(...INDEX);
  const line = `at ${state} ${seen}`;
  if (line !== told) say(line);
  say(`searches ${others.searches()}`);
  told = line;
  done = await Promise.race([running, delay(LOOK_EVERY, false)]);
}
await others.stop();
await database.close();
say('done');
