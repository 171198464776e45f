/** Reading a backup to its end without restoring it. */
import { openBackup } from './internal/open-backup.ts';
import { summarise, type BackupSummary } from './summary.ts';

export interface ReadBackupOptions {
  readonly path: string;
  /** Contents of identities files. */
  readonly identities: readonly string[];
  /** Rows so far and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Decrypts and checks everything: authentication of every piece, form and number of the rows, checksum, end.
 * Throws `backup.file-unreadable`, `backup.invalid-identity`, `backup.wrong-identity`, `backup.not-a-backup`, `backup.newer-format` or
 * `backup.damaged`.
 */
export async function verifyBackup({ path, identities, onProgress }: ReadBackupOptions): Promise<BackupSummary> {
  const { reader, bytes } = await openBackup(path, identities);
  try {
    const total = summarise(reader.header, 0).rows;
    let done = 0;
    for await (const { rows } of reader.rows()) {
      done += rows.length;
      onProgress?.(done, total);
    }
  } finally {
    await reader.close();
  }
  return summarise(reader.header, bytes());
}
