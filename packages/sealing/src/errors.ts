import { StrongroomError, type ErrorOptions, type ErrorTable, type ProblemDetails } from '@strongroom/kernel';

const INVALID_TOKEN = { status: 400, message: 'That token is not valid.' } as const;

export const sealingErrors = {
  'sealing.invalid-token': INVALID_TOKEN,
  // Raised only after the signature was verified, and shown to the outside as an invalid token.
  'sealing.expired-token': INVALID_TOKEN,
  'sealing.invalid-fernet-key': {
    status: 400,
    message: 'That is not a Fernet key; a Fernet key is 32 bytes in base64url with padding, 44 characters.',
  },
  'sealing.cannot-open': {
    status: 400,
    message: 'This cannot be opened: the key or the place is a different one, or the data was changed.',
  },
  'sealing.invalid-password': { status: 400, message: 'That password cannot be used.' },
  'sealing.predictable-password': {
    status: 400,
    message:
      'That password is long, but among the first that are tried: it repeats something short, or follows the alphabet or the keyboard. A few random words are better.',
  },
  'sealing.weak-parameters': {
    status: 400,
    message: 'The server asked for a weaker key derivation than this client accepts. Your password was not used.',
  },
  'sealing.excessive-parameters': {
    status: 400,
    message:
      'The server asked for a more expensive key derivation than this client accepts. Your password was not used.',
  },
  'sealing.unsupported-parameters': {
    status: 400,
    message: 'The server asked for a key derivation that this client does not know. Your password was not used.',
  },
  'sealing.invalid-account-record': {
    status: 400,
    message: 'That account record is damaged or of an unknown version.',
  },
  'sealing.invalid-recovery-code': {
    status: 400,
    message: 'That recovery code is mistyped or incomplete. Compare it with your printed copy.',
  },
  'sealing.content-too-large': { status: 413, message: 'That is too large for one sealed item.' },
  'sealing.wiped': { status: 500, message: 'A secret was used after it had been wiped.' },
} as const satisfies ErrorTable;

export type SealingErrorCode = keyof typeof sealingErrors;

export class SealingError extends StrongroomError<SealingErrorCode> {
  constructor(code: SealingErrorCode, options?: ErrorOptions) {
    super(sealingErrors, code, options);
  }

  /** An expired token looks like any other invalid token from outside. */
  override toProblem(): ProblemDetails {
    return this.code === 'sealing.expired-token'
      ? new SealingError('sealing.invalid-token').toProblem()
      : super.toProblem();
  }
}
