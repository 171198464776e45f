/**
 * Installs dependencies from a lockfile when they are missing or no longer match it. Needs nothing but Node 18 or later:
 * it runs before anything is installed, which is also why it is JavaScript.
 */
// @ts-check
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { withLock } from './lock.mjs';

/** @typedef {{ version?: string, integrity?: string, link?: boolean, resolved?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage */

/** @param {string} path */
const readText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** @param {string} folder */
const stampPath = (folder) => join(folder, 'node_modules', '.strongroom-install');

/**
 * What the stamp must say for the present lockfile: the platform counts, because a folder may be mounted elsewhere.
 * @param {string} folder
 */
export function expectedStamp(folder) {
  const lockfile = readFileSync(join(folder, 'package-lock.json'));
  return `${createHash('sha256').update(lockfile).digest('hex')} ${process.platform}-${process.arch}\n`;
}

/**
 * An optional package that this machine cannot use is rightly absent.
 * @param {LockedPackage} locked
 */
function maybeAbsent(locked) {
  if (locked.optional !== true) return false;
  if (locked.os === undefined && locked.cpu === undefined) return true;
  if (locked.libc !== undefined) return true;
  return (
    !(locked.os ?? [process.platform]).includes(process.platform) ||
    !(locked.cpu ?? [process.arch]).includes(process.arch)
  );
}

/**
 * Compares the lockfile with npm's own record of what is installed, so that `npm install` by hand needs no second install here.
 * @param {string} folder
 */
export function recordedInstallMatches(folder) {
  const record = readText(join(folder, 'node_modules', '.package-lock.json'));
  if (record === undefined) return false;
  try {
    /** @type {Record<string, LockedPackage>} */
    const installed = JSON.parse(record).packages;
    /** @type {Record<string, LockedPackage>} */
    const locked = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
    for (const [path, wanted] of Object.entries(locked)) {
      if (path === '') continue;
      const present = installed[path];
      if (present === undefined) {
        if (maybeAbsent(wanted)) continue;
        return false;
      }
      if (present.version !== wanted.version || present.integrity !== wanted.integrity) return false;
      if (present.link !== wanted.link || (wanted.link === true && present.resolved !== wanted.resolved)) return false;
    }
    return Object.keys(installed).every((path) => locked[path] !== undefined);
  } catch {
    // A record cut short by an interrupted install is the same as none.
    return false;
  }
}

/**
 * Whether node_modules belongs to the lockfile. Writes the stamp when npm itself brought them together.
 * @param {string} folder
 */
export function isInstalled(folder) {
  const expected = expectedStamp(folder);
  if (readText(stampPath(folder)) === expected) return true;
  if (!recordedInstallMatches(folder)) return false;
  writeFileSync(stampPath(folder), expected);
  return true;
}

/** npm as the one who called us, else the one on the path. */
function npmCommand() {
  const path = process.env['npm_execpath'];
  if (path !== undefined && /^npm(-cli\.c?js)?$/.test(basename(path)) && existsSync(path)) {
    return { command: process.execPath, prefix: [path], shell: false };
  }
  // On Windows npm is a batch file, which only a shell can start.
  return { command: 'npm', prefix: [], shell: process.platform === 'win32' };
}

/**
 * `npm ci`, quietly: warnings (EBADENGINE of an old system Node above all) are dropped, errors are shown. No install script
 * of any package runs.
 * @param {string} folder
 */
function npmCi(folder) {
  const { command, prefix, shell } = npmCommand();
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  const child = spawn(command, [...prefix, 'ci', ...flags], {
    cwd: folder,
    shell,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const stop = () => child.kill('SIGTERM');
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`npm could not be started: ${error.message}`)));
    child.once('close', (code, signal) => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      if (code === 0) resolve(undefined);
      else reject(new Error(`npm ci ended with ${signal ?? `exit code ${code}`}.`));
    });
  });
}

/**
 * Brings node_modules in line with package-lock.json. Returns at once when it already is.
 * @param {string} folder
 * @param {{ install?: (folder: string) => Promise<unknown>, say?: (line: string) => void, staleAfter?: number }} [options]
 */
export async function ensureInstalled(folder, options = {}) {
  if (isInstalled(folder)) return;
  const { install = npmCi, say = (line) => process.stderr.write(`${line}\n`) } = options;
  const lockOptions = {
    onWait: () => say('Another process is installing the dependencies; waiting for it.'),
    ...(options.staleAfter === undefined ? {} : { staleAfter: options.staleAfter }),
  };
  const lock = join(folder, '.install.lock');
  await withLock(
    lock,
    async () => {
      if (isInstalled(folder)) return;
      say('Installing dependencies from package-lock.json (only when it changed) …');
      const stamp = expectedStamp(folder);
      const started = performance.now();
      await install(folder);
      mkdirSync(join(folder, 'node_modules'), { recursive: true });
      writeFileSync(stampPath(folder), stamp);
      say(`Installed in ${Math.ceil((performance.now() - started) / 1000)} s.`);
    },
    lockOptions,
  );
}
