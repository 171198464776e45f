/** The lockfile is what a fresh clone is made of, so what `npm ci` would refuse is found here, without network. */
import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { byProblems, type Step, type StepResult } from './step.ts';
import { readJson } from './workspace.ts';

type Versions = Readonly<Record<string, string>>;

interface Manifest {
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
  readonly optionalDependencies?: Versions;
}

interface Locked extends Manifest {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

type Packages = Readonly<Record<string, Locked>>;

/** Brings its binary along; its install script is for those who want to compile it (macOS only, through vite). */
const SCRIPT_NOT_NEEDED = new Set(['node_modules/fsevents']);

/** Looks where Node would: in the package's own node_modules, then in those of the folders above. */
function isLocked(packages: Packages, from: string, name: string): boolean {
  for (let folder = from; ; folder = dirname(folder)) {
    if (packages[folder === '' || folder === '.' ? `node_modules/${name}` : `${folder}/node_modules/${name}`])
      return true;
    if (folder === '' || folder === '.') return false;
  }
}

const isOurs = (path: string): boolean => path === '' || !path.includes('node_modules/');

function problemsOf(packages: Packages, path: string, locked: Locked): readonly string[] {
  const wanted = { ...locked.dependencies, ...locked.optionalDependencies, ...locked.devDependencies };
  const problems = Object.keys(wanted)
    .filter((name) => !isLocked(packages, path, name))
    .map((name) => `${path} wants ${name}, which is not locked: npm ci refuses that`);
  if (isOurs(path) || locked.link === true) return problems;
  if (locked.integrity === undefined) problems.push(`${path} has no integrity`);
  if (locked.resolved !== undefined) problems.push(`${path} has an address; .npmrc wants none`);
  if (locked.hasInstallScript === true && !SCRIPT_NOT_NEEDED.has(path)) problems.push(`${path} runs an install script`);
  return problems;
}

/** Manifests whose dependencies differ from what was locked for them. */
function outdated(root: string, folder: string, packages: Packages): readonly string[] {
  const manifests = [
    '',
    ...globSync(['packages/*/package.json', 'apps/*/package.json', 'tools/*/package.json'], {
      cwd: join(root, folder),
    }).map(dirname),
  ];
  return manifests.flatMap((path) => {
    const manifest = readJson(join(root, folder, path, 'package.json')) as Manifest;
    const locked = packages[path.replaceAll('\\', '/')];
    const groups = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
    const same = groups.every((group) => sameVersions(manifest[group], locked?.[group]));
    return same ? [] : [`${join(folder, path, 'package.json')} is not what was locked; run npm install`];
  });
}

function sameVersions(left: Versions = {}, right: Versions = {}): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}

export function checkLockfile(root: string): Promise<StepResult> {
  const folders = ['.', 'bench'].filter((folder) => existsSync(join(root, folder, 'package.json')));
  let count = 0;
  const problems = folders.flatMap((folder) => {
    const { packages } = readJson(join(root, folder, 'package-lock.json')) as { readonly packages: Packages };
    const entries = Object.entries(packages);
    count += entries.length;
    return [
      ...outdated(root, folder, packages),
      ...entries.flatMap(([path, locked]) => problemsOf(packages, path, locked)),
    ];
  });
  return Promise.resolve(
    byProblems(problems, `${count} packages locked with integrity, none runs a script at install`),
  );
}

export const lockfileStep: Step = { name: 'lockfile', run: checkLockfile };
