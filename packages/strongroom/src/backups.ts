/** Backups of the running service, and the operator's routes to them. */
import { type AuditLog, unrequestedEvent } from '@strongroom/audit-log';
import { type BackupSummary, createBackup, parseRecipients } from '@strongroom/backup';
import { type Actor, type Clock, type Manifest, type Uuid, newUuid } from '@strongroom/kernel';
import { type Route, defineRoutes, notAudited, operatorOnly } from '@strongroom/pipeline';
import { type Database, asSystem } from '@strongroom/storage';
import { z } from 'zod';
import { CompositionError } from './errors.ts';
import { VERSION } from './version.ts';
import { operatorLimit } from './operator-routes.ts';

/**
 * What a restore must not bring back: sessions ended since, links used since, and leases of jobs that no longer run. Everybody signs in
 * again, and invitations that were open are made anew.
 */
const LEFT_OUT = ['jobs', 'sessions', 'single_use_secrets'];

/**
 * The wrapped keys of people and the ledger of the erased. A restore takes them from the newest copy there is: the root key in use now opens no
 * older ones. What else encryption keeps (how far a rotation is) belongs to the values and comes with them.
 */
export const KEY_TABLES: readonly string[] = ['key_tree', 'key_nodes', 'subject_keys', 'shredded_subjects'];

interface BackupRequest {
  /** Absolute, and of no file that exists. */
  readonly path: string;
  readonly recipients: readonly string[];
  /** Only the wrapped keys of people: what a restore of an older backup needs after somebody was erased. */
  readonly keysOnly?: boolean | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

interface BackupProgress {
  readonly done: number;
  readonly total: number;
  /** Absent while it runs. */
  readonly summary?: BackupSummary | undefined;
}

export interface Backups {
  /** Writes a backup and records it. Throws what `createBackup` throws, and `strongroom.backup-running`. */
  create(request: BackupRequest, via: Via): Promise<BackupSummary>;
  /** Begins one. Throws for recipients that are none, and `strongroom.backup-running`. */
  start(request: BackupRequest, via: Via): Uuid;
  /** Rejects with what the backup rejected with, and `strongroom.no-such-backup`. */
  progress(id: Uuid): Promise<BackupProgress>;
  /** Ends a running one, which leaves nothing behind. */
  stop(): Promise<void>;
}

type Via = Extract<Actor, { kind: 'operator' }>['via'];

interface Run extends BackupProgress {
  readonly id: Uuid;
  readonly finished: Promise<BackupSummary>;
}

interface BackupsOptions {
  readonly clock: Clock;
  readonly database: Database;
  readonly auditLog: AuditLog;
}

export function createBackups({ clock, database, auditLog }: BackupsOptions): Backups {
  const stopping = new AbortController();
  let running = false;
  /** The last one that `start` began. */
  let run: Run | undefined;

  /** Before the file gets its name: no backup without its event. */
  async function record(summary: BackupSummary, via: Via): Promise<void> {
    const details = { rows: summary.rows, bytes: summary.bytes };
    const event = unrequestedEvent({ kind: 'operator', via }, clock.now(), { type: 'backup.create', details });
    await database.transaction(asSystem, (transaction) => auditLog.append(transaction, event));
    auditLog.committed();
  }

  async function create({ keysOnly = false, ...request }: BackupRequest, via: Via): Promise<BackupSummary> {
    if (running) throw new CompositionError('strongroom.backup-running');
    running = true;
    try {
      return await createBackup({
        ...request,
        database,
        clock,
        program: VERSION,
        leaveOut: LEFT_OUT,
        ...(keysOnly ? { only: KEY_TABLES } : {}),
        signal: stopping.signal,
        beforePublishing: (summary) => record(summary, via),
      });
    } finally {
      running = false;
    }
  }

  return {
    create,
    start(request, via) {
      parseRecipients(request.recipients);
      if (running) throw new CompositionError('strongroom.backup-running');
      const id = newUuid(clock.now());
      let [done, total] = [0, 0];
      const onProgress = (rows: number, all: number): void => {
        [done, total] = [rows, all];
      };
      let summary: BackupSummary | undefined;
      const finished = create({ ...request, onProgress }, via).then((result) => (summary = result));
      // Whoever asks for the progress is told.
      finished.catch(() => undefined);
      run = {
        id,
        finished,
        get done() {
          return done;
        },
        get total() {
          return total;
        },
        get summary() {
          return summary;
        },
      };
      return id;
    },
    async progress(id) {
      if (run?.id !== id) throw new CompositionError('strongroom.no-such-backup');
      const { finished } = run;
      // Looks without waiting for one that goes on.
      await Promise.race([finished, Promise.resolve()]);
      const { done, total, summary } = run;
      return { done, total, summary };
    },
    async stop() {
      stopping.abort(new CompositionError('strongroom.not-ready'));
      await run?.finished.catch(() => undefined);
    },
  };
}

export interface BackupServices {
  readonly backups: Backups;
}

const defineRoute = defineRoutes<BackupServices>();

const limit = operatorLimit('backups');

const VIA: Via = 'administrator-socket';

const summary = z.strictObject({
  createdAt: z.string(),
  program: z.string(),
  format: z.int(),
  whole: z.boolean(),
  rows: z.int(),
  tables: z.array(z.strictObject({ name: z.string(), rows: z.int() })),
  leftOut: z.array(z.string()),
  bytes: z.int(),
});

const start = defineRoute({
  method: 'POST',
  path: '/operator/backups',
  summary: 'Begins to write a backup into a file on this machine',
  input: {
    body: z.strictObject({
      /** PATH_MAX of Linux. */
      path: z.string().startsWith('/').max(4096),
      recipients: z.array(z.string().max(4096)).min(1).max(16),
      keysOnly: z.boolean().optional(),
    }),
  },
  output: z.strictObject({ id: z.string() }),
  access: operatorOnly,
  assurance: 'session',
  limit: [limit],
  audit: notAudited('The backup writes its event itself, in the moment it is complete.'),
  // It outlives the request.
  stateless: true,
  handler: ({ body, services }) => Promise.resolve({ body: { id: services.backups.start(body, VIA) } }),
});

const progress = defineRoute({
  method: 'GET',
  path: '/operator/backups/{backup}',
  summary: 'How far a backup has come',
  input: { path: z.strictObject({ backup: z.string() }) },
  output: z.strictObject({ done: z.int(), total: z.int(), summary: summary.nullable() }),
  access: operatorOnly,
  assurance: 'session',
  limit: [limit],
  audit: notAudited('It shows figures of a backup that has its own event.'),
  stateless: true,
  async handler({ path, services }) {
    const { done, total, summary: result } = await services.backups.progress(path.backup as Uuid);
    return {
      body: {
        done,
        total,
        summary: result === undefined ? null : { ...result, tables: [...result.tables], leftOut: [...result.leftOut] },
      },
    };
  },
});

export const manifest: Manifest<Route<BackupServices>> = {
  name: 'backup',
  auditEvents: {
    'backup.create': {
      title: 'The operator made a backup',
      class: 'administration',
      retention: 'security',
      ocsf: 'datastore-activity/read',
    },
    'backup.restore': {
      title: 'The operator restored a backup',
      class: 'administration',
      retention: 'security',
      ocsf: 'datastore-activity/write',
    },
  },
  routes: [start, progress],
};
