/** A key tree with a crowd in it, and what an erasure among them costs: for the test of a million people and for the benchmark. */
import { newUuid, type Uuid } from '@strongroom/kernel';
import { inInstallation, type Database } from '@strongroom/storage';
import type { Encryption } from './encryption.ts';
import type { RootSlot } from './root-slot.ts';

/** People made in one transaction. */
const AT_ONCE = 10_000;
/** Milliseconds between two looks at the memory. */
const LOOK_EVERY = 2;

/** Counts what a cloud or a hardware module would charge for. */
export function counted(slot: RootSlot): RootSlot & { readonly stores: number } {
  let stores = 0;
  return {
    ...slot,
    get stores() {
      return stores;
    },
    store(material, replaces) {
      stores += 1;
      return slot.store(material, replaces);
    },
  };
}

/** So many people get keys; answers `wanted` of them, from everywhere in the tree. */
export async function crowd(
  database: Database,
  encryption: Encryption,
  people: number,
  wanted: number,
): Promise<readonly Uuid[]> {
  const every = Math.max(1, Math.floor(people / wanted));
  const some: Uuid[] = [];
  for (let done = 0; done < people; done += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, people - done) }, () => newUuid());
    await database.transaction(inInstallation, (transaction) =>
      encryption.subjects(transaction, ids, { create: true }),
    );
    some.push(...ids.filter((_, index) => (done + index) % every === 0));
  }
  return some;
}

/** How much more memory the process has while `work` is done than before, at most, in megabytes. */
export async function memoryOf(work: () => Promise<void>): Promise<number> {
  const used = (): number => process.memoryUsage.rss() / 2 ** 20;
  const before = used();
  let peak = before;
  const look = (): void => {
    peak = Math.max(peak, used());
  };
  const watch = setInterval(look, LOOK_EVERY);
  try {
    await work();
  } finally {
    clearInterval(watch);
    look();
  }
  return peak - before;
}
