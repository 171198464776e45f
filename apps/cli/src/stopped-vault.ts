/** The vault of a server that does not run, opened by the command itself. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Strongroom } from 'strongroom';
import type { CommandContext } from './context.ts';
import { CliError } from './errors.ts';

/** Options of the commands that can do without a server. */
export interface LogOptions {
  readonly data?: string;
  readonly databaseUrl?: string;
}

/** The service on the folder of a stopped server, closed again after `work`. */
export async function withStopped<Result>(
  context: CommandContext,
  data: string,
  options: LogOptions,
  work: (strongroom: Strongroom) => Promise<Result>,
): Promise<Result> {
  const databaseUrl = options.databaseUrl ?? context.environment['STRONGROOM_DATABASE_URL'];
  if (databaseUrl === undefined && !existsSync(path.join(data, 'database'))) {
    throw new CliError('cli.unreadable-file', { detail: `There is no vault in ${data}.` });
  }
  // Loaded for this command alone: the whole service would double the start-up time of every other one.
  const { createStrongroom } = await import('strongroom');
  const strongroom = await createStrongroom({
    data,
    log: { request: () => {}, failure: () => {}, jobFinished: () => {} },
    ...(databaseUrl === undefined ? {} : { database: { url: databaseUrl } }),
  });
  try {
    return await work(strongroom);
  } finally {
    await strongroom.close();
  }
}
