/** An erasure among many people, beside what it would cost to give everybody another key. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEncryption, fileSlot, manifest, type RootSlot } from '@strongroom/encryption';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { inInstallation, openDatabase } from '@strongroom/storage';
import type { Case, Contender } from './harness.ts';
import { startPostgresql } from './postgresql.ts';

/** People made in one transaction. */
const AT_ONCE = 10_000;
/** More than any run erases. */
const VICTIMS = 2000;
const ROUNDS = 3;

export const FLAT = 'every key wrapped anew';

const megabytes = (): number => process.memoryUsage().rss / 2 ** 20;
const number = new Intl.NumberFormat('en');

export interface ShredBench {
  readonly shredding: Case;
  /** Known when it was measured. */
  figures(): readonly string[];
}

export async function shredBench(people: number): Promise<ShredBench> {
  const url = await startPostgresql({ isDurable: true });
  const database = await openDatabase({ kind: 'postgresql', url, ownerUrl: url }, [manifest]);
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = fileSlot(join(folder, 'root'));
  let [stores, shreds, wraps] = [0, 0, 0];
  const times: number[] = [];
  const slot: RootSlot = {
    ...file,
    store(material, replaces) {
      stores += 1;
      return file.store(material, replaces);
    },
  };
  const encryption = await createEncryption({ slot });
  const victims: Uuid[] = [];
  for (let done = 0; done < people; done += AT_ONCE) {
    const ids = Array.from({ length: AT_ONCE }, () => newUuid());
    await database.transaction(inInstallation, (transaction) =>
      encryption.subjects(transaction, ids, { create: true }),
    );
    // From everywhere in the tree, so that no two share a path.
    const every = Math.max(1, Math.floor(people / VICTIMS));
    victims.push(...ids.filter((_, index) => (done + index) % every === 0));
  }
  stores = 0;
  let before = Number.NaN;
  let peak = 0;

  const ours: Contender = {
    name: 'Strongroom',
    async run() {
      if (shreds === 0) before = megabytes();
      const watch = setInterval(() => (peak = Math.max(peak, megabytes())), 5);
      const started = performance.now();
      const report = await encryption.keyTree.shred(database, [victims[shreds]!]);
      times.push(performance.now() - started);
      clearInterval(watch);
      if (!report.complete || report.shredded !== 1) throw new Error('shred: nobody was erased');
      shreds += 1;
      wraps = Math.max(wraps, report.wraps);
      peak = Math.max(peak, megabytes());
    },
  };

  return {
    shredding: { name: `erase one of ${number.format(people)}`, contenders: [ours, flat(people)], rounds: ROUNDS },
    figures() {
      const median = times.toSorted((left, right) => left - right)[Math.floor(times.length / 2)] ?? Number.NaN;
      return [
        `Erasure among ${number.format(people)} people: ${stores / shreds} root operation, at most ${wraps} wraps, median ${median.toFixed(0)} ms ` +
          `of ${shreds}, at most ${Math.max(0, peak - before).toFixed(0)} MB more memory`,
      ];
    },
  };
}

/** A key store without a tree: each key unwrapped and wrapped beneath another one, in memory and stored nowhere. */
function flat(people: number): Contender {
  const [former, next] = [randomBytes(32), randomBytes(32)];
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', former, nonce);
  const wrapped = Buffer.concat([cipher.update(randomBytes(32)), cipher.final()]);
  const tag = cipher.getAuthTag();
  return {
    name: FLAT,
    run() {
      let last = wrapped;
      for (let count = 0; count < people; count += 1) {
        const decipher = createDecipheriv('aes-256-gcm', former, nonce).setAuthTag(tag);
        const secret = Buffer.concat([decipher.update(wrapped), decipher.final()]);
        const again = createCipheriv('aes-256-gcm', next, randomBytes(12));
        last = Buffer.concat([again.update(secret), again.final(), again.getAuthTag()]);
      }
      return last;
    },
  };
}
