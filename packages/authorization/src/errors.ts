import { StrongroomError, type ErrorOptions, type ErrorTable } from '@strongroom/kernel';

export const authorizationErrors = {
  'authorization.permissions-differ': {
    status: 500,
    message: 'The permissions of the manifests and the table of permissions differ.',
  },
  'authorization.already-member': { status: 409, message: 'That account already has a role here.' },
  'authorization.not-a-member': { status: 404, message: 'No such member.' },
  'authorization.last-owner': { status: 409, message: 'The last owner can neither leave nor take a lesser role.' },
  'authorization.role-too-high': {
    status: 403,
    message: 'You can give roles up to your own, and change only people who rank no higher than you.',
  },
  'authorization.spaces-would-end': {
    status: 409,
    message: 'Nobody else is in some spaces of this person, so they would be deleted. Say how many to go on.',
  },
} as const satisfies ErrorTable;

export type AuthorizationErrorCode = keyof typeof authorizationErrors;

export class AuthorizationError extends StrongroomError<AuthorizationErrorCode> {
  constructor(code: AuthorizationErrorCode, options?: ErrorOptions) {
    super(authorizationErrors, code, options);
  }
}
