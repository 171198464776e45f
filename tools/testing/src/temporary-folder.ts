import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runFolder } from './run-folder.ts';

const folders: string[] = [];

/** A new empty folder, removed when the test file is through with all its hooks. */
export function temporaryFolder(): string {
  const parent = join(runFolder(), 'folders');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(parent, 'f-'));
  folders.push(folder);
  return folder;
}

export function removeTemporaryFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
