import { type ErrorOptions, type ErrorTable, StrongroomError } from '@strongroom/kernel';

export const strongroomErrors = {
  'strongroom.not-ready': { status: 503, message: 'The service is not ready; try again in a moment.' },
  'strongroom.wrong-root-key': {
    status: 500,
    message:
      'The root key does not belong to this database; put back the key file that was in use when the data were written.',
  },
  'strongroom.keys-outdated': {
    status: 409,
    message:
      'The root key was replaced after the keys in this backup were copied, as it is when somebody is erased or keys are rotated, and the one of today does not open them. Name the newest backup, or a newest copy of the keys, with --keys. Nothing was restored.',
  },
  'strongroom.key-copies': { status: 500, message: 'STRONGROOM_KEY_COPIES cannot be understood.' },
  'strongroom.key-copy-wanted': {
    status: 400,
    message:
      'Say where the copy of the keys goes: replacing the root makes the former ones worthless. Name a file with --backup, configure STRONGROOM_KEY_COPIES, or say --no-backup.',
  },
  'strongroom.no-key-copy': {
    status: 503,
    message:
      'No place in STRONGROOM_KEY_COPIES takes a copy of the keys, and the root key is not replaced without one. Nobody was erased yet; it is done when a place is back.',
  },
  'strongroom.key-copies-behind': {
    status: 503,
    message:
      'Not every place in STRONGROOM_KEY_COPIES has the present copy of the keys alone; the server goes on trying.',
  },
  'strongroom.key-copy-outdated': {
    status: 500,
    message:
      'It was done. The copy of the keys was written before and can be restored, but holds former wrapped keys as well: make another one with `strongroom backup create --keys-only` and destroy it.',
  },
  'strongroom.keys-retired': {
    status: 409,
    message:
      'Values in this backup are under a key version that was retired since, and the root key of today does not open them. Restore it with a copy of the root key from its own time, or take a newer backup. Nothing was restored.',
  },
  'strongroom.root-slots': { status: 500, message: 'STRONGROOM_ROOT_SLOTS cannot be understood.' },
  'strongroom.backup-running': { status: 409, message: 'A backup is being made already; wait until it is done.' },
  'strongroom.no-such-backup': {
    status: 404,
    message: 'There is no such backup; the server keeps the last one in mind.',
  },
  'strongroom.log-empty': {
    status: 404,
    message: 'The audit log has no signed checkpoint yet; nothing was recorded so far.',
  },
  'strongroom.data-folder': {
    status: 500,
    message: 'The data folder cannot be used; check its path and that this account may write there.',
  },
} as const satisfies ErrorTable;

export type StrongroomErrorCode = keyof typeof strongroomErrors;

export class CompositionError extends StrongroomError<StrongroomErrorCode> {
  constructor(code: StrongroomErrorCode, options?: ErrorOptions) {
    super(strongroomErrors, code, options);
  }
}
