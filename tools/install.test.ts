import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { ensureInstalled, expectedStamp, isInstalled } from './install.mjs';
import { withLock } from './lock.mjs';

const lockfile = (version: string): string =>
  JSON.stringify({
    packages: {
      '': { name: 'fixture' },
      'node_modules/a': { version, integrity: `sha512-${version}` },
      'node_modules/elsewhere': { version: '1.0.0', optional: true, os: ['plan9'], cpu: ['vax'] },
      'node_modules/here': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] },
    },
  });

const record = (version: string, more: object = {}): string =>
  JSON.stringify({
    packages: {
      'node_modules/a': { version, integrity: `sha512-${version}` },
      'node_modules/here': { version: '1.0.0', optional: true },
      ...more,
    },
  });

/** A folder with a lockfile and, unless `undefined`, npm's record of what it installed. */
function project(locked: string, installed?: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'package-lock.json'), lockfile(locked));
  if (installed === undefined) return folder;
  mkdirSync(join(folder, 'node_modules'));
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), installed);
  return folder;
}

describe('whether an install is due', () => {
  it.each([
    ['nothing is installed', undefined, false],
    ['the same is installed', record('1.0.0'), true],
    ['another version is installed', record('0.9.0'), false],
    ['something more is installed', record('1.0.0', { 'node_modules/b': { version: '1.0.0' } }), false],
    ['something is missing', JSON.stringify({ packages: {} }), false],
    ['an optional package for this platform is missing', record('1.0.0').replace('/here', '/gone'), false],
    ['the record was cut short', record('1.0.0').slice(0, 40), false],
  ])('%s', (_case, installed, expected) => {
    expect(isInstalled(project('1.0.0', installed))).toBe(expected);
  });

  it('the lockfile changed after the stamp was written', () => {
    const folder = project('1.0.0', record('1.0.0'));
    expect(isInstalled(folder)).toBe(true);
    writeFileSync(join(folder, 'package-lock.json'), lockfile('2.0.0'));
    expect(isInstalled(folder)).toBe(false);
  });
});

/** Installs as npm does: slowly, with nothing usable in between. */
const slowInstall = (log: string[]) => async (folder: string) => {
  log.push('start');
  await new Promise((resolve) => {
    setTimeout(resolve, 300);
  });
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  log.push('end');
};
const say = (): void => undefined;

describe('installing', () => {
  it('happens once and stamps what it installed', async () => {
    const folder = project('1.0.0');
    const log: string[] = [];
    await ensureInstalled(folder, { install: slowInstall(log), say });
    expect(readFileSync(join(folder, 'node_modules/.strongroom-install'), 'utf8')).toBe(expectedStamp(folder));
    await ensureInstalled(folder, { install: slowInstall(log), say });
    expect(log).toEqual(['start', 'end']);
  });

  it('happens once when two ask at the same time', async () => {
    const folder = project('1.0.0');
    const log: string[] = [];
    const install = slowInstall(log);
    await Promise.all([1, 2, 3].map(() => ensureInstalled(folder, { install, say })));
    expect(log).toEqual(['start', 'end']);
    expect(existsSync(join(folder, '.install.lock'))).toBe(false);
  });

  it('leaves no stamp and no lock when it fails', async () => {
    const folder = project('1.0.0');
    const install = () => Promise.reject(new Error('no network'));
    await expect(ensureInstalled(folder, { install, say })).rejects.toThrow('no network');
    expect(isInstalled(folder)).toBe(false);
    expect(existsSync(join(folder, '.install.lock'))).toBe(false);
  });
});

describe('the lock', () => {
  it('of a killed process is taken over', async () => {
    const lock = join(temporaryFolder(), 'lock');
    const holder = `import { withLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.mjs'))};
      await withLock(${JSON.stringify(lock)}, () => new Promise(() => { setInterval(() => {}, 1000); console.log('held'); }));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', holder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => {
      child.stdout.once('data', resolve);
    });
    child.kill('SIGKILL');
    expect(existsSync(lock)).toBe(true);
    expect(await withLock(lock, () => Promise.resolve('mine'), { staleAfter: 700 })).toBe('mine');
  });

  it('of a living process is respected, however old it looks', async () => {
    const lock = join(temporaryFolder(), 'lock');
    let released = false;
    const holder = withLock(lock, async () => {
      utimesSync(lock, new Date(0), new Date(0));
      await new Promise((resolve) => {
        setTimeout(resolve, 3500);
      });
      released = true;
    });
    await withLock(lock, () => Promise.resolve(expect(released).toBe(true)), { staleAfter: 2500 });
    await holder;
  });
});
