import {
  StrongroomError,
  type ErrorDefinition,
  type ErrorOptions,
  type ErrorTable,
  type JsonValue,
} from '@strongroom/kernel';

export const clientErrors = {
  'client.unreachable': { status: 503, message: 'The server cannot be reached. Nothing was lost; try again.' },
  'client.timeout': { status: 504, message: 'The server did not answer in time. Try again.' },
  'client.bad-answer': { status: 502, message: 'The server answered something that this client does not understand.' },
  'client.insecure-address': {
    status: 400,
    message: 'Only https addresses are used, and plain http on this machine alone.',
  },
  'client.invalid-invitation': {
    status: 400,
    message: 'That is no whole invitation. Copy the link once more, with everything behind the #.',
  },
  'client.signed-out': { status: 401, message: 'Nobody is signed in. Sign in first.' },
  'client.locked': { status: 401, message: 'The vault is locked. Unlock it with the password first.' },
  'client.wrong-password': { status: 401, message: 'That password does not open this vault.' },
  'client.unknown-space': { status: 404, message: 'There is no such space among yours.' },
  'client.unknown-memory': { status: 404, message: 'There is no such memory in this space.' },
  'client.cannot-open': {
    status: 400,
    message: 'The server holds this in a form that does not open: it was damaged, moved or exchanged.',
  },
  'client.unknown-format': {
    status: 400,
    message: 'This memory was written by a newer version of Strongroom, or is damaged inside.',
  },
  'client.invalid-memory': { status: 400, message: 'That is not a memory that can be stored.' },
  'client.memory-too-large': { status: 413, message: 'That is too long for one memory.' },
  'client.rolled-back': {
    status: 409,
    message: 'The server shows an older state of this space than it showed before. Nothing was taken over.',
  },
  'client.unknown-key': {
    status: 409,
    message: 'This device does not know the key of that person yet. Compare the fingerprint with them first.',
  },
  'client.key-changed': {
    status: 409,
    message:
      'The server shows another key for that person than before. Nothing was shared or opened; compare fingerprints with them in person.',
  },
  'client.fingerprint-differs': {
    status: 409,
    message: 'That fingerprint is another one. Somebody else may be in between; do not share anything.',
  },
  'client.unknown-member': { status: 404, message: 'There is no such person among those you can see.' },
  'client.outcome-unknown': {
    status: 503,
    message:
      'The server went away in the middle of the change and did not come back. Try the new password first, then the former one.',
  },
  'client.recovery-code-unknown': {
    status: 503,
    message:
      'The server went away in the middle of the change and did not come back. Make a new recovery code when it is there again: until then, keep the former one.',
  },
  'client.invalid-certificate': { status: 400, message: 'That certificate was changed, or is none.' },
  'client.log-empty': { status: 404, message: 'The audit log has no signed checkpoint yet. Try again in a moment.' },
  'client.log-keys-changed': {
    status: 409,
    message: 'The audit log is signed with other keys than before. Ask the operator why before you trust it.',
  },
  'client.invalid-import': { status: 400, message: 'That file cannot be imported.' },
} as const satisfies ErrorTable;

export type ClientErrorCode = keyof typeof clientErrors;

/**
 * What the client throws: its own errors, whose codes are in `clientErrors`, and the server's problems with the
 * codes of their rooms. `members` holds what a problem document adds, for example `currentVersion`.
 */
export class ClientError extends StrongroomError {
  constructor(code: ClientErrorCode | ServerProblem, options?: ErrorOptions) {
    const table: Readonly<Record<string, ErrorDefinition>> = clientErrors;
    if (typeof code === 'string') super(table, code, options);
    else super({ [code.code]: code }, code.code, options);
  }

  /** From a parsed problem document (RFC 9457). One without a code and a title gives `client.bad-answer`. */
  static fromProblem(status: number, problem: unknown, retryAfter?: number): ClientError {
    if (typeof problem !== 'object' || problem === null) return new ClientError('client.bad-answer');
    const { code, title, detail, type: _type, status: _status, ...members } = problem as Record<string, JsonValue>;
    if (typeof code !== 'string' || typeof title !== 'string') return new ClientError('client.bad-answer');
    return new ClientError(
      { code, status, message: title },
      {
        members,
        ...(typeof detail === 'string' ? { detail } : {}),
        ...(retryAfter === undefined ? {} : { retryAfter }),
      },
    );
  }
}

/** A problem as the server described it. */
interface ServerProblem extends ErrorDefinition {
  readonly code: string;
}
