import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

/** Options are those of the server itself, so that `npm start --` and this take the same. */
export function addServeCommand(program: Command, context: CommandContext): void {
  program
    .command('serve')
    .description('run the server; `strongroom serve --help` lists its options')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]')
    .action(async (_options: readonly string[], _flags: unknown, command: Command) => {
      // It stands among the options of all commands.
      const json = context.terminal().json ? ['--json'] : [];
      context.setExitCode(await runServer([...command.args, ...json]));
    });
}

/** A process of its own: the command line needs nothing of what the server is made of. */
function runServer(options: readonly string[]): Promise<ExitCode> {
  const program = fileURLToPath(import.meta.resolve('@strongroom/server'));
  const server = spawn(process.execPath, [...process.execArgv, program, ...options], { stdio: 'inherit' });
  // From a terminal the server gets the interrupt itself; everything else is handed on.
  const handOn = (signal: NodeJS.Signals): void => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) server.kill(signal);
  };
  process.on('SIGINT', handOn);
  process.on('SIGTERM', handOn);
  return new Promise((resolve) => {
    server.on('error', () => resolve(EXIT.failed));
    server.on('exit', (code) => resolve((code ?? EXIT.failed) as ExitCode));
  });
}
