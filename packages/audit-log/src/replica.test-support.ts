/** Server processes of their own, to be killed: each writes changes with their events and runs the sequencer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Manifest } from '@strongroom/kernel';
import type { Location } from '@strongroom/storage';

/** What the events are about: a change and its event are committed together or not at all. */
export const changes: Pick<Manifest, 'name' | 'migrations' | 'dataMap' | 'auditEvents'> = {
  name: 'changes',
  migrations: [{ name: '0001-changes', sql: 'create table changes (change_id uuid primary key);' }],
  dataMap: { changes: { scope: 'installation', columns: { change_id: { kind: 'operational' } } } },
  auditEvents: {
    'change.made': {
      title: 'Something was changed',
      class: 'data-change',
      retention: 'access',
      ocsf: 'datastore-activity/create',
    },
  },
};

export interface ReplicaOptions {
  readonly location: Location;
  /** Where the root key is. */
  readonly slot: string;
  /** Transactions at once; every tenth of each is rolled back. */
  readonly writers: number;
  /** Milliseconds between two transactions of a writer. */
  readonly pause: number;
  /** `job`: as a server does, with a lease. `always`: one batch after the other. */
  readonly sequencer: 'job' | 'always';
}

/** Says `ready`, `committed <id>`, `begin <time>` and `end <time>` of each run of the sequencer that found something to do. */
const program = `
  import { setTimeout as pause } from 'node:timers/promises';
  import { createEncryption, fileSlot, manifest as encryptionManifest } from '@strongroom/encryption';
  import { newUuid, systemClock } from '@strongroom/kernel';
  import { inInstallation, openDatabase, startJobs } from '@strongroom/storage';
  import { sql } from 'kysely';
  import { catalogue, createAuditLog, manifest } from './src/index.ts';
  import { changes } from './src/replica.test-support.ts';
  const options = JSON.parse(process.argv[1]);
  const database = await openDatabase(options.location, [encryptionManifest, manifest, changes]);
  const encryption = await createEncryption({ slot: fileSlot(options.slot), mustExist: true });
  let jobs;
  const auditLog = createAuditLog({ clock: systemClock, database, encryption, events: catalogue([manifest, changes]),
    nudge: () => jobs?.nudge('audit-log.sequence') });
  const say = (line) => process.stdout.write(line + '\\n');
  const sequence = async (signal) => {
    say('begin ' + Date.now());
    try { return await auditLog.sequence(signal); } finally { say('end ' + Date.now()); }
  };
  const [job] = manifest.jobs;
  if (options.sequencer === 'job') {
    jobs = startJobs({ database, jobs: [job], services: { auditLog: { sequence } }, clock: systemClock, log: { jobFinished: () => {} } });
  } else {
    void (async () => { for (;;) { await auditLog.sequence(); await pause(5); } })();
  }
  const actor = { kind: 'account', account: newUuid(), session: newUuid(), tenant: newUuid() };
  const write = async () => {
    for (let count = 1; ; count += 1) {
      const id = newUuid();
      const context = { requestId: newUuid(), actor, addressPrefix: '203.0.113.0/24', receivedAt: Date.now() };
      const event = { type: 'change.made', outcome: 'success', context, tenant: actor.tenant, object: { type: 'change', id }, subjects: [], details: {} };
      await database.transaction(inInstallation, async (transaction) => {
        await sql\`insert into changes values (\${id})\`.execute(transaction);
        await auditLog.append(transaction, event);
        if (count % 10 === 0) throw new Error('rolled back');
      }).then(() => { say('committed ' + id); auditLog.committed(); }, () => {});
      if (options.pause > 0) await pause(options.pause);
    }
  };
  for (let writer = 0; writer < options.writers; writer += 1) void write();
  say('ready');`;

export interface Replica {
  readonly child: ChildProcess;
  /** Changes whose commit it reported. */
  readonly committed: Set<string>;
  /** Runs of its sequencer, in milliseconds since the epoch; the last may be under way. */
  readonly runs: { begin: number; end?: number }[];
  readonly ready: Promise<void>;
  /** SIGKILL, and the end of the process. */
  kill(): Promise<void>;
}

export function startReplica(options: ReplicaOptions, onLine: (line: string) => void = () => undefined): Replica {
  const parameters = ['--conditions=source', '--input-type=module-typescript', '-e', program, JSON.stringify(options)];
  const child = spawn(process.execPath, parameters, {
    cwd: resolve(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const committed = new Set<string>();
  const runs: Replica['runs'] = [];
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>();
  let rest = '';
  child.stdout.on('data', (data) => {
    const lines = (rest + String(data)).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const [word, value] = line.split(' ');
      if (word === 'ready') isReady();
      if (word === 'committed') committed.add(value!);
      if (word === 'begin') runs.push({ begin: Number(value) });
      if (word === 'end') runs.at(-1)!.end = Number(value);
      onLine(line);
    }
  });
  const closed = new Promise<void>((done) => {
    child.once('close', () => done());
  });
  return {
    child,
    committed,
    runs,
    ready,
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
