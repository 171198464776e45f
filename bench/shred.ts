/** An erasure among many people, beside what it would cost to give everybody another key. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEncryption, fileSlot, manifest } from '@strongroom/encryption';
import { openDatabase } from '@strongroom/storage';
import { counted, crowd, memoryOf } from '../packages/encryption/src/crowd.test-support.ts';
import type { Case, Contender } from './harness.ts';
import { startPostgresql } from './postgresql.ts';

/** More than any run erases. */
const VICTIMS = 2000;
const ROUNDS = 3;

export const FLAT = 'every key wrapped anew';

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
  const slot = counted(fileSlot(join(folder, 'root')));
  const encryption = await createEncryption({ slot });
  // From everywhere in the tree, so that no two share a path.
  const victims = await crowd(database, encryption, people, VICTIMS);
  const filled = slot.stores;
  let [shreds, wraps, most] = [0, 0, 0];
  const times: number[] = [];

  const ours: Contender = {
    name: 'Strongroom',
    async run() {
      const started = performance.now();
      const more = await memoryOf(async () => {
        const report = await encryption.keyTree.shred(database, [victims[shreds]!]);
        if (!report.complete || report.shredded !== 1) throw new Error('shred: nobody was erased');
        wraps = Math.max(wraps, report.wraps);
      });
      times.push(performance.now() - started);
      shreds += 1;
      most = Math.max(most, more);
    },
  };

  return {
    shredding: { name: `erase one of ${number.format(people)}`, contenders: [ours, flat(people)], rounds: ROUNDS },
    figures() {
      const median = times.toSorted((left, right) => left - right)[Math.floor(times.length / 2)] ?? Number.NaN;
      return [
        `Erasure among ${number.format(people)} people: ${(slot.stores - filled) / shreds} root operation, at most ${wraps} wraps, median ${median.toFixed(0)} ms ` +
          `of ${shreds}, at most ${most.toFixed(0)} MB more memory`,
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
