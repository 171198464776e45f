/** The vault of a server that does not run, opened by the command itself. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Strongroom } from 'strongroom';
import type { CommandContext } from './context.ts';
import { CliError } from './errors.ts';

interface DatabaseOptions {
  readonly databaseUrl?: string;
  readonly databaseOwnerUrl?: string;
}

/** Options of the commands that can do without a server. */
export interface LogOptions extends DatabaseOptions {
  readonly data?: string;
}

/** PostgreSQL by option or environment; undefined for the database in the data folder. */
export function databaseOf({ environment }: CommandContext, options: DatabaseOptions) {
  const url = options.databaseUrl ?? environment['STRONGROOM_DATABASE_URL'];
  if (url === undefined || url === '') return undefined;
  const ownerUrl = options.databaseOwnerUrl ?? environment['STRONGROOM_DATABASE_OWNER_URL'];
  return { url, ...(ownerUrl === undefined || ownerUrl === '' ? {} : { ownerUrl }) };
}

/** The service on the folder of a stopped server, closed again after `work`. */
export async function withStopped<Result>(
  context: CommandContext,
  data: string,
  options: LogOptions,
  work: (strongroom: Strongroom) => Promise<Result>,
): Promise<Result> {
  const database = databaseOf(context, options);
  if (database === undefined && !existsSync(path.join(data, 'database'))) {
    throw new CliError('cli.no-vault', { detail: `It is ${data}.` });
  }
  // Loaded for this command alone: the whole service would double the start-up time of every other one.
  const { createStrongroom } = await import('strongroom');
  const strongroom = await createStrongroom({
    data,
    log: { request: () => {}, failure: () => {}, jobFinished: () => {} },
    ...(database === undefined ? {} : { database }),
  });
  try {
    return await work(strongroom);
  } finally {
    await strongroom.close();
  }
}
