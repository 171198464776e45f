/** Packages as a stranger gets them: built, packed, and imported without the `source` condition. */
import { globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { compiler } from './check-commands.ts';
import { byProblems, runCommand, type Step, type StepResult } from './step.ts';
import { isTestFile, readJson, workspacePackages, type WorkspacePackage } from './workspace.ts';

async function build(root: string, packages: readonly WorkspacePackage[]): Promise<readonly string[]> {
  // Files left from an earlier build would hide a missing one.
  for (const { folder } of packages) rmSync(join(root, folder, 'dist'), { recursive: true, force: true });
  const folders = packages.map(({ folder }) => folder);
  const { code, output } = await runCommand(process.execPath, [compiler, '-b', '--force', ...folders], { cwd: root });
  return code === 0 ? [] : output.trimEnd().split('\n');
}

async function lintPackage(root: string, { folder, name }: WorkspacePackage): Promise<readonly string[]> {
  const pkgDir = join(root, folder);
  const { messages } = await publint({ pkgDir, level: 'suggestion', strict: true, pack: 'npm' });
  const manifest = readJson(join(pkgDir, 'package.json')) as Record<string, unknown>;
  return messages.map((message) => `${name}: ${formatMessage(message, manifest, { color: false }) ?? message.code}`);
}

/** Test code would be published with the rest of dist/; tsconfig.json must exclude it. */
const shippedTests = (root: string, { folder }: WorkspacePackage): readonly string[] =>
  globSync('dist/**/*.js', { cwd: join(root, folder) })
    .filter(isTestFile)
    .map((file) => `${folder}/${file} is test code and would be published: exclude its source in tsconfig.json`);

/** Imports every export path in one plain Node process per package, so that one package's failure does not hide another's. */
async function importAll(root: string, { name, folder, exports }: WorkspacePackage): Promise<readonly string[]> {
  if (exports.length === 0) return [`${name}: exports nothing`];
  const specifiers = exports.map((path) => (path === '.' ? name : `${name}${path.slice(1)}`));
  const program = `for (const specifier of ${JSON.stringify(specifiers)}) {
    try {
      if (!import.meta.resolve(specifier).includes('/dist/')) throw new Error('does not resolve to dist/');
      if (Object.keys(await import(specifier)).length === 0 && !specifier.endsWith('/types')) throw new Error('exports nothing');
    } catch (error) {
      console.log(specifier + ': ' + error.message);
    }
  }
  process.exit(0);`;
  const { code, output } = await runCommand(process.execPath, ['--input-type=module', '-e', program], {
    cwd: join(root, folder),
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const lines = output.split('\n').filter((line) => line !== '');
  return code === 0 ? lines : [`${name}: exit code ${code}`, ...lines];
}

export async function checkExports(root: string): Promise<StepResult> {
  const packages = workspacePackages(root).filter((one) => !one.private);
  if (packages.length === 0) return { ok: false, line: 'no package to publish was found' };
  const buildErrors = await build(root, packages);
  if (buildErrors.length > 0) return { ok: false, line: 'the build fails', details: buildErrors };
  const problems = await Promise.all(
    packages.map(async (one) => [
      ...shippedTests(root, one),
      ...(await lintPackage(root, one)),
      ...(await importAll(root, one)),
    ]),
  );
  const paths = packages.reduce((sum, one) => sum + one.exports.length, 0);
  return byProblems(problems.flat(), `${packages.length} packages built, ${paths} export paths import in plain Node`);
}

export const exportsStep: Step = { name: 'package exports', run: checkExports };
