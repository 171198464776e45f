import { spawn } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { figure, temporaryFolder } from '@strongroom/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { write, type Files } from './internal/fixture.test-support.ts';
import { toolsRoot } from './internal/step.ts';
import { skipReport } from './internal/test-outcome.ts';

/** Runs `npm test` as it is over a folder with the given test files. */
function npmTest(
  files: Files,
  { ci = false, parameters = [] }: { readonly ci?: boolean; readonly parameters?: readonly string[] } = {},
): Promise<{ code: number | null; last: string; output: string }> {
  const root = temporaryFolder();
  symlinkSync(join(toolsRoot, 'node_modules'), join(root, 'node_modules'));
  write(root, { 'package.json': '{"type": "module"}', ...files });
  // The nested run reports for itself, not into the folder of the run that this test belongs to.
  const { STRONGROOM_TEST_FOLDER: _ours, ...env } = process.env;
  const script = join(toolsRoot, 'tools/test.ts');
  const child = spawn(process.execPath, ['--conditions=source', script, '--root', root, ...parameters], {
    env: { ...env, NO_COLOR: '1', CI: String(ci) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) =>
      resolve({ code, output: output + errors, last: output.trimEnd().split('\n').at(-1) ?? '' }),
    );
  });
}

const test = (body: string): string => `import { beforeAll, describe, expect, it } from 'vitest';\n${body}\n`;
const passing = test("it('holds', () => { expect(1).toBe(1); });");

/** What happens, the test file, and the exit code and closing line it must lead to. */
const cases: readonly (readonly [string, string, number, string])[] = [
  ['all pass', passing, 0, '1 passed, 0 failed'],
  ['one fails', passing + "it('breaks', () => { expect(1).toBe(2); });", 1, '1 passed, 1 failed'],
  ['one is skipped', passing + "it.skip('waits', () => {});", 0, '1 passed, 0 failed, 1 skipped'],
  ['all are skipped', test("it.skip('waits', () => {});"), 1, '0 passed, 0 failed, 1 skipped'],
  ['a file cannot be loaded', test("throw new Error('at import');"), 1, '0 passed, 1 failed'],
  [
    'a hook fails',
    passing +
      "describe('with a hook', () => { beforeAll(() => { throw new Error('hook'); }); it('never runs', () => {}); });",
    1,
    '1 passed, 1 failed, 1 skipped',
  ],
  ['an error goes by unhandled', passing + "void Promise.reject(new Error('nobody waits'));", 1, '1 passed, 1 failed'],
];

describe('npm test', () => {
  it.concurrent.each(cases)('closes truly when %s', async (_what, source, code, last) => {
    const result = await npmTest({ 'a.test.ts': source });
    expect(result).toMatchObject({ code, last });
    expect(result.output.includes('by a condition of the test')).toBe(source.includes('it.skip'));
  });

  describe('in CI', () => {
    /** Fails until it has run before. */
    const late = `import { existsSync, writeFileSync } from 'node:fs';
      ${passing}const mark = import.meta.filename + '.ran';
      it('comes late', () => { const before = existsSync(mark); writeFileSync(mark, ''); expect(before).toBe(true); });`;
    const broken = passing + "it('breaks', () => { expect(1).toBe(2); });";

    it.concurrent('gives a slow file a second attempt, and says so', async () => {
      const { code, last, output } = await npmTest({ 'a.slow.test.ts': late, 'b.test.ts': passing }, { ci: true });
      expect({ code, last }).toEqual({ code: 0, last: '3 passed, 0 failed' });
      expect(output).toMatch(/^unsteady, passed when run again: .*a\.slow\.test\.ts > comes late: expected false/m);
    });

    it.concurrent.each<[string, Files]>([
      ['a fast file', { 'a.test.ts': late }],
      ['a slow file that fails again', { 'a.slow.test.ts': broken }],
      ['a slow file beside a fast one that fails', { 'a.slow.test.ts': late, 'b.test.ts': broken }],
      [
        'more slow files than happens by accident',
        { 'a.slow.test.ts': late, 'b.slow.test.ts': broken, 'c.slow.test.ts': broken },
      ],
    ])('does not forgive %s', async (_what, files) => {
      const { code, output } = await npmTest(files, { ci: true });
      expect(code).toBe(1);
      expect(output).toMatch(/^failed: /m);
      expect(output).not.toContain('unsteady');
    });

    it('does so nowhere else', async () => {
      expect(await npmTest({ 'a.slow.test.ts': late })).toMatchObject({ code: 1, last: '1 passed, 1 failed' });
    });
  });

  it.concurrent('tells a failure again at the end', async () => {
    const { output } = await npmTest({ 'a.test.ts': cases[1]![1] });
    expect(output).toMatch(/^failed: .*a\.test\.ts > breaks: expected 1 to be 2 .*\n1 passed, 1 failed$/m);
  });

  it.concurrent('fails when no test ran', async () => {
    const nothing = await npmTest({ 'a.test.ts': passing }, { parameters: ['no-such-file'] });
    expect(nothing).toMatchObject({ code: 1, last: '0 passed, 0 failed' });
    expect(nothing.output).toContain('No test ran');
    figure(`${cases.filter(([, , code]) => code !== 0).length + 1} ways to fail are told truly`);
  });

  it('ends by itself when a test leaves processes behind: names and ends these and no others', async () => {
    // Below projects, as ours are. Of an orphan only the environment says where it comes from.
    const config = 'export default { test: { teardownTimeout: 500, projects: [{ test: { isolate: false } }] } };';
    const source = `import { spawn } from 'node:child_process';
      ${passing}it('leaves two', () => {
        spawn('sleep', ['3601'], { stdio: 'inherit' });
        spawn('sh', ['-c', 'sleep 3602 &'], { stdio: 'inherit' });
        spawn('sleep', ['3603'], { stdio: 'ignore' }).kill();
      });`;
    const other = spawn('sleep', ['3604'], { stdio: 'ignore' });
    onTestFinished(() => void other.kill());
    const { code, last, output } = await npmTest({ 'vitest.config.ts': config, 'a.test.ts': source });
    expect({ code, last }).toEqual({ code: 1, last: '2 passed, 2 failed' });
    expect(output).toMatch(/Timeout terminating forks worker for test files .*a\.test\.ts/);
    const named = [...output.matchAll(/^left running by a test, and ended now: (\d+) sleep (\d+)$/gm)];
    expect(named.map(([, , seconds]) => seconds)).toEqual(['3601', '3602']);
    const commandOf = (pid: string): string =>
      existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
    // Empty, too, as long as nobody has asked for its exit code.
    for (const [, pid] of named) expect(commandOf(pid!)).toBe('');
    expect(commandOf(String(other.pid))).toContain('3604');
  }, 60_000);

  it.concurrent('hands figures on and counts what was skipped for want of a part', async () => {
    const source = `import { figure, needs } from ${JSON.stringify(join(toolsRoot, 'tools/testing/src/index.ts'))};
      ${passing}it('measures', () => { figure('3 of 3'); });
      describe.skipIf(!needs('corpora:no-such-folder'))('with data', () => { it('a', () => {}); it('b', () => {}); });`;
    const { code, last, output } = await npmTest({ 'a.test.ts': source });
    expect({ code, last }).toEqual({ code: 0, last: '2 passed, 0 failed, 2 skipped' });
    expect(output).toMatch(/^figure: 3 of 3$/m);
    expect(output).toMatch(/^skipped 2 for want of corpora:no-such-folder: no "no-such-folder" in /m);
  });
});

describe('a missing part', () => {
  const skipped = new Map([['/a.test.ts', 4]]);
  const missing = [
    { file: '/a.test.ts', part: 'chromium', reason: 'install it' },
    { file: '/b.test.ts', part: 'corpora:pii', reason: 'not there' },
  ];

  it('is a failure in CI, and elsewhere a remark', () => {
    expect(skipReport(skipped, missing, false, true).failures).toBe(0);
    const { lines, failures } = skipReport(skipped, missing, true, true);
    expect(failures).toBe(2);
    expect(lines[0]).toBe('skipped 4 for want of chromium: install it');
    expect(lines.at(-1)).toMatch(/failure: chromium, corpora:pii/);
  });

  it('that CI cannot install and nobody promised is a remark', () => {
    expect(skipReport(skipped, missing, true, false).failures).toBe(1);
  });
});
