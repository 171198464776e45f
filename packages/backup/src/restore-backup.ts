/** Loading a backup into an empty database. */
import {
  StorageError,
  asSystem,
  openDatabase,
  type Database,
  type Location,
  type Transaction,
} from '@strongroom/storage';
import { BackupError } from './errors.ts';
import { loadBackup, prepareLoad } from './internal/load.ts';
import type { BackupReader } from './internal/document.ts';
import { openBackup } from './internal/open-backup.ts';
import { schemaThen, type SchemaManifest } from './internal/schema-then.ts';
import { summarise, type BackupSummary } from './summary.ts';
import type { ReadBackupOptions } from './verify-backup.ts';

export interface RestoreBackupOptions extends ReadBackupOptions {
  readonly location: Location;
  /** All rooms of the program, in floor order. */
  readonly manifests: readonly SchemaManifest[];
  /** Rows of these tables are taken from another backup, which may hold nothing else and must not be older. */
  readonly instead?: { readonly path: string; readonly tables: readonly string[] } | undefined;
  /** Called with the rows in place; a rejection puts the database back to empty. The schema is that of the backup. */
  readonly check?: (transaction: Transaction) => Promise<void>;
  /**
   * Called with the rows in place and the schema of today: in the same transaction, or, when the backup was older than the newest
   * migration, in one of its own that follows.
   */
  readonly finish?: (transaction: Transaction, database: Database, summary: BackupSummary) => Promise<void>;
}

/**
 * All rows arrive in one transaction that commits after the backup was read to its end: whatever happens before, a killed process and a
 * full disk included, the database stays empty and the restore can be repeated. A backup older than the newest migration is loaded
 * into the schema of its time and migrated. Throws what `verifyBackup` throws, `backup.target-not-empty`, `backup.other-schema`, `backup.older-keys`, StorageErrors.
 */
export async function restoreBackup(options: RestoreBackupOptions): Promise<BackupSummary> {
  const { location, manifests, instead, onProgress = () => undefined } = options;
  // Before the database is touched: whether the file can be opened at all, and belongs to a program like this.
  const { reader, bytes } = await openBackup(options.path, options.identities);
  const other = instead === undefined ? undefined : await openOther(reader, instead.path, options.identities);
  try {
    if (!reader.header.whole) throw new BackupError('backup.partial');
    if (other !== undefined && Date.parse(other.header.createdAt) < Date.parse(reader.header.createdAt))
      throw new BackupError('backup.older-keys');
    const schema = schemaThen(reader.header, manifests);
    const database = await openThen(location, schema.manifests);
    const summary = (): BackupSummary => summarise(reader.header, bytes());
    try {
      let begun = false;
      await database.transaction(asSystem, async (transaction) => {
        // The database asks for a repetition only when somebody else writes too, and the file was read by then.
        if (begun) throw new BackupError('backup.target-not-empty');
        begun = true;
        await prepareLoad(transaction);
        const elsewhere = new Set(instead?.tables);
        await loadBackup(transaction, reader, (table) => !elsewhere.has(table), onProgress);
        if (other !== undefined)
          await loadBackup(
            transaction,
            other,
            (table) => elsewhere.has(table),
            () => undefined,
          );
        await options.check?.(transaction);
        if (schema.isCurrent) await options.finish?.(transaction, database, summary());
      });
    } finally {
      await database.close();
    }
    if (!schema.isCurrent) await migrateToday(options, summary());
    return summary();
  } finally {
    await other?.close();
    await reader.close();
  }
}

/** Lets go of the first one when the second cannot be opened. */
async function openOther(first: BackupReader, path: string, identities: readonly string[]): Promise<BackupReader> {
  try {
    return (await openBackup(path, identities)).reader;
  } catch (error) {
    await first.close();
    throw error;
  }
}

async function openThen(location: Location, manifests: readonly SchemaManifest[]): Promise<Database> {
  try {
    return await openDatabase(location, manifests);
  } catch (error) {
    if (error instanceof StorageError && error.code === 'storage.database-newer') {
      throw new BackupError('backup.target-not-empty', {
        detail: 'It is a database of a newer version than the backup; name one that was never used.',
        cause: error,
      });
    }
    throw error;
  }
}

async function migrateToday(
  { location, manifests, finish }: RestoreBackupOptions,
  summary: BackupSummary,
): Promise<void> {
  const database = await openDatabase(location, manifests);
  try {
    await database.transaction(asSystem, async (transaction) => finish?.(transaction, database, summary));
  } finally {
    await database.close();
  }
}
