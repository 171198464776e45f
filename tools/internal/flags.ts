/** The flags of `npm run …`: what a task takes is said once, and its help and what it refuses follow from that. */

interface Flag {
  readonly means: string;
  /** What stands behind it, such as `N`; absent where the flag alone says it. */
  readonly takes?: string;
}

export interface Usage<Name extends string = string> {
  /** As it is typed: `npm run bench`. */
  readonly command: string;
  /** A sentence. */
  readonly does: string;
  /** How words that are no flags are written, and what they mean. */
  readonly words: readonly [form: string, means: string];
  readonly flags: Readonly<Record<Name, Flag>>;
  readonly examples: readonly string[];
  /** Whose flags are taken, too: they are handed on among the words, in their order. */
  readonly handsOnTo?: string;
}

export interface Parameters<Name extends string = string> {
  readonly words: readonly string[];
  /** What stood behind each flag that was given; `true` where nothing belongs there. */
  readonly flags: ReadonlyMap<Name, string>;
}

class WrongFlag extends Error {}

/**
 * Without a `--` in between, npm keeps a script's flags for itself and hands them on as `npm_config_name`; people forget it, and the wish is
 * as clear.
 */
const npmVariable = (name: string): string => `npm_config_${name.replaceAll('-', '_')}`;

/** The environment for a command of our own, to which our caller's flags were not addressed. */
export function withoutFlags(...names: readonly string[]): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of names) delete environment[npmVariable(name)];
  return environment;
}

const written = (name: string, { takes }: Flag): string => `--${name}${takes === undefined ? '' : ` ${takes}`}`;

export function helpOf({ command, does, words, flags, examples, handsOnTo }: Usage): string {
  const own = Object.entries(flags).map(([name, flag]) => [written(name, flag), flag.means] as const);
  const rows = [words, ...own, ['--help', 'this text'] as const];
  const width = Math.max(...rows.map(([form]) => form.length));
  const forms = [...own, words].map(([form]) => `[${form}]`);
  return [
    `Usage: ${command} -- ${forms.join(' ')}`,
    '',
    does,
    '',
    ...rows.map(([form, means]) => `  ${form.padEnd(width)}  ${means}`),
    ...(handsOnTo === undefined ? [] : ['', `Other flags are those of ${handsOnTo}.`]),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
  ].join('\n');
}

/** `help` when that was asked for. Throws WrongFlag. */
export function readParameters<Name extends string>(
  usage: Usage<Name>,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Parameters<Name> | 'help' {
  const known = Object.entries<Flag>(usage.flags) as [Name, Flag][];
  const words: string[] = [];
  const flags = new Map<Name, string>();
  const give = (name: Name, { takes }: Flag, value: string | undefined): void => {
    if (takes === undefined && value !== undefined) throw new WrongFlag(`--${name} takes nothing behind it.`);
    if (takes !== undefined && (value === undefined || value === '' || value.startsWith('-')))
      throw new WrongFlag(`--${name} takes ${takes} behind it.`);
    flags.set(name, value ?? 'true');
  };
  for (const [name, flag] of known) {
    const kept = environment[npmVariable(name)];
    // npm itself knows some of these names and has values of its own for them; a value is kept only where `=` binds it.
    if (kept === 'true') give(name, flag, undefined);
    else if (kept !== undefined && flag.takes !== undefined) give(name, flag, kept);
  }
  const left = [...parameters];
  for (let one = left.shift(); one !== undefined; one = left.shift()) {
    if (one === '--help' || one === '-h') return 'help';
    const [, typed, bound] = /^--([^=]+)(?:=(.*))?$/s.exec(one) ?? [];
    const match = known.find(([name]) => name === typed);
    if (match !== undefined) {
      const [name, flag] = match;
      give(name, flag, bound ?? (flag.takes === undefined ? undefined : left.shift()));
    } else if (one.startsWith('-') && usage.handsOnTo === undefined) {
      const all = known.map(([name, flag]) => written(name, flag)).join(', ');
      throw new WrongFlag(`There is no ${one.split('=')[0]}${all === '' ? '' : `; there is ${all}`}.`);
    } else words.push(one);
  }
  return { words, flags };
}

/** Ends the process: a command that was typed wrong does nothing. */
export function refuse({ command }: Usage, problem: string): never {
  process.stderr.write(`${problem} See \`${command} -- --help\`.\n`);
  process.exit(2);
}

/** What this process was started with. Ends it when that is wrong, or asks for help. */
export function parametersOf<Name extends string>(usage: Usage<Name>): Parameters<Name> {
  try {
    const read = readParameters(usage, process.argv.slice(2));
    if (read !== 'help') return read;
  } catch (error) {
    if (error instanceof WrongFlag) refuse(usage, error.message);
    throw error;
  }
  console.log(helpOf(usage));
  return process.exit(0);
}
