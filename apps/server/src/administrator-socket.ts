/** How commands on the machine reach the running server: a Unix socket in the data folder, for its owner only. */
import { rm } from 'node:fs/promises';
import { createServer } from '@strongroom/fastify';
import type { Strongroom } from 'strongroom';
import { ServerError } from './errors.ts';

/** Nobody but the owner may connect, from the moment the file appears. */
const OWNER_ONLY = 0o177;

/** Returns what closes it again. The lock of the data folder, held by now, makes an existing file a left-over. */
export async function openAdministratorSocket(strongroom: Strongroom, file: string): Promise<() => Promise<void>> {
  await rm(file, { force: true });
  const application = createServer({ pipeline: strongroom.operatorPipeline });
  const before = process.umask(OWNER_ONLY);
  try {
    await application.listen({ path: file });
  } catch (cause) {
    await application.close();
    throw new ServerError('server.socket-unavailable', { cause });
  } finally {
    process.umask(before);
  }
  return async () => {
    await application.close();
    await rm(file, { force: true });
  };
}
