/** What every command is given: the terminal, the state folder, and one way to fail. */
import type { ExitCode } from './exit-codes.ts';
import type { StateFolder } from './state.ts';
import type { Terminal } from './terminal.ts';

export interface CommandContext {
  /** Known once the options are parsed. */
  terminal(): Terminal;
  readonly state: StateFolder;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the process will end with, unless something fails. */
  setExitCode(exitCode: ExitCode): void;
  /** Reports the error and sets the exit code; the command then simply returns. */
  fail(error: unknown, exitCode?: ExitCode): void;
}
