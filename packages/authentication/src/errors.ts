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
  'authentication.email-in-use': { status: 409, message: 'That e-mail address belongs to another account here.' },
  'authentication.record-changed': {
    status: 400,
    message: 'A new password changes the salt and what is wrapped under the password, and nothing else of the account.',
  },
  'authentication.recovery-code-replaced': {
    status: 409,
    message: 'The recovery code was renewed elsewhere in the meantime, or this one is not new. Nothing was changed.',
  },
  'authentication.recovery-failed': {
    status: 401,
    message: 'The e-mail address or the recovery code is wrong, or the code was used already.',
  },
  'authentication.invalid-recovery': {
    status: 403,
    message: 'This recovery expired or was used already. Start again with the recovery code you have now.',
  },
  'authentication.wrong-confirmation': {
    status: 400,
    message: 'To delete the account, type its e-mail address exactly.',
  },
  'authentication.invitation-not-found': { status: 404, message: 'There is no such open invitation.' },
} as const satisfies ErrorTable;

export type AuthenticationErrorCode = keyof typeof authenticationErrors;

export class AuthenticationError extends StrongroomError<AuthenticationErrorCode> {
  constructor(code: AuthenticationErrorCode, options?: ErrorOptions) {
    super(authenticationErrors, code, options);
  }
}
