/**
 * A process that erases one person and dies at a given moment; key-copies.chaos.slow.test.ts starts it. Parameters: data folder, root file, folder of
 * the copies, recipient, person, moment (counted from 1). A line on standard output says that everything was acknowledged.
 */
import { writeSync } from 'node:fs';
import { fileSlot, type RootSlot } from '@strongroom/encryption';
import { parseUuid } from '@strongroom/kernel';
import { openDatabase, type Database } from '@strongroom/storage';
import { manifests, openHouse } from './key-copies.test-support.ts';

const [folder, path, copies, recipient, victim, fatal] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
let counting = false;
let moments = 0;

/** The moment before a transaction or a store is also the one after the step before it: after a copy got its name, for example. */
function stepped<Result>(work: () => Promise<Result>): Promise<Result> {
  if (counting) {
    moments += 1;
    if (fatal === String(moments)) process.kill(process.pid, 'SIGKILL');
  }
  return work();
}

const real = await openDatabase({ kind: 'folder', path: folder, durability: 'relaxed' }, manifests);
const database: Database = {
  engine: real.engine,
  warnings: real.warnings,
  transaction: (scope, work) => stepped(() => real.transaction(scope, work)),
  close: () => real.close(),
};
const file = fileSlot(path);
const slot: RootSlot = { ...file, store: (material, replaces) => stepped(() => file.store(material, replaces)) };
const { encryption, keyCopies } = await openHouse(database, slot, { folders: [copies], recipients: [recipient] });
await encryption.keyTree.recover(database);
counting = true;
const { complete } = await keyCopies.around(undefined, () => encryption.keyTree.shred(database, [parseUuid(victim)]));
const states = await keyCopies.states();
if (complete && states.every(({ state }) => state === 'present')) writeSync(1, 'erased\n');
await stepped(() => Promise.resolve());
await real.close();
