import { StrongroomError, type ErrorOptions, type ErrorTable } from '@strongroom/kernel';

export const authenticationErrors = {
  'authentication.sign-in-failed': { status: 401, message: 'The e-mail address or the password is wrong.' },
  'authentication.invalid-session': { status: 401, message: 'You are not signed in, or your session has ended.' },
  'authentication.wrong-secret': { status: 403, message: 'That password is wrong.' },
  'authentication.invalid-email': { status: 400, message: 'That is not an e-mail address.' },
  'authentication.invalid-invitation': {
    status: 403,
    message: 'That link is not valid: it expired, was used already or was replaced by a newer one. Ask for a new one.',
  },
  'authentication.account-exists': {
    status: 409,
    message: 'An account with this e-mail address or id exists already. The invitation is still valid.',
  },
  'authentication.unsupported-parameters': {
    status: 400,
    message: 'New accounts use the key derivation that this server knows as its default.',
  },
  'authentication.no-membership': { status: 403, message: 'This account no longer belongs to any tenant.' },
  'authentication.session-not-found': { status: 404, message: 'You have no such session.' },
  'authentication.role-too-high': { status: 403, message: 'You can invite up to your own role only.' },
} as const satisfies ErrorTable;

export type AuthenticationErrorCode = keyof typeof authenticationErrors;

export class AuthenticationError extends StrongroomError<AuthenticationErrorCode> {
  constructor(code: AuthenticationErrorCode, options?: ErrorOptions) {
    super(authenticationErrors, code, options);
  }
}
