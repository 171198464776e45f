import { StrongroomError, type ErrorOptions, type ErrorTable } from '@strongroom/kernel';

export const encryptionErrors = {
  'encryption.cannot-open': {
    status: 500,
    message:
      'A stored value cannot be opened: it was changed, cut short, moved from its place, or never belonged there.',
  },
  'encryption.unknown-version': {
    status: 500,
    message: 'A stored value has a format or algorithm that this version does not know.',
  },
  'encryption.key-missing': {
    status: 500,
    message: 'A stored value was written under a key version that the root key does not hold.',
  },
  'encryption.malformed-text': {
    status: 400,
    message: 'That text holds half a character (a lone surrogate) and cannot be stored.',
  },
  'encryption.column-not-encrypted': {
    status: 500,
    message: 'The data map does not declare that column as encrypted or blind-indexed.',
  },
  'encryption.wrong-place': {
    status: 500,
    message: 'That place does not fit the declaration of its table in the data map.',
  },
  'encryption.invalid-token': { status: 400, message: 'That token is not valid.' },
  'encryption.invalid-fernet-key': {
    status: 400,
    message: 'That is not a Fernet key; a Fernet key is 32 bytes in base64url with padding, 44 characters.',
  },
  'encryption.root-missing': {
    status: 500,
    message:
      'The root key is missing, but data encrypted under it exist. Put the key file back in its place from your copy of it; without it the data cannot be read.',
  },
  'encryption.root-damaged': {
    status: 500,
    message: 'The root key is damaged. Put the key file back in its place from your copy of it.',
  },
  'encryption.root-exposed': {
    status: 500,
    message:
      'The root key can be read or written by other accounts of this machine, and is refused until that is changed.',
  },
  'encryption.root-unavailable': { status: 500, message: 'The root key cannot be read or written.' },
  'encryption.root-conflict': {
    status: 409,
    message: 'The root key was replaced by another process in the meantime. Nothing was written.',
  },
} as const satisfies ErrorTable;

export type EncryptionErrorCode = keyof typeof encryptionErrors;

export class EncryptionError extends StrongroomError<EncryptionErrorCode> {
  constructor(code: EncryptionErrorCode, options?: ErrorOptions) {
    super(encryptionErrors, code, options);
  }
}
