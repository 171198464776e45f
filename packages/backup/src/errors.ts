import { StrongroomError, type ErrorOptions, type ErrorTable } from '@strongroom/kernel';

export const backupErrors = {
  'backup.invalid-recipient': {
    status: 400,
    message:
      'That is not a recipient; a recipient begins with age1 or age1pq1 and is made by `strongroom backup keygen`.',
  },
  'backup.mixed-recipients': {
    status: 400,
    message:
      'Post-quantum recipients (age1pq1…) and others (age1…) cannot be mixed: the weaker kind would decide for the whole file.',
  },
  'backup.no-recipient': { status: 400, message: 'A backup needs at least one recipient.' },
  'backup.invalid-identity': {
    status: 400,
    message: 'That file holds no usable identity; an identity begins with AGE-SECRET-KEY-.',
  },
  'backup.wrong-identity': {
    status: 400,
    message: 'None of the identities opens this file: it was encrypted for somebody else.',
  },
  'backup.not-a-backup': { status: 400, message: 'That file is not a backup of Strongroom.' },
  'backup.damaged': {
    status: 422,
    message: 'The backup was changed or cut short; nothing of it was restored. Use another copy.',
  },
  'backup.partial': {
    status: 422,
    message: 'That file holds only some tables, such as a copy of the keys; a restore needs a whole backup.',
  },
  'backup.older-keys': {
    status: 409,
    message:
      'The copy of the keys is older than the backup, which holds newer ones itself; leave it out. Nothing was restored.',
  },
  'backup.newer-format': {
    status: 422,
    message: 'The backup was made by a newer version of this program; use that version or a later one.',
  },
  'backup.other-schema': {
    status: 422,
    message: 'The backup was made by another program: its tables are not those of this one.',
  },
  'backup.unsupported-schema': { status: 500, message: 'A table is built in a way that backups do not support.' },
  'backup.target-not-empty': {
    status: 409,
    message: 'A backup is restored into an empty database only, and this one holds data. Nothing was changed.',
  },
  'backup.file-exists': { status: 409, message: 'There is a file of that name already; it was left as it is.' },
  'backup.file-unreadable': { status: 400, message: 'The file cannot be read.' },
  'backup.file-unwritable': { status: 400, message: 'The file cannot be written; nothing was left behind.' },
  'backup.disk-full': { status: 507, message: 'There is no space left for the backup; nothing was left behind.' },
} as const satisfies ErrorTable;

export type BackupErrorCode = keyof typeof backupErrors;

export class BackupError extends StrongroomError<BackupErrorCode> {
  constructor(code: BackupErrorCode, options?: ErrorOptions) {
    super(backupErrors, code, options);
  }
}
