/** Small checkouts in which a defect can be planted. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from '@strongroom/testing';
import { tool, toolsRoot } from './step.ts';

export type Files = Readonly<Record<string, string>>;

export function write(root: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** Replaces the first `from` in a file, which must be there. */
export function edit(root: string, path: string, from: string, to: string): void {
  const text = readFileSync(join(root, path), 'utf8');
  if (!text.includes(from)) throw new Error(`${path} does not contain ${from}`);
  write(root, { [path]: text.replace(from, () => to) });
}

const scopedName = (folder: string): string => `@strongroom/${folder.split('/')[1]}`;

/** A package shaped like ours, with the given source files. */
function packageFiles(folder: string, sources: Files, dependencies: readonly string[] = []): Files {
  const manifest = {
    name: scopedName(folder),
    version: '0.1.0',
    license: 'Apache-2.0',
    files: ['dist'],
    type: 'module',
    sideEffects: false,
    exports: { '.': { source: './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' } },
    ...(dependencies.length === 0
      ? {}
      : { dependencies: Object.fromEntries(dependencies.map((one) => [scopedName(one), '0.1.0'])) }),
    engines: { node: '>=24' },
  };
  const compiler = {
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', composite: true, types: [] },
    include: ['src'],
    references: dependencies.map((one) => ({ path: `../../${one}` })),
  };
  return {
    [`${folder}/package.json`]: `${JSON.stringify(manifest, undefined, 2)}\n`,
    [`${folder}/tsconfig.json`]: `${JSON.stringify(compiler, undefined, 2)}\n`,
    ...Object.fromEntries(Object.entries(sources).map(([path, text]) => [`${folder}/src/${path}`, text])),
  };
}

const SHARED_FILES = [
  '.gitignore',
  '.oxfmtrc.json',
  '.oxlintrc.json',
  'knip.json',
  'tsconfig.base.json',
  'tsconfig.json',
];

/** A checkout with our configuration, our installed tools and the given packages. */
export function checkout(...packages: readonly Files[]): string {
  const root = temporaryFolder();
  for (const file of SHARED_FILES) cpSync(join(toolsRoot, file), join(root, file));
  write(root, {
    'package.json': `${JSON.stringify({ name: 'fixture', private: true, type: 'module', workspaces: ['packages/*'] }, undefined, 2)}\n`,
  });
  for (const files of packages) write(root, files);
  spawnSync(tool('oxfmt'), ['.'], { cwd: root });
  const modules = join(root, 'node_modules');
  mkdirSync(join(modules, '@strongroom'), { recursive: true });
  for (const name of readdirSync(join(toolsRoot, 'node_modules'))) {
    if (name !== '@strongroom') symlinkSync(join(toolsRoot, 'node_modules', name), join(modules, name));
  }
  for (const name of readdirSync(join(root, 'packages'))) {
    symlinkSync(join(root, 'packages', name), join(modules, '@strongroom', name));
  }
  return root;
}

/** Two packages on different floors without any defect. */
export const soundPackages: readonly Files[] = [
  packageFiles('packages/kernel', {
    'index.ts': "export { greet } from './greet.ts';\nexport type { Name } from './name.ts';\n",
    'greet.ts':
      "import type { Name } from './name.ts';\n\nexport const greet = (name: Name): string => `Hello ${name}`;\n",
    'name.ts': 'export type Name = string;\n',
  }),
  packageFiles(
    'packages/sealing',
    {
      'index.ts': "export { welcome } from './welcome.ts';\n",
      'welcome.ts':
        "import { greet, type Name } from '@strongroom/kernel';\n\nexport const welcome = (name: Name): string => `${greet(name)}, welcome`;\n",
    },
    ['packages/kernel'],
  ),
];
