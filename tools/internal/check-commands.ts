/** Steps that ask another program and believe its exit code. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sourceFiles } from './workspace.ts';
import { byExitCode, runCommand, tool, toolsRoot, type Step, type StepResult } from './step.ts';

export async function checkFormatting(root: string): Promise<StepResult> {
  const result = await runCommand(tool('oxfmt'), ['--check', '.'], { cwd: root });
  return byExitCode(result, 'every file as oxfmt writes it', 'run `npm run format`');
}

export async function checkLint(root: string): Promise<StepResult> {
  const result = await runCommand(
    tool('oxlint'),
    ['--type-aware', '--deny-warnings', '--report-unused-disable-directives'],
    {
      cwd: root,
    },
  );
  return byExitCode(result, 'nothing to report, type-aware', 'oxlint reports');
}

/** The compiler of TypeScript 7: the `tsc` beside the others in node_modules/.bin is version 6. */
export const compiler = join(toolsRoot, 'node_modules/typescript-7/bin/tsc');

export async function checkTypes(root: string): Promise<StepResult> {
  const result = await runCommand(process.execPath, [compiler, '--noEmit', '-p', 'tsconfig.json', '--listFilesOnly'], {
    cwd: root,
  });
  const seen = new Set(result.output.split('\n').map((line) => line.trim()));
  const unseen = sourceFiles(root).filter((file) => !seen.has(join(root, file)));
  if (unseen.length > 0) {
    return { ok: false, line: `${unseen.length} files lie outside tsconfig.json`, details: unseen };
  }
  const checked = await runCommand(process.execPath, [compiler, '--noEmit', '-p', 'tsconfig.json'], { cwd: root });
  return byExitCode(checked, 'TypeScript 7 is content', 'type errors');
}

export async function checkUnused(root: string): Promise<StepResult> {
  const result = await runCommand(tool('knip'), ['--no-progress', '--no-config-hints'], { cwd: root });
  return byExitCode(result, 'every export, file and dependency has a user', 'knip found unused or unlisted things');
}

const DATA_MAP_CHECK = 'packages/strongroom/src/check-data-map.ts';

/** The composition root's own check: every column of every table is declared in the data map. */
export async function checkDataMap(root: string): Promise<StepResult> {
  if (!existsSync(join(root, DATA_MAP_CHECK))) return { ok: false, line: `${DATA_MAP_CHECK} does not exist` };
  const result = await runCommand(process.execPath, ['--conditions=source', DATA_MAP_CHECK], { cwd: root });
  return byExitCode(
    result,
    result.output.trim().split('\n').at(-1) ?? '',
    'a column that nobody declared, or no answer',
  );
}

async function checkFastTests(root: string): Promise<StepResult> {
  const script = join(root, 'tools/test.ts');
  const env = { ...process.env, STRONGROOM_TESTS: 'fast', NO_COLOR: '1' };
  const result = await runCommand(process.execPath, ['--conditions=source', script], { cwd: root, env });
  // Not simply the last line: what came over standard error may have been read later.
  const closing = result.output.match(/^\d+ passed, \d+ failed.*$/gm)?.at(-1) ?? 'no closing line';
  return byExitCode(result, closing, closing);
}

export const formattingStep: Step = { name: 'formatting', run: checkFormatting };
export const lintStep: Step = { name: 'lint', run: checkLint };
export const typesStep: Step = { name: 'types', run: checkTypes };
export const unusedStep: Step = { name: 'unused', run: checkUnused };
export const dataMapStep: Step = { name: 'data map', run: checkDataMap };
export const testsStep: Step = { name: 'fast tests', run: checkFastTests };
