/**
 * A process that recovers, erases one person and dies at a given moment; key-tree.chaos.slow.test.ts starts it. Parameters: data folder, root
 * file, person, `recover` or `shred` (what to die in; after `recover` nobody is erased), moment (counted from 1; `store+0` from the first store).
 * A line on standard output says when it is done.
 */
import { writeSync } from 'node:fs';
import { parseUuid } from '@strongroom/kernel';
import { openDatabase, type Database } from '@strongroom/storage';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';
import type { RootSlot } from './root-slot.ts';

const [folder, path, victim, from, fatal] = process.argv.slice(2) as [string, string, string, string, string];

let counting = from === 'recover';
let moments = 0;
let storedAt: number | undefined;

function moment(): void {
  if (!counting) return;
  moments += 1;
  const since = storedAt === undefined ? '' : `store+${moments - storedAt}`;
  if (fatal === String(moments) || fatal === since) process.kill(process.pid, 'SIGKILL');
}

/** The moment before a transaction or a store is also the one after the step before it: in between nothing becomes durable. */
function stepped<Result>(work: () => Promise<Result>): Promise<Result> {
  moment();
  return work();
}

const real = await openDatabase({ kind: 'folder', path: folder, durability: 'relaxed' }, [manifest]);
const database: Database = {
  engine: real.engine,
  warnings: real.warnings,
  transaction: (scope, work) => stepped(() => real.transaction(scope, work)),
  close: () => real.close(),
};
const file = fileSlot(path);
const slot: RootSlot = {
  ...file,
  store(material, replaces) {
    if (counting) storedAt ??= moments + 1;
    return stepped(() => file.store(material, replaces));
  },
};
const encryption = await createEncryption({ slot, mustExist: true });
await encryption.keyTree.recover(database);
if (from === 'shred') {
  counting = true;
  const { complete } = await encryption.keyTree.shred(database, [parseUuid(victim)]);
  if (complete) writeSync(1, 'erased\n');
}
moment();
await real.close();
