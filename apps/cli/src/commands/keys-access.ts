/** What the `keys` commands share: where the vault is, and where the copy of the keys goes. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { StrongroomError } from '@strongroom/kernel';
import type { Command } from 'commander';
import type { KeyCopyWish, Strongroom } from 'strongroom';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { withStopped } from '../stopped-vault.ts';

export interface Place {
  readonly data: string;
  readonly databaseUrl?: string;
}

export interface CopyOptions extends Place {
  /** `false` for `--no-backup`. */
  readonly backup?: string | false;
  readonly recipient?: readonly string[];
  readonly recipientFile?: readonly string[];
}

export async function copyOf({ backup, recipient = [], recipientFile = [] }: CopyOptions): Promise<KeyCopyWish> {
  if (backup === false) return 'none';
  if (typeof backup !== 'string') return 'configured';
  const { parseRecipients } = await import('@strongroom/backup');
  const listed = await Promise.all(
    recipientFile.map(async (file) => {
      try {
        return await readFile(file, 'utf8');
      } catch (cause) {
        throw new CliError('cli.unreadable-file', { detail: file, cause });
      }
    }),
  );
  return { path: path.resolve(backup), recipients: parseRecipients([...recipient, ...listed]) };
}

/** The running server answers, or else the service in this process. What a route answers has the type of what the service answers. */
export async function ask<Result>(
  context: CommandContext,
  options: Place,
  request: { readonly method: 'GET' | 'POST' | 'DELETE'; readonly route: string; readonly body?: object },
  here: (strongroom: Strongroom) => Promise<Result>,
): Promise<Result> {
  const answer = await askServer(administratorSocket(options.data), request.method, request.route, request.body);
  return answer === undefined ? withStopped(context, options.data, options, here) : (answer as Result);
}

export const onMachine = (command: Command): Command =>
  command
    .requiredOption('--data <folder>', 'the data folder; the server may be running or not')
    .option('--database-url <url>', 'the PostgreSQL database, server stopped; STRONGROOM_DATABASE_URL');

export function percent(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100) {
    throw new CliError('cli.usage', { detail: '--share is a whole number from 1 to 100.' });
  }
  return value / 100;
}

export function columnOf(text: string): { table: string; column: string } {
  const [, table, column] = /^([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)$/.exec(text) ?? [];
  if (table === undefined || column === undefined)
    throw new CliError('cli.usage', { detail: 'Name it as TABLE.COLUMN.' });
  return { table, column };
}

const EXIT_CODES: Readonly<Record<string, ExitCode>> = {
  'encryption.rotation-running': EXIT.conflict,
  'encryption.shred-running': EXIT.conflict,
  'strongroom.backup-running': EXIT.conflict,
  'strongroom.key-copy-wanted': EXIT.usage,
};

/** Somebody else being at it, and a wish that is missing, have exit codes of their own. */
export async function guarded(context: CommandContext, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const exitCode = error instanceof StrongroomError ? EXIT_CODES[error.code] : undefined;
    if (exitCode === undefined) throw error;
    context.fail(error, exitCode);
  }
}
