/** Shell completion, generated from the commands themselves. */
import { Argument, type Command } from 'commander';
import type { CommandContext } from '../context.ts';

interface Completed {
  /** `audit verify` */
  readonly words: string;
  /** Sub-commands and long options. */
  readonly next: readonly string[];
}

function describe(command: Command, words: readonly string[]): Completed[] {
  const options = command.options.flatMap((option) => (option.long === undefined ? [] : [option.long]));
  const children = command.commands.filter((child) => child.name() !== 'completion');
  const next = [...children.map((child) => child.name()), ...options, '--help'];
  return [
    { words: words.join(' '), next: [...new Set(next)] },
    ...children.flatMap((child) => describe(child, [...words, child.name()])),
  ];
}

/** Completes by the words before the cursor that are no options. */
const bash = (entries: readonly Completed[]): string => `_strongroom() {
  local word="\${COMP_WORDS[COMP_CWORD]}" path="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index]}" in -*) ;; *) path="\${path:+$path }\${COMP_WORDS[index]}" ;; esac
  done
  local next=""
  case "$path" in
${entries.map(({ words, next }) => `    '${words}') next='${next.join(' ')}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$next" -- "$word"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _strongroom strongroom
`;

const zsh = (entries: readonly Completed[]): string => `#compdef strongroom
autoload -Uz bashcompinit && bashcompinit
${bash(entries)}`;

const fish = (entries: readonly Completed[]): string =>
  `${entries
    .flatMap(({ words, next }) => {
      const condition =
        words === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${words.split(' ').at(-1)!}`;
      return next.map((word) =>
        word.startsWith('--')
          ? `complete -c strongroom -n '${condition}' -l ${word.slice(2)}`
          : `complete -c strongroom -n '${condition}' -a ${word}`,
      );
    })
    .join('\n')}\n`;

const SHELLS = { bash, zsh, fish } as const;

export function addCompletionCommand(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .description('print a completion script for your shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(SHELLS)))
    .addHelpText('after', '\nExample:\n  strongroom completion bash >> ~/.bashrc')
    .action((shell: keyof typeof SHELLS) => {
      const script = SHELLS[shell](describe(program, []));
      if (context.terminal().json) context.terminal().result({ shell, script }, []);
      else process.stdout.write(script);
    });
}
