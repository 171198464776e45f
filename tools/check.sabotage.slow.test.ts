import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { figure } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { checkDataMap, checkFormatting, checkLint, checkTypes, checkUnused } from './internal/check-commands.ts';
import { checkExports } from './internal/check-exports.ts';
import { checkFileLength } from './internal/check-file-length.ts';
import { checkout, edit, soundPackages, write, type Files } from './internal/fixture.test-support.ts';
import { runSteps } from './internal/run-steps.ts';
import type { Step, StepResult } from './internal/step.ts';

type Check = (root: string) => Promise<StepResult>;

const greet = 'packages/kernel/src/greet.ts';
const manifest = 'packages/kernel/package.json';
const edited = (path: string, from: string, to: string) => (root: string) => edit(root, path, from, to);
const added = (files: Files) => (root: string) => write(root, files);

/** What a defect is, how it is planted, and what the check says of it. */
const planted: readonly (readonly [string, Check, (root: string) => void, RegExp])[] = [
  ['a badly formatted file', checkFormatting, added({ [greet]: 'export const a   = 1\n' }), /greet\.ts/],
  [
    'a promise nobody waits for',
    checkLint,
    added({
      [greet]: 'const later = async (): Promise<void> => {};\nexport const greet = (): void => {\n  later();\n};\n',
    }),
    /no-floating-promises/,
  ],
  ['a type error', checkTypes, added({ [greet]: 'export const greet: number = "text";\n' }), /TS2322/],
  ['a file that no type check sees', checkTypes, edited('tsconfig.json', '"packages/*/src",', ''), /welcome\.ts/],
  [
    'an export without a user',
    checkUnused,
    added({ 'packages/kernel/src/name.ts': 'export type Name = string;\nexport const spare = 1;\n' }),
    /spare/,
  ],
  [
    'a file without a user',
    checkUnused,
    added({ 'packages/kernel/src/attic.ts': 'export const attic = 1;\n' }),
    /attic\.ts/,
  ],
  [
    'a dependency without a user',
    checkUnused,
    edited(manifest, '"files"', '"dependencies": { "zod": "4.0.0" },\n  "files"'),
    /zod/,
  ],
  [
    'a dependency that is not listed',
    checkUnused,
    added({
      [greet]: "import { z } from 'zod';\nexport const greet = (name: string): string => z.string().parse(name);\n",
    }),
    /zod/,
  ],
  [
    'a source file of 501 lines',
    checkFileLength,
    added({ [greet]: 'export const greet = 1;\n'.repeat(501) }),
    /501 lines/,
  ],
  ['a build that fails', checkExports, added({ [greet]: 'export const greet: number = "text";\n' }), /TS2322/],
  [
    'a reference that is missing',
    checkExports,
    edited('packages/sealing/tsconfig.json', '"path": "../../packages/kernel"', '"path": "../../packages/sealing"'),
    /TS/,
  ],
  [
    'an export path without a file',
    checkExports,
    edited(manifest, '"exports": {', '"exports": {\n    "./verify": "./dist/verify.js",'),
    /verify/,
  ],
  [
    'an export path that throws when imported',
    checkExports,
    added({
      [greet]:
        "import type { Name } from './name.ts';\nexport const greet = (name: Name): string => name;\nthrow new Error('at import');\n",
    }),
    /at import/,
  ],
  ['a package entry that is not published', checkExports, edited(manifest, '"dist"', '"src"'), /not published|dist/],
  [
    'test code in what is published',
    checkExports,
    added({ 'packages/kernel/src/greet.fixture.ts': 'export const sample = 1;\n' }),
    /greet\.fixture\.js is test code/,
  ],
  ['no data map check', checkDataMap, () => undefined, /does not exist/],
  [
    'a failing data map check',
    checkDataMap,
    added({
      'packages/strongroom/src/check-data-map.ts':
        "console.log('accounts.shoe_size is not declared');\nprocess.exit(1);\n",
    }),
    /shoe_size/,
  ],
];

describe('a sound checkout', () => {
  it.concurrent.each([
    ['formatting', checkFormatting],
    ['lint', checkLint],
    ['types', checkTypes],
    ['unused', checkUnused],
    ['file length', checkFileLength],
    ['exports', checkExports],
  ] as const)('passes: %s', async (_name, check) => {
    expect(await check(checkout(...soundPackages))).toMatchObject({ ok: true });
  });

  it.concurrent('passes: data map', async () => {
    const root = checkout(...soundPackages, {
      'packages/strongroom/src/check-data-map.ts': "console.log('12 columns declared');\n",
    });
    expect(await checkDataMap(root)).toEqual({ ok: true, line: '12 columns declared' });
  });
});

describe('a defect turns its check red', () => {
  it.concurrent.each(planted)('%s', async (_what, check, plant, found) => {
    const root = checkout(...soundPackages);
    plant(root);
    const result = await check(root);
    expect(result.ok).toBe(false);
    expect([result.line, ...(result.details ?? [])].join('\n')).toMatch(found);
  });

  it('in a checkout where there is nothing to check', async () => {
    const root = checkout({ 'packages/kernel/readme.txt': 'nothing here' });
    rmSync(join(root, 'packages/kernel'), { recursive: true });
    expect(await checkExports(root)).toMatchObject({ ok: false });
    expect(await checkFileLength(root)).toMatchObject({ ok: false });
    figure(`${planted.length + 2} planted defects turned their check red`);
  });
});

describe('the steps', () => {
  const step = (name: string, run: Step['run']): Step => ({ name, run });
  const fine = step('fine', () => Promise.resolve({ ok: true, line: 'all well' }));
  const wrong = step('wrong', () => Promise.resolve({ ok: false, line: '1 problem', details: ['the roof leaks'] }));
  const broken = step('broken', () => Promise.reject(new Error('no such tool')));

  it('all run, the bad news comes last, and the closing line counts', async () => {
    const said: string[] = [];
    const result = await runSteps([wrong, broken, fine], '/', (line) => said.push(line));
    expect(result).toEqual({ passed: 1, failed: 2 });
    expect(said.slice(0, 3).map((line) => line.slice(0, 12).trim())).toEqual([
      'FAIL  wrong',
      'FAIL  broken',
      'ok    fine',
    ]);
    expect(said.join('\n')).toMatch(/the roof leaks[^]*no such tool/);
    expect(said.at(-1)).toBe('\n1 passed, 2 failed');
  });
});
