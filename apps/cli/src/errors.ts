import { type ErrorOptions, type ErrorTable, StrongroomError } from '@strongroom/kernel';

const cliErrors = {
  'cli.usage': { status: 400, message: 'The command line is wrong.' },
  'cli.not-signed-in': { status: 401, message: 'Not signed in here: use `strongroom login` or `strongroom signup`.' },
  'cli.password-needed': {
    status: 401,
    message: 'A password is needed: run it in a terminal, set STRONGROOM_PASSWORD, or use `strongroom unlock` first.',
  },
  'cli.cancelled': { status: 400, message: 'Cancelled; nothing was changed.' },
  'cli.no-space': { status: 404, message: 'There is no such space; `strongroom space list` shows what there is.' },
  'cli.no-member': { status: 404, message: 'There is no such person; `strongroom member list` shows who there is.' },
  'cli.no-person': {
    status: 404,
    message: 'The audit log knows nobody by that address; give the id of the account, or the pseudonym.',
  },
  'cli.no-vault': {
    status: 404,
    message: 'There is no vault in that folder; name the data folder of the server with --data.',
  },
  'cli.unreadable-file': { status: 400, message: 'A file cannot be read; check its path and who may read it.' },
  'cli.unwritable-file': { status: 400, message: 'A file cannot be written.' },
  'cli.state-damaged': {
    status: 500,
    message: 'A file of the command line is damaged; sign in again with `strongroom login` to make it anew.',
  },
  'cli.agent-unavailable': {
    status: 500,
    message: 'The unlock agent cannot be started; without it each command asks for the password.',
  },
  'cli.server-unreachable': { status: 503, message: 'The server cannot be reached; is it running?' },
} as const satisfies ErrorTable;

export type CliErrorCode = keyof typeof cliErrors;

export class CliError extends StrongroomError<CliErrorCode> {
  constructor(code: CliErrorCode, options?: ErrorOptions) {
    super(cliErrors, code, options);
  }
}
