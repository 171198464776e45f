/** What lies in the workspace: packages, apps and their source files. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface WorkspacePackage {
  /** Relative to the root, for example `packages/kernel`. */
  readonly folder: string;
  readonly name: string;
  readonly private: boolean;
  /** Export paths as written in package.json, for example `.` and `./verify`. */
  readonly exports: readonly string[];
}

interface PackageJson {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

export const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** Packages and apps that exist, in alphabetical order. */
export function workspacePackages(root: string): readonly WorkspacePackage[] {
  return globSync('{packages,apps}/*/package.json', { cwd: root })
    .map((path) => path.replaceAll('\\', '/').replace('/package.json', ''))
    .toSorted()
    .map((folder) => {
      const manifest = readJson(join(root, folder, 'package.json')) as PackageJson;
      return {
        folder,
        name: manifest.name,
        private: manifest.private === true,
        exports: Object.keys(manifest.exports ?? {}).filter((path) => path !== './package.json'),
      };
    });
}

/** TypeScript files of packages and apps, relative to the root. */
export function sourceFiles(root: string): readonly string[] {
  return globSync('{packages,apps}/*/src/**/*.{ts,tsx}', { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted();
}

/** Tests, and what only tests import. */
export const isTestFile = (path: string): boolean => /\.(test|test-support|fixture)\.[cm]?[jt]sx?$/.test(path);

export const hasFile = (root: string, path: string): boolean => existsSync(join(root, path));
