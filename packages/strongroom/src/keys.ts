/**
 * Keys of the running service: how they are doing, replacing them, erasing people. Whatever replaces the root of the key tree makes every earlier copy
 * of people's keys worthless, so these operations take care of a new copy.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { AuditLog } from '@strongroom/audit-log';
import { BackupError } from '@strongroom/backup';
import {
  type Encryption,
  type IndexPlan,
  type IndexPlanOptions,
  type KeyStatus,
  type RotationReport,
  type Rotations,
  type RotationScope,
  type ShredReport,
  planBlindIndex,
  versionsInUse,
} from '@strongroom/encryption';
import { type Actor, type Clock, type Uuid, newUuid } from '@strongroom/kernel';
import { type Database, type Transaction, asSystem } from '@strongroom/storage';
import type { Backups } from './backups.ts';
import { encryptedTables } from './encrypted-tables.ts';
import { CompositionError } from './errors.ts';

type Via = Extract<Actor, { kind: 'operator' }>['via'];

/** Where the copy of people's wrapped keys goes, as `backup create --keys-only` makes it; `path` is of no file that exists. */
export interface KeyCopy {
  readonly path: string;
  readonly recipients: readonly string[];
}

export interface RotateRequest {
  readonly scope: RotationScope;
  readonly share?: number | undefined;
  readonly keepsFormer?: boolean | undefined;
  /** See `RotationOptions`. The root stays, and with it every copy of the keys. */
  readonly toPresent?: boolean | undefined;
  readonly copy: KeyCopy | 'none';
}

export interface KeysOverview extends KeyStatus {
  /** Key versions that stored values are under. */
  readonly versionsInUse: readonly number[];
  readonly rotations: readonly RotationReport[];
}

/** `copy: 'none'` is the caller's word that a copy is made otherwise, or that losing the database may lose everything. */
export interface Keys {
  overview(): Promise<KeysOverview>;
  /**
   * Erases people's keys. A copy of the keys is written before, into `path` with `.before` behind it, and removed when the one after the erasure is
   * complete. Throws what `KeyTree.shred` and backups throw; `strongroom.keys-not-copied` when the erasure has happened and the copy after it could
   * not be written.
   */
  shred(subjects: readonly Uuid[], copy: KeyCopy | 'none', via: Via): Promise<ShredReport>;
  /** Begins a rotation, whose root is replaced at once, with copies as for `shred`; the values follow in the background. */
  rotate(request: RotateRequest, via: Via): Promise<RotationReport>;
  rotation(id: Uuid): Promise<RotationReport>;
  cancelRotation(id: Uuid): Promise<RotationReport>;
  /** What a blind index of this column would give away. Reads the column and writes nothing. */
  planIndex(table: string, column: string, options?: IndexPlanOptions): Promise<IndexPlan>;
}

interface KeysOptions {
  readonly clock: Clock;
  readonly database: Database;
  readonly encryption: Encryption;
  readonly auditLog: AuditLog;
  readonly backups: Backups;
  readonly rotations: Rotations;
  /** A rotation is waiting. */
  readonly nudge: () => void;
}

type EventType = 'keys.shred-begun' | 'keys.shred-ended' | 'keys.rotation-begun' | 'keys.rotation-ended';

/** An event of the operator's, outside any request. */
async function appendKeyEvent(
  { auditLog, clock }: Pick<KeysOptions, 'auditLog' | 'clock'>,
  transaction: Transaction,
  event: {
    readonly type: EventType;
    readonly outcome: 'success' | 'failure';
    readonly via: Via;
    readonly details: Readonly<Record<string, string | number | boolean>>;
  },
): Promise<void> {
  const now = clock.now();
  const { via, ...rest } = event;
  await auditLog.append(transaction, {
    ...rest,
    context: { requestId: newUuid(now), actor: { kind: 'operator', via }, addressPrefix: null, receivedAt: now },
    tenant: null,
    object: null,
    subjects: [],
  });
}

/** A rotation begins by the operator's word and ends in a job: both are the operator's doing. */
export const recordRotation = (
  services: Pick<KeysOptions, 'auditLog' | 'clock'>,
  transaction: Transaction,
  moment: 'begun' | 'ended',
  { scope, keyVersion, state, rewritten, damaged, retired }: RotationReport,
): Promise<void> =>
  appendKeyEvent(services, transaction, {
    type: `keys.rotation-${moment}`,
    outcome: state === 'failed' || state === 'cancelled' ? 'failure' : 'success',
    via: 'administrator-socket',
    details: {
      scope: scope.kind === 'column' ? `${scope.table}.${scope.column}` : scope.kind,
      ...(scope.kind === 'tenant' ? { tenant: scope.tenant } : {}),
      keyVersion,
      ...(moment === 'begun' ? {} : { state, rewritten, damaged, retired: retired.join(' ') }),
    },
  });

export function createKeys(options: KeysOptions): Keys {
  const { database, encryption, auditLog, backups, rotations, nudge } = options;

  async function record(event: Parameters<typeof appendKeyEvent>[2]): Promise<void> {
    await database.transaction(asSystem, (transaction) => appendKeyEvent(options, transaction, event));
    auditLog.committed();
  }

  /** `work` replaces the root. */
  async function withCopy<Result>(copy: KeyCopy | 'none', via: Via, work: () => Promise<Result>): Promise<Result> {
    if (copy === 'none') return work();
    if (existsSync(copy.path)) throw new BackupError('backup.file-exists');
    const before = `${copy.path}.before`;
    // Also shows that the folder takes a file and that the recipients are some, before anything is replaced.
    await backups.create({ ...copy, path: before, keysOnly: true }, via);
    try {
      const result = await work();
      try {
        await backups.create({ ...copy, keysOnly: true }, via);
      } catch (cause) {
        throw new CompositionError('strongroom.keys-not-copied', { cause });
      }
      return result;
    } finally {
      // Beneath a root that is gone it opens nothing. It stays behind only where the process died in between.
      await rm(before, { force: true });
    }
  }

  return {
    async overview() {
      const status = await encryption.keyTree.status(database);
      const inUse = await database.transaction(asSystem, (transaction) => versionsInUse(transaction, encryptedTables));
      return {
        ...status,
        versionsInUse: [...inUse].toSorted((one, other) => one - other),
        rotations: await rotations.list(),
      };
    },
    shred: (subjects, copy, via) =>
      withCopy(copy, via, async () => {
        await record({ type: 'keys.shred-begun', outcome: 'success', via, details: { people: subjects.length } });
        const report = await encryption.keyTree.shred(database, subjects);
        const { shredded, already, complete, erased, rootOperations } = report;
        const details = { people: shredded, already, rootOperations, complete, erased };
        await record({ type: 'keys.shred-ended', outcome: complete ? 'success' : 'failure', via, details });
        return report;
      }),
    async rotate({ scope, share, keepsFormer, toPresent = false, copy }, via) {
      const begin = () => rotations.begin(scope, { share, keepsFormer, toPresent });
      const report = toPresent ? await begin() : await withCopy(copy, via, begin);
      nudge();
      return report;
    },
    rotation: (id) => rotations.read(id),
    cancelRotation: (id) => rotations.cancel(id),
    planIndex: (table, column, planning) =>
      planBlindIndex({ database, encryption, tables: encryptedTables, table, column }, planning),
  };
}
