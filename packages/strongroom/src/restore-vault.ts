/** From a backup to a vault that can be started: rows, root key and an event that says so. */
import path from 'node:path';
import { catalogue, createAuditLog, settleRestored, unrequestedEvent } from '@strongroom/audit-log';
import { BackupError, type BackupSummary, dropErased, restoreBackup } from '@strongroom/backup';
import {
  type Encryption,
  EncryptionError,
  createEncryption,
  missingIndexVersions,
  versionsInUse,
} from '@strongroom/encryption';
import { type Clock, type Uuid, systemClock } from '@strongroom/kernel';
import type { Location, Transaction } from '@strongroom/storage';
import { KEY_TABLES } from './backups.ts';
import { encryptedTables } from './encrypted-tables.ts';
import { CompositionError } from './errors.ts';
import { checkRootKey } from './installation.ts';
import { newestCopy } from './key-copy-folder.ts';
import { rooms } from './rooms.ts';
import { rootSlots } from './root-slots.ts';

export interface RestoreVaultOptions {
  /** Folder of the installation, whose root slots (root-slots.ts) must hold the root key already; the database must not hold anything. */
  readonly data: string;
  readonly database?: { readonly url: string; readonly ownerUrl?: string };
  readonly path: string;
  /** Contents of identities files. */
  readonly identities: readonly string[];
  /** A newer backup, or one of the keys only, from after the last erasure, or a folder in which the server keeps such copies: where the keys come from. */
  readonly keys?: string | undefined;
  readonly clock?: Clock;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Throws `encryption.root-missing` before anything else, `strongroom.wrong-root-key` when the root key in the folder is not the one the backup's
 * values were written under, `strongroom.keys-outdated`, and what `restoreBackup` throws. The database is then as empty as before.
 */
export async function restoreVault(options: RestoreVaultOptions): Promise<BackupSummary> {
  const { data, clock = systemClock } = options;
  const encryption = await createEncryption({
    ...rootSlots(data),
    mustExist: true,
    clock,
  });
  const keys = options.keys === undefined ? undefined : await keysFrom(options.keys);
  const location: Location =
    options.database === undefined
      ? { kind: 'folder', path: path.join(data, 'database') }
      : { kind: 'postgresql', ...options.database };
  return restoreBackup({
    path: options.path,
    identities: options.identities,
    location,
    manifests: rooms,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    instead: keys === undefined ? undefined : { path: keys, tables: KEY_TABLES },
    check: (transaction) => settle(transaction, encryption),
    finish: async (transaction, database, { rows, createdAt }) => {
      const auditLog = createAuditLog({
        clock,
        database,
        encryption,
        events: catalogue(rooms),
        nudge: () => undefined,
      });
      // Whoever was erased since the backup was made must be forgotten in this copy of the log, too.
      await auditLog.redactErased(transaction);
      const event = { type: 'backup.restore', details: { rows, backupFrom: createdAt } };
      const operator = { kind: 'operator', via: 'command-line' } as const;
      await auditLog.append(transaction, unrequestedEvent(operator, clock.now(), event));
    },
  });
}

async function keysFrom(place: string): Promise<string> {
  const found = await newestCopy(place).catch((cause: unknown) => {
    throw new BackupError('backup.file-unreadable', { detail: `It is ${place}.`, cause });
  });
  if (found === undefined) throw new BackupError('backup.file-unreadable', { detail: `No copy is in ${place}.` });
  return found;
}

/** The rows are in place: do they belong to the root key, and to the keys as they are today? */
async function settle(transaction: Transaction, encryption: Encryption): Promise<void> {
  await checkRootKey(transaction, encryption);
  // Before the tree: a rotation replaced its root, too, but no newer copy of the keys brings a retired version back.
  const known = new Set(encryption.keyTree.openable());
  const inUse = await versionsInUse(transaction, encryptedTables);
  const withoutKeys = [...inUse].filter((version) => !known.has(version));
  const gone = [...new Set([...withoutKeys, ...(await missingIndexVersions(transaction, encryption))])];
  if (gone.length > 0)
    throw new CompositionError('strongroom.keys-retired', { detail: `Key version ${gone.join(', ')}.` });
  try {
    await encryption.keyTree.realign(transaction);
    // Asks for nobody's keys, but compares the tree's version with the root's.
    await encryption.subjects(transaction, []);
  } catch (error) {
    if (!(error instanceof EncryptionError) || error.code !== 'encryption.tree-mismatch') throw error;
    throw new CompositionError('strongroom.keys-outdated', { cause: error });
  }
  await dropErased<Uuid>(transaction, rooms, (people) => encryption.keyTree.shreddedOf(transaction, people));
  await settleRestored(transaction);
}
