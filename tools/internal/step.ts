/** A step of `npm run check`: one question, answered by one line. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface StepResult {
  readonly ok: boolean;
  /** One line: what was seen when all is well, what is wrong otherwise. */
  readonly line: string;
  /** What to repair, shown below the line when the step failed. */
  readonly details?: readonly string[];
}

export interface Step {
  readonly name: string;
  readonly run: (root: string) => Promise<StepResult>;
}

export interface CommandResult {
  readonly code: number;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

/** The checkout whose tools are used, whatever folder is being checked. */
export const toolsRoot = join(import.meta.dirname, '../..');

/** A program from node_modules/.bin. */
export const tool = (name: string): string => join(toolsRoot, 'node_modules/.bin', name);

export function runCommand(
  command: string,
  parameters: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly echo?: boolean },
): Promise<CommandResult> {
  const binFolder = join(toolsRoot, 'node_modules/.bin');
  const env = { ...(options.env ?? process.env), PATH: `${binFolder}:${process.env['PATH'] ?? ''}` };
  const child = spawn(command, parameters, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const pieces: Buffer[] = [];
  const collect = (piece: Buffer): void => {
    pieces.push(piece);
    if (options.echo === true) process.stdout.write(piece);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}` }));
    child.once('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(pieces).toString('utf8') }));
  });
}

/** Judges by the exit code and shows the output of a failure. */
export const byExitCode = ({ code, output }: CommandResult, fine: string, wrong: string): StepResult =>
  code === 0 ? { ok: true, line: fine } : { ok: false, line: wrong, details: output.trimEnd().split('\n') };

/** One problem per line; fine when there is none. */
export const byProblems = (problems: readonly string[], fine: string): StepResult =>
  problems.length === 0
    ? { ok: true, line: fine }
    : { ok: false, line: `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`, details: problems };
