/** Commands of the operator, at the data folder: the running server does it, or the command itself when there is none. */
import type { Command } from 'commander';
import type { Strongroom } from 'strongroom';
import { administratorSocket, askServer } from './administrator.ts';
import type { CommandContext } from './context.ts';
import { withStopped } from './stopped-vault.ts';

export interface Place {
  readonly data: string;
  readonly databaseUrl?: string;
}

export const onMachine = (command: Command): Command =>
  command
    .requiredOption('--data <folder>', 'the data folder on this machine, server running or not')
    .option('--database-url <url>', 'the PostgreSQL database, server stopped; STRONGROOM_DATABASE_URL');

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
