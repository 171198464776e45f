import { StrongroomError, type ErrorOptions, type ErrorTable } from '@strongroom/kernel';

export const memoriesErrors = {
  'memories.space-not-found': { status: 404, message: 'There is no such space, or you have no access to it.' },
  'memories.space-exists': { status: 409, message: 'A space with this id exists already.' },
  'memories.not-found': { status: 404, message: 'There is no such memory in this space.' },
  'memories.deleted': { status: 410, message: 'This memory was deleted; its id cannot be used again.' },
  'memories.conflict': {
    status: 409,
    message: 'Somebody else changed this memory first. Read the current version and decide again.',
  },
  'memories.batch-conflict': {
    status: 409,
    message: 'Some items of the batch cannot be written as they are, so none of it was written.',
  },
  'memories.stale-epoch': {
    status: 409,
    message: 'The key of this space was changed. Fetch the space again and seal under its current key.',
  },
  'memories.role-too-high': {
    status: 403,
    message: 'You can give roles up to your own, and change only members who rank no higher than you.',
  },
  'memories.space-full': { status: 409, message: 'This space has as many members as a space can have.' },
  'memories.incomplete-rotation': {
    status: 409,
    message: 'The new key must be sealed to exactly those who stay. Fetch the members again.',
  },
  'memories.rotation-required': {
    status: 409,
    message: 'Removing somebody else needs a new key for the others: do both at once.',
  },
  'memories.cannot-remove-self': { status: 400, message: 'Leave a space instead of removing yourself from it.' },
  'memories.key-not-found': { status: 404, message: 'You have no key of that epoch.' },
  'memories.owner-needed': {
    status: 409,
    message: 'Some spaces with other members would be without an owner. Make somebody owner first, or delete them.',
  },
  'memories.bad-cursor': { status: 400, message: 'That is not a cursor of this list. Start again without one.' },
} as const satisfies ErrorTable;

export type MemoriesErrorCode = keyof typeof memoriesErrors;

export class MemoriesError extends StrongroomError<MemoriesErrorCode> {
  constructor(code: MemoriesErrorCode, options?: ErrorOptions) {
    super(memoriesErrors, code, options);
  }
}
