/** How a command comes to the log: over the network, through the administrator's socket, or from the folder of a stopped server. */
import path from 'node:path';
import { type LogSource, operatorLog } from '@strongroom/audit-log/verify';
import { remoteLogSource, verifierKeys } from '@strongroom/client';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { recorded } from '../recorded.ts';
import { signedIn } from '../session.ts';
import { type LogOptions, withStopped } from '../stopped-vault.ts';

export interface OpenLog {
  readonly source: LogSource;
  readonly keys: readonly string[];
  /** Under this name the last verified checkpoint is remembered. */
  readonly place: string;
}

/** The name under which a log's checkpoint is remembered on this computer. */
export const folderPlace = (data: string): string => `folder:${path.resolve(data)}`;
export const networkPlace = (server: string): string => `network:${server}`;

/** Opens the log, hands it to `work` and closes it again. */
export async function withLog<Result>(
  context: CommandContext,
  options: LogOptions,
  work: (log: OpenLog) => Promise<Result>,
): Promise<Result> {
  if (options.data === undefined) {
    const { profile, vault } = await signedIn(context);
    const keys = await verifierKeys(vault.api);
    return work({ source: remoteLogSource(vault.api), keys, place: networkPlace(profile.server) });
  }
  const place = folderPlace(options.data);
  const socket = administratorSocket(options.data);
  if ((await askServer(socket, 'GET', '/operator/status')) !== undefined) {
    const log = await operatorLog(async (route) => {
      const answer = await askServer(socket, 'GET', route);
      if (answer === undefined) throw new CliError('cli.server-unreachable');
      return answer;
    });
    return work({ ...log, place });
  }
  return withStopped(context, options.data, options, async ({ services }) => {
    const { auditLog } = services;
    // Through the socket every page is recorded; here, where nobody else is asked, the reading as a whole.
    await recorded(services, async () => [undefined, { type: 'audit.read' }]);
    await auditLog.sequence();
    return work({ source: auditLog.source(), keys: await auditLog.verifierKeys(), place });
  });
}
