/** kill -9 of processes that deliver, at random points: every event arrives, in order, whatever arrives twice says so. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createEncryption, fileSlot } from '@strongroom/encryption';
import { systemClock } from '@strongroom/kernel';
import { inInstallation, openDatabase } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { createAuditLog } from './audit-log.ts';
import { catalogue } from './catalogue.ts';
import { auditEvent, manifests } from './log.test-support.ts';
import { indexesOf, isAuthentic, startReceiver } from './receiver.test-support.ts';
import { changes } from './replica.test-support.ts';
import { createSinks } from './sinks.ts';

const KILLS = 25;
/** Milliseconds from the first request of a life to its end, at most; without a request it ends after the other time. */
const LIFETIME = 60;
const IDLE = 2000;
/** Above the batches of all lives together, so that each process has something to do. */
const EVENTS = 30_000;
const ROTATE_BYTES = 4 * 1024 * 1024;

/** Delivers until there is nothing more, again and again. */
const program = `
  import { setTimeout as pause } from 'node:timers/promises';
  import { createEncryption, fileSlot } from '@strongroom/encryption';
  import { systemClock } from '@strongroom/kernel';
  import { openDatabase } from '@strongroom/storage';
  import { catalogue, createAuditLog, createSinks } from './src/index.ts';
  import { manifests } from './src/log.test-support.ts';
  import { changes } from './src/replica.test-support.ts';
  const [location, slot] = JSON.parse(process.argv[1]);
  const rooms = [...manifests, changes];
  const clock = systemClock;
  const database = await openDatabase(location, rooms);
  const encryption = await createEncryption({ slot: fileSlot(slot), mustExist: true });
  const auditLog = createAuditLog({ clock, database, encryption, events: catalogue(rooms), nudge: () => {} });
  const sinks = createSinks({ clock, database, encryption, auditLog, program: '0.0.0', nudge: () => {} });
  process.stdout.write('ready');
  for (;;) { await sinks.deliver(); await pause(5); }`;

const [, postgresql] = databases('both');

describe.skipIf(!postgresql!.available)('sinks of a process that is killed', () => {
  it(`get every event in order, ${KILLS} kills or not`, async () => {
    const rooms = [...manifests, changes];
    const location = await postgresql!.migrated(rooms);
    const slot = join(temporaryFolder(), 'root.key');
    const encryption = await createEncryption({ slot: fileSlot(slot) });
    const database = await openDatabase(location, rooms);
    const receiver = await startReceiver();
    const folder = temporaryFolder();
    const options = { clock: systemClock, database, encryption, nudge: () => undefined };
    const auditLog = createAuditLog({ ...options, events: catalogue(rooms) });
    const sinks = createSinks({ ...options, auditLog, program: '0.0.0' });
    let child: ChildProcess | undefined;
    try {
      const shared = { format: 'jsonl', withAddresses: false, from: 0 } as const;
      const { secret } = await sinks.add(
        { ...shared, name: 'webhook', target: { kind: 'webhook', url: receiver.url, authorities: null } },
        'command-line',
      );
      const target = { kind: 'file', folder, rotateBytes: ROTATE_BYTES, rotateDaily: false, keepFiles: null } as const;
      await sinks.add({ ...shared, name: 'file', target }, 'command-line');
      for (let written = 0; written < EVENTS; written += 2000) {
        await database.transaction(inInstallation, async (transaction) => {
          for (let count = 0; count < 2000; count += 1) {
            await auditLog.append(transaction, auditEvent({ type: 'change.made', details: {} }));
          }
        });
        await auditLog.sequence();
      }
      const size = EVENTS + 2;
      for (let kills = 0; kills < KILLS; kills += 1) {
        child = spawn(
          process.execPath,
          ['--conditions=source', '--input-type=module-typescript', '-e', program, JSON.stringify([location, slot])],
          { cwd: resolve(import.meta.dirname, '..'), stdio: ['ignore', 'pipe', 'inherit'] },
        );
        await once(child.stdout!, 'data');
        const requested = new Promise<void>((done) => {
          receiver.onRequest = done;
        });
        await Promise.race([requested, pause(IDLE)]);
        await pause(Math.random() * LIFETIME);
        child.kill('SIGKILL');
        await once(child, 'close');
      }
      const before = receiver.received.length;
      while ((await sinks.list()).some(({ eventsBehind }) => eventsBehind > 0)) await sinks.deliver();

      const expected = Array.from({ length: size }, (_, index) => index);
      expect(receiver.received.every((received) => isAuthentic(received, secret!))).toBe(true);
      const sent = receiver.received.flatMap(({ indexes }) => indexes);
      expect(firstTimes(sent)).toEqual(expected);
      expect(Math.max(...receiver.received.map(({ indexes }) => indexes.length))).toBe(512);
      // What came twice came under the same name.
      const ids = new Set(receiver.received.map(({ id }) => id));
      const starts = new Set(receiver.received.map(({ indexes }) => indexes[0]));
      expect(ids.size).toBe(starts.size);

      const files = readdirSync(folder).toSorted();
      const text = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
      expect(text.endsWith('\n')).toBe(true);
      const written = indexesOf(text);
      expect(firstTimes(written)).toEqual(expected);
      expect(files.length).toBeGreaterThan(2);
      figure(
        `${KILLS} kills in mid-delivery, ${size} events: webhook ${receiver.received.length} requests (${before} before the last run), ` +
          `${sent.length - size} events twice; ${files.length} files, ${written.length - size} lines twice; none lost, none out of order`,
      );
    } finally {
      child?.kill('SIGKILL');
      await receiver.close();
      await database.close();
    }
  });
});

/** Without what came before. */
const firstTimes = (indexes: readonly number[]): number[] => [...new Set(indexes)];
