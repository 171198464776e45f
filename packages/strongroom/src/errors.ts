import { type ErrorOptions, type ErrorTable, StrongroomError } from '@strongroom/kernel';

export const strongroomErrors = {
  'strongroom.not-ready': { status: 503, message: 'The service is not ready; try again in a moment.' },
  'strongroom.wrong-root-key': {
    status: 500,
    message:
      'The root key does not belong to this database; put back the key file that was in use when the data were written.',
  },
  'strongroom.data-folder': { status: 500, message: 'The data folder cannot be used.' },
} as const satisfies ErrorTable;

export type StrongroomErrorCode = keyof typeof strongroomErrors;

export class CompositionError extends StrongroomError<StrongroomErrorCode> {
  constructor(code: StrongroomErrorCode, options?: ErrorOptions) {
    super(strongroomErrors, code, options);
  }
}
