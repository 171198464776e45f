/**
 * Keys of the running service: how they are doing, replacing them, erasing people. Whatever replaces the root of the key tree makes every earlier copy
 * of people's keys worthless, so these operations take care of a new copy.
 */
import type { AuditLog } from '@strongroom/audit-log';
import type { BackupSummary } from '@strongroom/backup';
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
import type { Actor, Clock, Uuid } from '@strongroom/kernel';
import { type Database, type Transaction, asSystem } from '@strongroom/storage';
import { encryptedTables } from './encrypted-tables.ts';
import { CompositionError } from './errors.ts';
import type { KeyCopies, KeyCopy, KeyCopyState } from './key-copies.ts';
import {
  appendVaultEvent,
  type OperatorEventServices,
  type VaultEvent,
  type VaultEventServices,
} from './vault-events.ts';

type Via = Extract<Actor, { kind: 'operator' }>['via'];

/**
 * Where a copy of people's wrapped keys goes beside the configured places: a file, as `backup create --keys-only` makes it. `configured`: these places only,
 * of which there must be one. `none`: the caller's word that a copy is made otherwise, or that losing the database may lose everything.
 */
export type KeyCopyWish = KeyCopy | 'configured' | 'none';

export interface RotateRequest {
  readonly scope: RotationScope;
  readonly share?: number | undefined;
  readonly keepsFormer?: boolean | undefined;
  /** See `RotationOptions`. The root stays, and with it every copy of the keys. */
  readonly toPresent?: boolean | undefined;
  readonly copy: KeyCopyWish;
}

export interface KeysOverview extends KeyStatus {
  /** Key versions that stored values are under. */
  readonly versionsInUse: readonly number[];
  readonly rotations: readonly RotationReport[];
  /** Places for copies of the keys; none when none is configured. */
  readonly copies: readonly KeyCopyState[];
  /** People whose account was deleted and whose keys are yet to be erased. */
  readonly waiting: number;
}

export interface VaultShredReport extends ShredReport {
  readonly copies: readonly KeyCopyState[];
}

export interface Keys {
  overview(): Promise<KeysOverview>;
  /**
   * Erases people's keys. Copies of the keys are written before the root is replaced and hold the remaining people's alone afterwards; `complete` when every
   * slot and every configured place has acknowledged. Throws what `KeyTree.shred`, backups and `KeyCopies.around` throw, and `strongroom.key-copy-wanted`.
   */
  shred(subjects: readonly Uuid[], copy: KeyCopyWish, via: Via): Promise<VaultShredReport>;
  /** The same for people who deleted their account. */
  eraseDeleted(subjects: readonly Uuid[]): Promise<void>;
  /** What a place could not be given before. Throws `strongroom.key-copies-behind`. */
  settleCopies(): Promise<void>;
  /** Begins a rotation, whose root is replaced at once, with copies as for `shred`; the values follow in the background. */
  rotate(request: RotateRequest): Promise<RotationReport>;
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
  readonly keyCopies: KeyCopies;
  readonly rotations: Rotations;
  /** A rotation is waiting. */
  readonly nudge: () => void;
}

type EventType =
  | 'keys.shred-begun'
  | 'keys.shred-ended'
  | 'keys.rotation-begun'
  | 'keys.rotation-ended'
  | 'keys.copied';

const appendKeyEvent = (
  services: VaultEventServices,
  transaction: Transaction,
  event: VaultEvent<EventType>,
): Promise<void> => appendVaultEvent(services, transaction, event);

/** A rotation begins by the operator's word and ends in a job: both are the operator's doing. */
export const recordRotation = (
  services: OperatorEventServices,
  transaction: Transaction,
  moment: 'begun' | 'ended',
  { scope, keyVersion, state, rewritten, damaged, retired }: RotationReport,
): Promise<void> =>
  appendKeyEvent(services, transaction, {
    type: `keys.rotation-${moment}`,
    outcome: state === 'failed' || state === 'cancelled' ? 'failure' : 'success',
    actor: services.operator(),
    details: {
      scope: scope.kind === 'column' ? `${scope.table}.${scope.column}` : scope.kind,
      ...(scope.kind === 'tenant' ? { tenant: scope.tenant } : {}),
      keyVersion,
      ...(moment === 'begun' ? {} : { state, rewritten, damaged, retired: retired.join(' ') }),
    },
  });

/** Whoever asked for what replaced the root has an event of their own. */
export const recordKeyCopy = async (
  services: Pick<KeysOptions, 'auditLog' | 'clock' | 'database'>,
  { rows, bytes }: BackupSummary,
  treeVersion: number,
): Promise<void> => {
  await services.database.transaction(asSystem, (transaction) =>
    appendKeyEvent(services, transaction, {
      type: 'keys.copied',
      outcome: 'success',
      actor: { kind: 'system', job: SETTLE_COPIES },
      details: { rows, bytes, treeVersion },
    }),
  );
  services.auditLog.committed();
};

export const SETTLE_COPIES = 'keys.settle-copies';

const isPresent = ({ state }: KeyCopyState): boolean => state === 'present';

export function createKeys(options: KeysOptions): Keys {
  const { database, encryption, auditLog, keyCopies, rotations, nudge } = options;

  async function record(event: Parameters<typeof appendKeyEvent>[2]): Promise<void> {
    await database.transaction(asSystem, (transaction) => appendKeyEvent(options, transaction, event));
    auditLog.committed();
  }

  /** `work` may replace the root. */
  function withCopies<Result>(copy: KeyCopyWish, work: () => Promise<Result>): Promise<Result> {
    if (copy === 'configured' && !keyCopies.isConfigured) throw new CompositionError('strongroom.key-copy-wanted');
    return keyCopies.around(typeof copy === 'string' ? undefined : copy, work);
  }

  /** What the log keeps of them opens no more; it says so itself. A job does it when this is cut off. */
  async function forgetInLog(subjects: readonly Uuid[]): Promise<void> {
    await database.transaction(asSystem, (transaction) => auditLog.redactErased(transaction, subjects));
    auditLog.committed();
  }

  async function countWaiting(): Promise<number> {
    return database.transaction(asSystem, async (transaction) => {
      const queue = transaction
        .$extendTables<{ deleted_accounts: { account_id: Uuid } }>()
        .selectFrom('deleted_accounts');
      const { count } = await queue.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
      return count;
    });
  }

  return {
    async overview() {
      const status = await encryption.keyTree.status(database);
      const inUse = await database.transaction(asSystem, (transaction) => versionsInUse(transaction, encryptedTables));
      return {
        ...status,
        versionsInUse: [...inUse].toSorted((one, other) => one - other),
        rotations: await rotations.list(),
        copies: await keyCopies.states(),
        waiting: await countWaiting(),
      };
    },
    async shred(subjects, copy, via) {
      const actor: Actor = { kind: 'operator', via };
      const report = await withCopies(copy, async () => {
        await record({ type: 'keys.shred-begun', outcome: 'success', actor, details: { people: subjects.length } });
        const shredded = await encryption.keyTree.shred(database, subjects);
        await forgetInLog(subjects);
        const { already, complete, erased, rootOperations } = shredded;
        const details = { people: shredded.shredded, already, rootOperations, complete, erased };
        await record({ type: 'keys.shred-ended', outcome: complete ? 'success' : 'failure', actor, details });
        return shredded;
      });
      const copies = await keyCopies.states();
      return { ...report, complete: report.complete && copies.every(isPresent), copies };
    },
    async eraseDeleted(subjects) {
      await withCopies('none', () => encryption.keyTree.shred(database, subjects));
      await forgetInLog(subjects);
    },
    async settleCopies() {
      const lacking = (await keyCopies.settle()).filter((copy) => !isPresent(copy));
      if (lacking.length === 0) return;
      const detail = lacking.map(({ folder, state, failure }) => `${folder}: ${failure ?? state}.`).join(' ');
      throw new CompositionError('strongroom.key-copies-behind', { detail });
    },
    async rotate({ scope, share, keepsFormer, toPresent = false, copy }) {
      const begin = () => rotations.begin(scope, { share, keepsFormer, toPresent });
      const report = toPresent ? await begin() : await withCopies(copy, begin);
      nudge();
      return report;
    },
    rotation: (id) => rotations.read(id),
    cancelRotation: (id) => rotations.cancel(id),
    planIndex: (table, column, planning) =>
      planBlindIndex({ database, encryption, tables: encryptedTables, table, column }, planning),
  };
}
