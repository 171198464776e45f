/** The command line, put together. */
import process from 'node:process';
import { StrongroomError } from '@strongroom/kernel';
import { Command, CommanderError } from 'commander';
import { VERSION } from 'strongroom/version';
import type { CommandContext } from './context.ts';
import { EXIT, type ExitCode, addExitCodes } from './exit-codes.ts';
import { StateFolder, stateFolder } from './state.ts';
import { createTerminal, printable } from './terminal.ts';
import { asksForJson, commandPath, refuseOptionsAsValues, usageError } from './usage.ts';

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

const JSON_OPTION = ['--json', 'one JSON document on standard output'] as const;

type AddCommands = (program: Command, context: CommandContext) => void;

interface CommandGroup {
  /** The first words that need this group and no other. */
  readonly names: readonly string[];
  readonly load: () => Promise<AddCommands>;
}

/** In the order of the help. */
export const commandGroups: readonly CommandGroup[] = [
  { names: ['serve'], load: async () => (await import('./commands/serve.ts')).addServeCommand },
  {
    names: ['signup', 'login', 'logout', 'unlock', 'lock'],
    load: async () => (await import('./commands/account.ts')).addAccountCommands,
  },
  { names: ['account'], load: async () => (await import('./commands/account-life.ts')).addAccountLifeCommands },
  { names: ['member'], load: async () => (await import('./commands/members.ts')).addMemberCommands },
  { names: ['space'], load: loadSpaceCommands },
  {
    names: ['remember', 'recall', 'list', 'forget'],
    load: async () => (await import('./commands/memories.ts')).addMemoryCommands,
  },
  { names: ['import', 'export'], load: async () => (await import('./commands/transfer.ts')).addTransferCommands },
  { names: ['audit', 'witness'], load: async () => (await import('./commands/audit.ts')).addAuditCommands },
  { names: ['backup'], load: async () => (await import('./commands/backup.ts')).addBackupCommands },
  { names: ['keys'], load: async () => (await import('./commands/keys.ts')).addKeysCommands },
  { names: ['doctor'], load: async () => (await import('./commands/doctor.ts')).addDoctorCommand },
  { names: ['fernet'], load: async () => (await import('./commands/fernet.ts')).addFernetCommands },
  // It completes all the others.
  { names: [], load: async () => (await import('./commands/completion.ts')).addCompletionCommand },
];

/** Who shares a space is a matter of its members. */
async function loadSpaceCommands(): Promise<AddCommands> {
  const [{ addSpaceCommands }, { addSharingCommands }] = await Promise.all([
    import('./commands/spaces.ts'),
    import('./commands/members.ts'),
  ]);
  return (program, context) => {
    addSpaceCommands(program, context);
    addSharingCommands(program, context);
  };
}

/** Most of a short command's time goes to loading modules, so only the group asked for is loaded; for help, or a word that is none, all are. */
async function commandsFor(argv: readonly string[]): Promise<readonly AddCommands[]> {
  const word = argv.find((one) => !one.startsWith('-'));
  const wanted = commandGroups.filter(({ names }) => word !== undefined && names.includes(word));
  return Promise.all((wanted.length === 0 ? commandGroups : wanted).map(({ load }) => load()));
}

/** Runs one command line and resolves with its exit code. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  let exitCode: ExitCode = EXIT.ok;
  const json = asksForJson(argv);
  const terminal = createTerminal(json);
  const program = new Command('strongroom');
  const context: CommandContext = {
    terminal: () => terminal,
    state: new StateFolder(stateFolder(process.env)),
    environment: process.env,
    setExitCode(code) {
      exitCode = code;
    },
    fail(error, code = exitCodeOf(error)) {
      exitCode = code;
      report(error, json);
    },
  };
  program
    .description('An end-to-end encrypted memory vault, and the security rooms it is made of.')
    .version(VERSION)
    .option(...JSON_OPTION)
    .addHelpText('after', FOOTER)
    // Errors of the parser are reported like all others; what is left to write is the help.
    .configureOutput({
      outputError: () => undefined,
      writeErr(text) {
        if (!json) process.stderr.write(text);
      },
    });
  for (const add of await commandsFor(argv)) add(program, context);
  completeCommands(program, argv);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) context.fail(error);
    // The help that was asked for, or that a missing command shows.
    else if (error.exitCode !== 0) exitCode = EXIT.usage;
  }
  return exitCode;
}

/** What all have in common: `list --json` as well as `--json list`, exit codes in the help, and how wrong words are told. */
function completeCommands(command: Command, argv: readonly string[]): void {
  command.exitOverride((error) => {
    throw error.exitCode === 0 || (error.code === 'commander.help' && !asksForJson(argv))
      ? error
      : usageError(error, command);
  });
  refuseOptionsAsValues(command, argv);
  for (const child of command.commands) {
    // That one's help is the server's.
    if (commandPath(child) !== 'strongroom serve') {
      child.option(...JSON_OPTION);
      if (child.commands.length === 0) addExitCodes(child);
    }
    completeCommands(child, argv);
  }
}

const USAGE_CODES = new Set(['cli.usage', 'encryption.invalid-fernet-key', 'kernel.invalid-id']);
const CREDENTIAL_CODES = new Set(['client.locked', 'client.signed-out', 'client.wrong-password']);

function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof StrongroomError)) return EXIT.failed;
  if (USAGE_CODES.has(error.code)) return EXIT.usage;
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
