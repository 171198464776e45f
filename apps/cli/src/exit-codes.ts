/** What the command's exit code says; documented in `strongroom --help` and, as far as a command can end with it, in its own. */
import type { Command } from 'commander';

export const EXIT = {
  ok: 0,
  /** Something failed: the server refused, a file could not be read, the network is down. */
  failed: 1,
  /** The command line is wrong; or, for `fernet decrypt`, the token is invalid or expired. */
  usage: 2,
  /** A proof does not hold: `audit verify` found a difference. */
  notIntact: 3,
  /** Not signed in, locked, or the wrong password. */
  credentials: 4,
  /** Somebody else changed it first. */
  conflict: 5,
  /** A log is sound and contradicts what was seen of it elsewhere. */
  diverged: 6,
  /** A log is sound and nobody but itself vouches for it. */
  unanchored: 7,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

type ExitMeanings = Readonly<Partial<Record<ExitCode, string>>>;

const EVERYWHERE: ExitMeanings = {
  [EXIT.ok]: 'done',
  [EXIT.failed]: 'failed',
  [EXIT.usage]: 'wrong command line',
};

const WITH_ACCOUNT: ExitMeanings = {
  [EXIT.credentials]: 'not signed in, locked or wrong password',
  [EXIT.conflict]: 'changed by somebody else meanwhile',
};

/** Those that never speak to a server as somebody who is signed in. */
const WITHOUT_ACCOUNT: ReadonlySet<string> = new Set([
  'lock',
  'backup',
  'keys',
  'doctor',
  'fernet',
  'completion',
  'witness',
]);

const ownMeanings = new WeakMap<Command, ExitMeanings>();

/** What the codes mean after this command, where that is more, or other, than after all. */
export function withExitCodes(command: Command, meanings: ExitMeanings): Command {
  ownMeanings.set(command, meanings);
  return command;
}

/** Ends the help of a command. */
export function addExitCodes(command: Command): void {
  const onMachine = command.options.some(({ long, mandatory }) => long === '--data' && mandatory);
  const meanings: ExitMeanings = {
    ...EVERYWHERE,
    ...(onMachine || WITHOUT_ACCOUNT.has(firstWord(command)) ? {} : WITH_ACCOUNT),
    ...ownMeanings.get(command),
  };
  const lines = Object.entries(meanings).map(([code, meaning]) => `  ${code}  ${meaning}\n`);
  command.addHelpText('after', `\nExit codes:\n${lines.join('')}`);
}

/** `audit` of `audit verify`. */
function firstWord(command: Command): string {
  return command.parent?.parent ? firstWord(command.parent) : command.name();
}
