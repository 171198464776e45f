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
  'encryption.place-unknown': {
    status: 500,
    message:
      'It is not known to which row, tenant or person an encrypted value belongs, so it is neither sealed nor opened.',
  },
  'encryption.query-refused': { status: 500, message: 'That cannot be done with an encrypted column.' },
  'encryption.plaintext-refused': {
    status: 500,
    message:
      'A value in the clear stands in an encrypted column, or beside it. It was not sealed here and is not used.',
  },
  'encryption.phase-unknown': {
    status: 500,
    message: 'A column that is being encrypted was used without reading in this transaction how far that is.',
  },
  'encryption.migration-phase': { status: 409, message: 'The encryption of that column is in another phase.' },
  'encryption.migration-unready': {
    status: 409,
    message: 'The columns are not ready for the encryption of that column.',
  },
  'encryption.migration-unverified': {
    status: 500,
    message:
      'Rows were found whose sealed value does not say what the plaintext beside it says. Nothing was removed from them. Something writes that table past its codec.',
  },
  'encryption.migration-expired': {
    status: 503,
    message:
      'The last day on which that column may be kept in the clear has passed. Finish its encryption (cut over), or declare a later day.',
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
  'encryption.root-outdated': {
    status: 503,
    message:
      'The root key here is a copy from before it was replaced elsewhere, so this server must not go on with it. Servers of one database need one root slot between them; put the present root key in place and start again.',
  },
  'encryption.subject-not-loaded': {
    status: 500,
    message: 'A value about a person was used without loading the keys of that person in this transaction.',
  },
  'encryption.subject-erased': {
    status: 410,
    message: 'There is no key for what is stored about this person: it was erased, and cannot be made again.',
  },
  'encryption.tree-mismatch': {
    status: 500,
    message:
      'The key tree in the database does not belong to the root key. One of them was put back from a copy; key trees are never restored.',
  },
  'encryption.tree-damaged': { status: 500, message: 'A key in the key tree was changed or moved from its place.' },
  'encryption.shred-running': {
    status: 409,
    message: 'Another process is replacing the root of the key tree; try again in a moment.',
  },
  'encryption.rotation-running': { status: 409, message: 'Keys are being rotated already; wait until that is done.' },
  'encryption.too-many-versions': {
    status: 409,
    message:
      'There are 64 key versions already. Bring everything under the present one first, with `strongroom keys rotate root --present`; that retires the others.',
  },
  'encryption.no-such-rotation': { status: 404, message: 'There is no such rotation.' },
  'encryption.key-in-use': { status: 409, message: 'That key version is still in use.' },
} as const satisfies ErrorTable;

export type EncryptionErrorCode = keyof typeof encryptionErrors;

export class EncryptionError extends StrongroomError<EncryptionErrorCode> {
  constructor(code: EncryptionErrorCode, options?: ErrorOptions) {
    super(encryptionErrors, code, options);
  }
}
