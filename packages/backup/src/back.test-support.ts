/** Backing up in tests: for whom, when and how, where that is not what the test is about. */
import { join } from 'node:path';
import type { Database } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { createBackup } from './create-backup.ts';
import { generateIdentity } from './identities.ts';

const clock = { now: () => Date.UTC(2026, 10, 22) };

/** Whose backups they are. */
export const person = await generateIdentity('x25519');

export async function back(
  database: Database,
  options: { readonly path?: string; readonly recipients?: readonly string[] } = {},
) {
  const path = options.path ?? join(temporaryFolder(), 'backup.age');
  const recipients = options.recipients ?? [person.recipient];
  const leaveOut = ['visits', 'jobs'];
  const summary = await createBackup({ database, path, recipients, program: '1.2.3', leaveOut, clock });
  return { path, summary };
}
