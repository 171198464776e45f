/** The command line, put together. */
import process from 'node:process';
import { StrongroomError } from '@strongroom/kernel';
import { Command, CommanderError } from 'commander';
import { VERSION } from 'strongroom/version';
import { addAccountLifeCommands } from './commands/account-life.ts';
import { addAccountCommands } from './commands/account.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addBackupCommands } from './commands/backup.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addFernetCommands } from './commands/fernet.ts';
import { addKeysCommands } from './commands/keys.ts';
import { addMemberCommands, addSharingCommands } from './commands/members.ts';
import { addMemoryCommands } from './commands/memories.ts';
import { addServeCommand } from './commands/serve.ts';
import { addSpaceCommands } from './commands/spaces.ts';
import { addTransferCommands } from './commands/transfer.ts';
import type { CommandContext } from './context.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { StateFolder, stateFolder } from './state.ts';
import { type Terminal, createTerminal, printable } from './terminal.ts';

const FOOTER = `
Environment:
  STRONGROOM_HOME      where session, sealed cache and checkpoints are kept
  STRONGROOM_SERVER    address of the vault
  STRONGROOM_EMAIL, STRONGROOM_NAME, STRONGROOM_PASSWORD   instead of being asked

Exit codes:
  ${EXIT.ok} done   ${EXIT.failed} failed   ${EXIT.usage} wrong command line; fernet decrypt: invalid or expired token
  ${EXIT.notIntact} audit log not intact   ${EXIT.credentials} not signed in, locked or wrong password   ${EXIT.conflict} changed by somebody else meanwhile
  ${EXIT.diverged} audit log contradicts what was seen of it   ${EXIT.unanchored} audit log sound, but not witnessed as asked

Examples:
  strongroom serve
  strongroom remember "The spare key is with Ines" --tag home
  strongroom recall spare key
  strongroom audit verify
`;

/** Runs one command line and resolves with its exit code. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  let exitCode: ExitCode = EXIT.ok;
  let terminal: Terminal | undefined;
  const program = new Command('strongroom');
  const context: CommandContext = {
    terminal: () => (terminal ??= createTerminal(program.opts<{ json?: true }>().json === true)),
    state: new StateFolder(stateFolder(process.env)),
    environment: process.env,
    setExitCode(code) {
      exitCode = code;
    },
    fail(error, code = exitCodeOf(error)) {
      exitCode = code;
      report(error, context.terminal().json);
    },
  };
  program
    .description('An end-to-end encrypted memory vault, and the security rooms it is made of.')
    .version(VERSION)
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', FOOTER)
    .showHelpAfterError('(add --help for the usage)')
    .exitOverride();
  addServeCommand(program, context);
  addAccountCommands(program, context);
  addAccountLifeCommands(program, context);
  addMemberCommands(program, context);
  addSpaceCommands(program, context);
  addSharingCommands(program, context);
  addMemoryCommands(program, context);
  addTransferCommands(program, context);
  addAuditCommands(program, context);
  addBackupCommands(program, context);
  addKeysCommands(program, context);
  addDoctorCommand(program, context);
  addFernetCommands(program, context);
  addCompletionCommand(program, context);
  acceptJsonAnywhere(program, program);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    context.fail(error);
  }
  return exitCode;
}

/** `strongroom list --json` as well as `strongroom --json list`. */
function acceptJsonAnywhere(program: Command, command: Command): void {
  for (const child of command.commands) {
    child.exitOverride();
    if (child.name() !== 'serve') child.option('--json', 'one JSON document on standard output');
    child.hook('preAction', (_parent, action) => {
      if (action.opts<{ json?: true }>().json === true) program.setOptionValue('json', true);
    });
    acceptJsonAnywhere(program, child);
  }
}

const CREDENTIAL_CODES = new Set(['client.locked', 'client.signed-out', 'client.wrong-password']);

function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof StrongroomError)) return EXIT.failed;
  if (error.code === 'cli.usage' || error.code === 'encryption.invalid-fernet-key') return EXIT.usage;
  if (error.status === 401 || CREDENTIAL_CODES.has(error.code)) return EXIT.credentials;
  // Signed with other keys than before: whoever exchanged the log would do that.
  if (error.code === 'client.log-keys-changed') return EXIT.notIntact;
  return error.code.endsWith('.conflict') ? EXIT.conflict : EXIT.failed;
}

/** One line: what is wrong and its code. A foreign error shows its class only, since its text may quote what was typed. */
function report(error: unknown, json: boolean): void {
  const known = error instanceof StrongroomError;
  const code = known ? error.code : 'cli.unexpected';
  const text = known
    ? `${error.publicMessage}${error.detail === undefined ? '' : ` ${error.detail}`}`
    : `Something unexpected went wrong (${error instanceof Error ? error.name : typeof error}).`;
  process.stderr.write(
    json ? `${JSON.stringify({ error: { code, message: text } })}\n` : `strongroom: ${printable(text)} [${code}]\n`,
  );
  if (!known && process.env['STRONGROOM_DEBUG'] === '1' && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`);
  }
}
