/** How commands on the machine reach the running server: a Unix socket in the data folder, for its owner only. */
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { createServer } from '@strongroom/fastify';
import type { Strongroom } from 'strongroom';
import { ServerError } from './errors.ts';

/** Nobody but the owner may connect, from the moment the file appears. */
const OWNER_ONLY = 0o177;

/**
 * Returns what closes it again. Throws `server.data-in-use` when another server answers there: with the embedded database the lock of the data folder
 * tells before, but servers that share a PostgreSQL could be given the same folder by mistake.
 */
export async function openAdministratorSocket(strongroom: Strongroom, file: string): Promise<() => Promise<void>> {
  if (await answers(file)) throw new ServerError('server.data-in-use');
  // What is still there was left by a server that was killed.
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

function answers(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(file);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
