/** The data folder of a server on this machine, looked at from outside: nothing is written, and no database is opened. */
import { constants, existsSync } from 'node:fs';
import { access, readFile, readdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { KeysOverview } from 'strongroom';
import { administratorSocket, askServer } from './administrator.ts';
import { type Check, codeOf, failed, OTHERS, passed, reason } from './checks.ts';
import { isMissing } from './state.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const MIB = 1024 * 1024;
/** Milliseconds in which a server that is well says how it is. */
const PATIENCE = 10_000;
/** SQLITE_BUSY, https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
/** MiB. A log segment of the database takes 16 MiB, and a restart after a crash several. */
const LEAST_FREE = 128;
/** Milliseconds that clocks of file servers may be apart. */
const CLOCK_TOLERANCE = 5 * 60 * 1000;
/** Days before its end in which a certificate should have been renewed: Let's Encrypt's clients do it after 60 of 90. */
const RENEWAL = 14;
const DAY = 24 * 60 * 60 * 1000;

/** Behind the administrator's socket of the folder. */
type Server = 'running' | 'none' | { readonly problem: string };

/** In the order in which one thing explains the next. */
export async function checkData(data: string, environment: Environment, now: number): Promise<readonly Check[]> {
  const folder = await checkFolder(data);
  if (!folder.isThere) return [folder.check];
  const server = await askServer(administratorSocket(data), 'GET', '/operator/status', undefined, PATIENCE).then(
    (answer): Server => (answer === undefined ? 'none' : 'running'),
    (error: unknown): Server => ({
      problem: `${reason(error)} Something is behind ${administratorSocket(data)} that does not answer as a server does; a server that hangs has to be stopped.`,
    }),
  );
  return [
    await checkServing(data, server, folder.check),
    await checkSpace(data),
    await checkClock(data, now),
    await checkRootKey(data, environment),
    ...(await (server === 'running' ? checkCopiesOfServer(data) : checkCopies(data, environment))),
  ];
}

async function checkFolder(data: string): Promise<{ readonly isThere: boolean; readonly check: Check }> {
  const name = 'Data folder';
  try {
    const status = await stat(data);
    if (!status.isDirectory()) return { isThere: false, check: failed(name, `${data} is no folder.`) };
    await access(data, constants.R_OK | constants.W_OK | constants.X_OK);
    if ((status.mode & OTHERS) !== 0)
      return { isThere: true, check: failed(name, `Others can look into it; run: chmod 700 '${data}'`) };
    return { isThere: true, check: passed(name, '') };
  } catch (error) {
    if (isMissing(error)) {
      const says = `There is no folder ${data}; \`strongroom serve --data ${data}\` makes a new vault in it.`;
      return { isThere: false, check: failed(name, says) };
    }
    const says = `${data} cannot be used by this account (${codeOf(error)}); run this as the one that runs the server.`;
    return { isThere: false, check: failed(name, says) };
  }
}

/** Who has the folder open: the server, something else, or something that ended without letting go. */
async function checkServing(data: string, server: Server, folder: Check): Promise<Check> {
  if (!folder.ok) return folder;
  if (server === 'running') return passed(folder.name, `A server is running on ${data}.`);
  if (server !== 'none') return failed(folder.name, server.problem);
  let isHeld: boolean;
  try {
    isHeld = await isLocked(data);
  } catch (error) {
    return failed(folder.name, `${reason(error)} Its lock, ${path.join(data, 'database', 'lock')}, cannot be read.`);
  }
  const holder = await lockHolder(data);
  const process = holder === undefined ? 'a process' : `process ${holder}`;
  if (isHeld) {
    const says = `No server answers, but ${process} has ${data} open. Wait if it is a command such as \`backup create\`; a server that hangs has to be stopped.`;
    return failed(folder.name, says);
  }
  if (holder === undefined) return passed(folder.name, `No server is running on ${data}.`);
  // The lock itself ended with the process.
  const says = `No server is running on ${data}. The last one, ${process}, ended without closing it; the next start takes care of that.`;
  return passed(folder.name, says);
}

/** Whether somebody holds the lock that the database of the folder is opened under (folder-lock.ts in the storage). A look takes a shared one for an instant. */
async function isLocked(data: string): Promise<boolean> {
  const file = path.join(data, 'database', 'lock');
  if (!existsSync(file)) return false;
  const { DatabaseSync } = await import('node:sqlite');
  const lock = new DatabaseSync(file, { readOnly: true, timeout: 0 });
  try {
    lock.exec('select 1 from sqlite_schema');
    return false;
  } catch (error) {
    if ((error as { readonly errcode?: unknown }).errcode === SQLITE_BUSY) return true;
    throw error;
  } finally {
    lock.close();
  }
}

/** The id of the process that took the lock last, unless it closed the folder. */
async function lockHolder(data: string): Promise<number | undefined> {
  try {
    const { pid } = JSON.parse(await readFile(path.join(data, 'database', 'lock-holder.json'), 'utf8')) as {
      readonly pid?: unknown;
    };
    return typeof pid === 'number' ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function checkSpace(data: string): Promise<Check> {
  try {
    return judgeSpace(data, await statfs(data));
  } catch (error) {
    return failed('Disk', reason(error));
  }
}

/** `files`: 0 where the file system does not count them. */
export function judgeSpace(
  data: string,
  { bavail, bsize, files, ffree }: { bavail: number; bsize: number; files: number; ffree: number },
): Check {
  const free = Math.floor((bavail * bsize) / MIB);
  if (free < LEAST_FREE) {
    const says = `Only ${free} MiB are free where ${data} lies, and soon nothing can be stored any more; make it ${LEAST_FREE} MiB at least.`;
    return failed('Disk', says);
  }
  if (files > 0 && ffree === 0)
    return failed('Disk', `The file system of ${data} takes no more files (inodes); remove some.`);
  return passed('Disk', `${free} MiB are free.`);
}

/** Sessions, invitations and the log go by the clock. Files from the future show that it went back. */
async function checkClock(data: string, now: number): Promise<Check> {
  try {
    const newest = await newestChange([data, path.join(data, 'keys'), path.join(data, 'database')]);
    if (newest <= now + CLOCK_TOLERANCE) return passed('Clock', 'Nothing here is from the future.');
    const says = `It says ${iso(now)}, but files here were written at ${iso(newest)}. Set the clock (for example: timedatectl set-ntp true), then start the server.`;
    return failed('Clock', says);
  } catch (error) {
    return failed('Clock', reason(error));
  }
}

/** Of the entries right in these folders; a folder that is missing has none. */
async function newestChange(folders: readonly string[]): Promise<number> {
  const times = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(folder).catch(missingAs<string[]>([]));
      const changed = names.map(async (name) => (await stat(path.join(folder, name))).mtimeMs);
      return Promise.all(changed.map((one) => one.catch(missingAs(0))));
    }),
  );
  return Math.max(0, ...times.flat());
}

const missingAs =
  <Value>(value: Value) =>
  (error: unknown): Value => {
    if (isMissing(error)) return value;
    throw error;
  };

const iso = (time: number): string => new Date(time).toISOString();

/** Reads it as the server does, and forgets it at once. */
async function checkRootKey(data: string, environment: Environment): Promise<Check> {
  const name = 'Root key';
  try {
    const { rootSlots } = await import('strongroom');
    const { slot, furtherSlots } = rootSlots(data, environment);
    for (const one of [slot, ...furtherSlots]) {
      const stored = await one.load();
      stored?.material.fill(0);
      if (stored !== undefined) continue;
      const says = `There is none in ${one.name}. A server with data needs it: put your copy of it back; a new one makes it at its first start.`;
      return failed(name, says);
    }
    return passed(name, `Only its owner can read it (${[slot, ...furtherSlots].map((one) => one.name).join(', ')}).`);
  } catch (error) {
    return failed(name, reason(error));
  }
}

const COPIES = 'Key copies';
const NO_COPIES =
  'None are configured; set STRONGROOM_KEY_COPIES, or make one with `backup create --keys-only` after each erasure.';

/** As the server sees them, with its own configuration. */
async function checkCopiesOfServer(data: string): Promise<readonly Check[]> {
  try {
    const { copies } = (await askServer(
      administratorSocket(data),
      'GET',
      '/operator/keys',
      undefined,
      PATIENCE,
    )) as KeysOverview;
    if (copies.length === 0) return [passed(COPIES, NO_COPIES)];
    return copies.map(({ folder, state, failure }) => {
      if (state === 'present') return passed(COPIES, `The one in ${folder} is that of today.`);
      if (state === 'behind')
        return failed(COPIES, `The one in ${folder} is not that of today; the server goes on trying.`);
      return failed(COPIES, unusable(folder, failure ?? 'unknown'));
    });
  } catch (error) {
    return [failed(COPIES, reason(error))];
  }
}

async function checkCopies(data: string, environment: Environment): Promise<readonly Check[]> {
  try {
    const { keyCopyPlaces } = await import('strongroom');
    const { folders } = await keyCopyPlaces(data, environment);
    if (folders.length === 0) return [passed(COPIES, NO_COPIES)];
    return await Promise.all(
      folders.map((folder) =>
        access(folder, constants.R_OK | constants.W_OK | constants.X_OK).then(
          () => passed(COPIES, `${folder} can be written to.`),
          (error: unknown) => failed(COPIES, unusable(folder, codeOf(error))),
        ),
      ),
    );
  } catch (error) {
    return [failed(COPIES, reason(error))];
  }
}

const unusable = (folder: string, code: string): string =>
  `${folder} cannot be used (${code}). Mount it or create it, and let the account that runs the server write there; until then nobody can be erased.`;

/** Files that a server would be given with --tls-certificate and --tls-key. */
export async function checkTls(
  files: { readonly certificate: string; readonly key: string },
  now: number,
): Promise<Check> {
  const name = 'TLS';
  try {
    const { loadTls } = await import('@strongroom/server/tls');
    const { validTo } = await loadTls(files).then(validityOf);
    if (((await stat(files.key)).mode & OTHERS) !== 0)
      return failed(name, `Others can read the private key; run: chmod 600 '${files.key}'`);
    const days = Math.floor((validTo - now) / DAY);
    if (days < 0) return failed(name, `The certificate ended on ${iso(validTo)}; renew it.`);
    if (days < RENEWAL) return failed(name, `The certificate ends in ${days} days, on ${iso(validTo)}; renew it.`);
    return passed(name, `The certificate fits its key and is good for ${days} days.`);
  } catch (error) {
    return failed(name, `${reason(error)} They are ${files.certificate} and ${files.key}.`);
  }
}

async function validityOf({ cert }: { readonly cert: Buffer }): Promise<{ readonly validTo: number }> {
  const { X509Certificate } = await import('node:crypto');
  return { validTo: new X509Certificate(cert).validToDate.getTime() };
}
