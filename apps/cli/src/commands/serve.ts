import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import type { ExitCode } from '../exit-codes.ts';

/** Options are those of the server itself, so that `npm start --` and this take the same. */
export function addServeCommand(program: Command, context: CommandContext): void {
  program
    .command('serve')
    .description('run the server; `strongroom serve --help` lists its options')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]')
    .action(async (_options: readonly string[], _flags: unknown, command: Command) => {
      const { runServer } = await import('@strongroom/server');
      context.setExitCode((await runServer(command.args)) as ExitCode);
    });
}
