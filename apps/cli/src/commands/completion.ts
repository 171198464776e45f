/** Shell completion, generated from the commands themselves. */
import { Argument, type Command } from 'commander';
import type { CommandContext } from '../context.ts';

interface Completed {
  /** `audit verify`; empty for `strongroom` itself. */
  readonly words: string;
  /** Sub-commands, choices of the first argument, long options. */
  readonly next: readonly string[];
}

function describe(command: Command, words: readonly string[], serverOptions: readonly string[]): Completed[] {
  const longOptions = command.options.flatMap(({ long }) => long ?? []);
  const options = words.join(' ') === 'serve' ? serverOptions : longOptions;
  const choices = command.registeredArguments[0]?.argChoices ?? [];
  const next = [...command.commands.map((child) => child.name()), ...choices, ...options, '--help'];
  return [
    { words: words.join(' '), next: [...new Set(next)] },
    ...command.commands.flatMap((child) => describe(child, [...words, child.name()], serverOptions)),
  ];
}

/** Completes by the command before the cursor: the words that name one, whatever options and their values stand between; else files. */
const bash = (entries: readonly Completed[]): string => `_strongroom() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="" index longer
  for ((index = 1; index < COMP_CWORD; index++)); do
    longer="\${command:+$command }\${COMP_WORDS[index]}"
    case "$longer" in
      ${entries.map(({ words }) => `'${words}'`).join('|')}) command="$longer" ;;
    esac
  done
  local next=""
  case "$command" in
${entries.map(({ words, next }) => `    '${words}') next='${next.join(' ')}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$next" -- "$word"))
}
complete -o default -F _strongroom strongroom
`;

/**
 * The function for bash serves here, too. The script stands in .zshrc, with or without a `compinit` above it, or as a file `_strongroom`
 * among the completion functions, which zsh runs when it first completes the command.
 */
const zsh = (entries: readonly Completed[]): string => `#compdef strongroom
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
autoload -Uz bashcompinit && bashcompinit
${bash(entries)}if [[ "$funcstack[1]" = _strongroom ]]; then
  _bash_complete -o default -F _strongroom
fi
`;

/** The function finds the command as the one for bash does. Where another word of ours must follow, a file is none. */
const fish = (entries: readonly Completed[]): string => `function __strongroom_at
  set -l path
  for word in (commandline -opc)[2..-1]
    if contains -- (string join -- ' ' $path $word) ${entries.map(({ words }) => `'${words}'`).join(' ')}
      set -a path $word
    end
  end
  test "$path" = "$argv[1]"
end
${entries
  .flatMap(({ words, next }) => {
    const completed = next.map((word) => (word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`));
    const withoutFiles = next.every((word) => word.startsWith('--')) ? [] : ['-f'];
    return [...withoutFiles, ...completed].map(
      (rest) => `complete -c strongroom -n "__strongroom_at '${words}'" ${rest}`,
    );
  })
  .join('\n')}
`;

const SHELLS = { bash, zsh, fish } as const;

export function addCompletionCommand(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .description('print a completion script for your shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      `
Examples:
  strongroom completion bash >> ~/.bashrc
  strongroom completion zsh >> ~/.zshrc
  strongroom completion fish > ~/.config/fish/completions/strongroom.fish`,
    )
    .action(async (shell: keyof typeof SHELLS) => {
      const { optionNames } = await import('@strongroom/server/options');
      const script = SHELLS[shell](describe(program, [], optionNames));
      if (context.terminal().json) context.terminal().result({ shell, script }, []);
      else process.stdout.write(script);
    });
}
