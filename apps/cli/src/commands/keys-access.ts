/** What the `keys` commands share: where the vault is, and where the copy of the keys goes. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { KeyCopy, Strongroom } from 'strongroom';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { withStopped } from './audit-log-access.ts';

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

export async function copyOf({ backup, recipient = [], recipientFile = [] }: CopyOptions): Promise<KeyCopy | 'none'> {
  if (backup === false) return 'none';
  if (typeof backup !== 'string') {
    throw new CliError('cli.usage', {
      detail: 'Name a file for the copy of the keys with --backup, or say --no-backup.',
    });
  }
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
