/** A wrong command line, told like every other error: one line, or one JSON object, that says where to look. */
import type { Command, CommanderError } from 'commander';
import { CliError } from './errors.ts';

/** Before the command line is understood, since that may fail. What follows `--` is text. */
export function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** `strongroom audit verify` */
export function commandPath(command: Command): string {
  return command.parent === null ? command.name() : `${commandPath(command.parent)} ${command.name()}`;
}

/** What the parser found wrong in the words for `command`. Values that were typed are not repeated: one may be a password. */
export function usageError({ code, message }: CommanderError, command: Command): CliError {
  const help = `See \`${commandPath(command)} --help\`.`;
  if (code === 'commander.help') return new CliError('cli.usage', { detail: `A command is missing. ${help}` });
  const [problem = '', ...suggestion] = message
    .replace(/^error: /, '')
    .split('\n')
    .map((line) => line.trim());
  const sentence =
    code === 'commander.excessArguments' ? problem.replace(/ but got (\d+):.*$/, ' but got $1') : problem;
  const withoutValue = code === 'commander.unknownOption' ? sentence.replace(/=.*'$/, "'") : sentence;
  const start = withoutValue.charAt(0).toUpperCase() + withoutValue.slice(1).replace(/\.$/, '');
  return new CliError('cli.usage', { detail: [`${start}.`, ...suggestion, help].join(' ') });
}

/**
 * `list --space --limit 3` would look for a space named `--limit`. Whoever means that writes `--space=--limit`. Throws `cli.usage` while the words
 * for `command` are parsed.
 */
export function refuseOptionsAsValues(command: Command, argv: readonly string[]): void {
  const own = new Set(['--help', ...command.options.map(({ long }) => long)]);
  for (const option of command.options) {
    if (!option.required) continue;
    command.on(`option:${option.name()}`, (value: unknown) => {
      if (typeof value !== 'string' || !own.has(value) || argv.includes(`${option.long}=${value}`)) return;
      throw new CliError('cli.usage', {
        detail: `Option '${option.flags}' argument missing. See \`${commandPath(command)} --help\`.`,
      });
    });
  }
}
