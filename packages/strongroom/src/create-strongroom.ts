/** Joins the rooms into one service. Everything is wired here and nowhere else. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  accountForMigrations,
  catalogue,
  createAuditLog,
  createSinks,
  databaseOfJob,
  readReceipt,
} from '@strongroom/audit-log';
import {
  ensureSetupInvitation,
  people,
  profiles,
  rotatedIndexes,
  sessionEndings,
  sessionPort,
} from '@strongroom/authentication';
import { authorizer, memberships } from '@strongroom/authorization';
import { columnMigration, createEncryption, createIndexRotations, createRotations } from '@strongroom/encryption';
import { type Actor, type Clock, type Job, type Uuid, systemClock } from '@strongroom/kernel';
import { departures } from '@strongroom/memories';
import { type LogPort, type Pipeline, type SessionPort, createPipeline, openapi } from '@strongroom/pipeline';
import { createLimiter } from '@strongroom/rate-limiting';
import { type Database, type JobLog, type Jobs, type Location, openDatabase, startJobs } from '@strongroom/storage';
import { createBackups } from './backups.ts';
import { movingColumns, recordColumnMigration, recordIndexRotation } from './columns.ts';
import { encryptedTables } from './encrypted-tables.ts';
import { CompositionError } from './errors.ts';
import { type KeyCopies, type KeyCopyPlaces, createKeyCopies, keyCopyPlaces } from './key-copies.ts';
import { checkInstallation, isInstalled } from './installation.ts';
import { createKeys, recordKeyCopy, recordRotation } from './keys.ts';
import { rootSlots } from './root-slots.ts';
import { rooms, routes } from './rooms.ts';
import type { Services } from './services.ts';
import { VERSION } from './version.ts';

export interface StrongroomOptions {
  /** Folder of the installation: `database/` (unless PostgreSQL is used), `keys/`, the administrator's socket. */
  readonly data: string;
  readonly database?: { readonly url: string; readonly ownerUrl?: string };
  readonly durability?: 'durable' | 'relaxed';
  /** Where copies of the keys go whenever the root is replaced; what the environment says when absent (key-copies.ts). */
  readonly keyCopies?: KeyCopyPlaces;
  readonly log: LogPort & JobLog;
  readonly clock?: Clock;
  /** Where the service is published, such as `https://vault.example.org`; the request's own `host` when absent. */
  readonly origin?: string;
}

export interface Strongroom {
  readonly installation: Uuid;
  readonly services: Services;
  /** For people and their clients. */
  readonly pipeline: Pipeline<Services>;
  /** The same routes for whoever reaches the administrator's socket. */
  readonly operatorPipeline: Pipeline<Services>;
  readonly warnings: readonly string[];
  /** Begins to run the jobs of all rooms. */
  startJobs(): void;
  /** A fresh one-time token for the first owner; null once there is an account. */
  setupToken(): Promise<string | null>;
  /** Finishes running jobs and transactions, then closes the database. */
  close(): Promise<void>;
}

/** Of the room of encryption. */
const ROTATION_JOB = 'encryption.rotate-keys';
const INDEX_JOB = 'encryption.rotate-indexes';
const MIGRATION_JOB = 'encryption.migrate-columns';

const COOKIE_NAME = '__Host-strongroom';

/** Only who may connect to the socket gets here, and that is decided by the file's permissions. */
const operatorSessions: SessionPort = {
  identify: () =>
    Promise.resolve({
      actor: { kind: 'operator', via: 'administrator-socket' },
      assurance: 'session',
      credential: 'none',
    }),
};

/** Throws StrongroomErrors of storage, encryption and this package; what was opened until then is closed again. */
export async function createStrongroom(options: StrongroomOptions): Promise<Strongroom> {
  const { data, clock = systemClock } = options;
  await makeFolder(data);
  const database = await openDatabase(location(options), rooms);
  try {
    return await join(options, database, clock);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function join(options: StrongroomOptions, database: Database, clock: Clock): Promise<Strongroom> {
  const keys = path.join(options.data, 'keys');
  await makeFolder(keys);
  const mustExist = await isInstalled(database);
  const keyCopies = createKeyCopies({
    ...(options.keyCopies ?? (await keyCopyPlaces(options.data))),
    clock,
    database,
    keyTree: () => encryption.keyTree,
    record: (summary, version) => recordKeyCopy({ auditLog, clock, database }, summary, version),
  });
  const { beforeReplacing } = keyCopies;
  const encryption = await createEncryption({ ...rootSlots(options.data), mustExist, clock, beforeReplacing });
  const installation = await checkInstallation(database, encryption, clock);
  // An erasure that a crash cut off is finished, or undone, before anybody reads.
  await encryption.keyTree.recover(database);

  // The jobs start last; until then there is nobody to nudge, and they look for work themselves when they start.
  let jobsRunning: Jobs | undefined;
  // A server has its jobs running; a command that opened the folder of a stopped one has not.
  const operator = (): Actor => ({
    kind: 'operator',
    via: jobsRunning === undefined ? 'command-line' : 'administrator-socket',
  });
  const auditLog = createAuditLog({
    clock,
    database,
    encryption,
    events: catalogue(rooms),
    nudge: () => jobsRunning?.nudge('audit-log.sequence'),
  });
  await accountForMigrations(database, { auditLog, clock });
  const ofJob = (job: string): Database => databaseOfJob(database, job, { auditLog, clock });
  const auditSinks = createSinks({
    clock,
    database,
    encryption,
    auditLog,
    program: VERSION,
    nudge: () => jobsRunning?.nudge('audit-log.deliver'),
  });
  const backups = createBackups({ clock, database, auditLog });
  const rotations = createRotations({
    database: ofJob(ROTATION_JOB),
    encryption,
    clock,
    tables: encryptedTables,
    record: (transaction, moment, report) => recordRotation({ auditLog, clock, operator }, transaction, moment, report),
  });
  const indexRotations = createIndexRotations({
    database: ofJob(INDEX_JOB),
    encryption,
    clock,
    tables: encryptedTables,
    indexes: rotatedIndexes,
    record: (transaction, moment, report) =>
      recordIndexRotation({ auditLog, clock, operator }, transaction, moment, report),
    nudge: () => jobsRunning?.nudge(INDEX_JOB),
  });
  const columnMigrations = movingColumns.map((moving) =>
    columnMigration({
      ...moving,
      database: ofJob(MIGRATION_JOB),
      encryption,
      clock,
      record: (transaction, step) => recordColumnMigration({ auditLog, clock, operator }, transaction, step),
    }),
  );
  const nudgeRotation = (): void => jobsRunning?.nudge(ROTATION_JOB);
  const keysService = createKeys({
    clock,
    database,
    encryption,
    auditLog,
    keyCopies,
    rotations,
    nudge: nudgeRotation,
  });
  let document: Readonly<Record<string, unknown>> | undefined;
  const services: Services = {
    clock,
    database,
    encryption,
    memberships,
    auditLog,
    auditSinks,
    backups,
    rotations,
    indexRotations,
    columnMigrations,
    keys: keysService,
    profiles: profiles({ encryption }),
    people: people({ encryption, indexRotations }),
    sessionEndings,
    departures: departures({ clock }),
    receipts: { receipt: readReceipt },
    subjectErasure: { shred: (subjects) => keysService.eraseDeleted(subjects) },
    // Not at the start: it is a tenth of a start's work, and few ask for it.
    openApiDocument: () =>
      (document ??= openapi(routes, { title: 'Strongroom', version: VERSION, cookieName: COOKIE_NAME })),
  };
  const ports = {
    authorizer: authorizer(rooms),
    limiter: createLimiter({ database, clock, hash: (purpose, input) => encryption.keyedHash(purpose, input) }),
    audit: auditLog,
    log: options.log,
  };
  const shared = {
    routes,
    manifests: rooms,
    services,
    database,
    clock,
    ...(options.origin === undefined ? {} : { origin: options.origin }),
  };
  const pipeline = createPipeline<Services>({ ...shared, ports: { ...ports, sessions: sessionPort(services) } });
  const operatorPipeline = createPipeline<Services>({ ...shared, ports: { ...ports, sessions: operatorSessions } });
  const jobs = rooms.flatMap((room): readonly Job<Services>[] => room.jobs ?? []);
  const recordedJobs = jobs.map(({ run, ...job }): Job<Services> => ({
    ...job,
    run: (given, signal) => run({ ...given, database: ofJob(job.name) }, signal),
  }));

  return {
    installation,
    services,
    pipeline,
    operatorPipeline,
    warnings: [...database.warnings, ...(await copyWarnings(keyCopies))],
    startJobs() {
      jobsRunning ??= startJobs({ database, jobs: recordedJobs, services, clock, log: options.log });
    },
    setupToken: () => ensureSetupInvitation(services),
    async close() {
      await backups.stop();
      await jobsRunning?.stop();
      jobsRunning = undefined;
      await database.close();
    },
  };
}

/** What the operator should know before somebody is erased. */
async function copyWarnings(keyCopies: KeyCopies): Promise<readonly string[]> {
  if (!keyCopies.isConfigured) {
    return [
      'No place for copies of the keys is configured. When somebody deletes an account, older backups need a copy of the keys made afterwards: docs/guides/backup.md.',
    ];
  }
  const states = await keyCopies.states();
  return states.flatMap(({ folder, state, failure = '' }) =>
    state === 'unavailable' ? [`Copies of the keys cannot be written to ${folder} (${failure}).`] : [],
  );
}

function location({ data, database, durability = 'durable' }: StrongroomOptions): Location {
  if (database === undefined) return { kind: 'folder', path: path.join(data, 'database'), durability };
  return { kind: 'postgresql', ...database };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CompositionError('strongroom.data-folder', { detail: `It cannot be created: ${folder}`, cause });
  }
}
