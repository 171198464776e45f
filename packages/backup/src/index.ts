export { createBackup, type CreateBackupOptions } from './create-backup.ts';
export { destroyFile } from './destroy-file.ts';
export { dropErased } from './drop-erased.ts';
export { duplicateBackup } from './duplicate-backup.ts';
export { BackupError, backupErrors, type BackupErrorCode } from './errors.ts';
export {
  generateIdentity,
  parseIdentities,
  parseRecipients,
  type GeneratedIdentity,
  type IdentityKind,
} from './identities.ts';
export { restoreBackup, type RestoreBackupOptions } from './restore-backup.ts';
export type { BackupSummary } from './summary.ts';
export { verifyBackup, type ReadBackupOptions } from './verify-backup.ts';
