/** Writing a backup into a file. */
import { systemClock, type Clock } from '@strongroom/kernel';
import { asSystem, type Database } from '@strongroom/storage';
import { BackupError } from './errors.ts';
import { parseRecipients } from './identities.ts';
import { encryptTo } from './internal/age.ts';
import type { Header } from './internal/document.ts';
import { beginSnapshot, dump } from './internal/dump.ts';
import { expectFree, StagedFile } from './internal/files.ts';
import { summarise, type BackupSummary } from './summary.ts';

export interface CreateBackupOptions {
  readonly database: Database;
  /** A file that does not exist yet, unless `overwrite`. */
  readonly path: string;
  /** Takes the place of a file of that name, which is there whole until the new one is. */
  readonly overwrite?: boolean;
  /** `age1…` or `age1pq1…`; each of them alone can open the backup. */
  readonly recipients: readonly string[];
  /** Version of the program, for the reader. */
  readonly program: string;
  /** Tables whose rows are not worth keeping or must not come back. */
  readonly leaveOut?: readonly string[];
  /** Only these tables: a copy that cannot be restored alone. */
  readonly only?: readonly string[];
  readonly clock?: Clock;
  /** Rows so far and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops between two pages and leaves nothing behind. */
  readonly signal?: AbortSignal;
  /** Called when the file is complete and on the disk but has not got its name yet. A rejection discards the file. */
  readonly beforePublishing?: (summary: BackupSummary) => Promise<void>;
}

/**
 * Writes one consistent moment of the whole database into `path`, which appears complete and synced or not at all. Memory does not depend
 * on the amount of data. On PostgreSQL everybody goes on working meanwhile; on PGlite, which has one session, they wait.
 * Throws `backup.file-exists`, `backup.disk-full`, `backup.file-unwritable`, errors of `parseRecipients`, and StorageErrors.
 */
export async function createBackup(options: CreateBackupOptions): Promise<BackupSummary> {
  const { database, path, only, overwrite = false, clock = systemClock } = options;
  const recipients = parseRecipients(options.recipients);
  if (!overwrite) await expectFree(path);
  const file = await StagedFile.create(path);
  try {
    let header: Header | undefined;
    await database.transaction(asSystem, async (transaction) => {
      await beginSnapshot(transaction);
      const plaintext = dump(transaction, {
        createdAt: new Date(clock.now()),
        program: options.program,
        whole: only === undefined,
        isWanted: (table) => (only === undefined ? options.leaveOut?.includes(table) !== true : only.includes(table)),
        onHeader: (written) => {
          header = written;
        },
        onProgress: options.onProgress ?? (() => undefined),
        signal: options.signal,
      });
      for await (const piece of encryptTo(recipients, plaintext)) await file.write(piece);
    });
    if (header === undefined) throw new BackupError('backup.file-unwritable');
    await file.sync();
    const summary = summarise(header, file.bytes);
    await options.beforePublishing?.(summary);
    await file.publish(overwrite);
    return summary;
  } catch (error) {
    await file.discard();
    throw error;
  }
}
