/**
 * Builds the console into `dist/`, unless what is there was made from the same sources. `npm start` runs it first:
 * on a fresh clone that takes some seconds, afterwards a glance at the files.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const folder = import.meta.dirname;
const root = path.resolve(folder, '../..');
export const consoleFolder = path.join(folder, 'dist');

/** Packages whose sources end up in the bundle. */
const PACKAGES = ['kernel', 'sealing', 'memories', 'authentication', 'audit-log', 'client'];
/** How often others may get in between. */
const ATTEMPTS = 10;
/** In `dist/`, written last: a build that was cut off has none. */
const STAMP = 'sources.sha256';
/** In `dist/`: names of all files that may be served. Vite's own manifest does not know workers. */
const FILES = 'files.json';

/** Returns true when there was something to build. */
export async function buildConsole(): Promise<boolean> {
  const stamp = await digestOfSources();
  const stampFile = path.join(consoleFolder, STAMP);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return false;
  // Beside the old one, so that a server that serves it meanwhile never finds half a build.
  const fresh = `dist.${process.pid}`;
  const freshFolder = path.join(folder, fresh);
  try {
    // A process of its own: the server keeps nothing of the tool, and a build made by a test is the one that is served.
    const vite = fileURLToPath(new URL('./bin/vite.js', import.meta.resolve('vite/package.json')));
    const parameters = [vite, 'build', '--configLoader', 'native', '--logLevel', 'warn', '--outDir', fresh];
    await promisify(execFile)(process.execPath, parameters, {
      cwd: folder,
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const assets = (await readdir(path.join(freshFolder, 'assets'))).toSorted();
    await writeFile(path.join(freshFolder, FILES), `${JSON.stringify(assets, null, 2)}\n`);
    await writeFile(path.join(freshFolder, STAMP), stamp);
    await putInPlace(freshFolder);
  } finally {
    await rm(freshFolder, { recursive: true, force: true });
  }
  return true;
}

/** Others may build at the same time, and be a moment faster or slower: the last one stays. */
async function putInPlace(freshFolder: string): Promise<void> {
  const former = `${freshFolder}.former`;
  try {
    for (let attempt = 1; ; attempt += 1) {
      await rename(consoleFolder, former).catch((error: unknown) => ignore(error, ['ENOENT']));
      try {
        await rename(freshFolder, consoleFolder);
        return;
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        ignore(error, ['ENOTEMPTY', 'EEXIST']);
      }
      await rm(former, { recursive: true, force: true });
    }
  } finally {
    await rm(former, { recursive: true, force: true });
  }
}

function ignore(error: unknown, codes: readonly string[]): void {
  if (!(error instanceof Error && 'code' in error && codes.includes(String(error.code)))) throw error;
}

async function digestOfSources(): Promise<string> {
  const files = [
    path.join(root, 'package-lock.json'),
    ...['index.html', 'vite.config.ts', 'package.json'].map((name) => path.join(folder, name)),
  ];
  for (const source of [
    path.join(folder, 'src'),
    ...PACKAGES.map((name) => path.join(root, 'packages', name, 'src')),
  ]) {
    files.push(...(await filesIn(source)));
  }
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(path.relative(root, file)).update('\0');
    hash.update(existsSync(file) ? await readFile(file) : '').update('\0');
  }
  return hash.digest('hex');
}

async function filesIn(source: string): Promise<string[]> {
  const names = await readdir(source, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile() && !/\.test(?:-support)?\.tsx?$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const started = performance.now();
  const built = await buildConsole();
  process.stdout.write(
    built
      ? `Console built in ${((performance.now() - started) / 1000).toFixed(1)} s.\n`
      : 'The console is up to date.\n',
  );
}
