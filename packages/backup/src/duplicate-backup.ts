/** The same file in another place, which may be another disk. */
import { readPieces, StagedFile } from './internal/files.ts';

/** `to` appears whole and synced, in place of a file of that name; it is not opened on the way. Throws `backup.file-unreadable` and what `createBackup` throws for files. */
export async function duplicateBackup(from: string, to: string): Promise<void> {
  const file = await StagedFile.create(to);
  try {
    for await (const piece of readPieces(from)) await file.write(piece);
    await file.sync();
    await file.publish(true);
  } catch (error) {
    await file.discard();
    throw error;
  }
}
