import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure, temporaryFolder } from '@strongroom/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectedStamp } from './install.mjs';
import { toolsRoot } from './internal/step.ts';

/** A checkout of the start script alone, with a task that reports what reaches it. */
let root = '';
beforeAll(() => {
  root = temporaryFolder();
  mkdirSync(join(root, 'tools'));
  for (const file of ['run.mjs', 'install.mjs', 'lock.mjs'])
    cpSync(join(toolsRoot, 'tools', file), join(root, 'tools', file));
  cpSync(join(toolsRoot, '.nvmrc'), join(root, '.nvmrc'));
  writeFileSync(
    join(root, 'package.json'),
    JSON.stringify({ name: 'fixture', type: 'module', workspaces: ['member'] }),
  );
  mkdirSync(join(root, 'member'));
  writeFileSync(join(root, 'member/package.json'), JSON.stringify({ name: 'member', version: '1.0.0' }));
  const member = { 'node_modules/member': { resolved: 'member', link: true }, member: { version: '1.0.0' } };
  const locked = {
    lockfileVersion: 3,
    name: 'fixture',
    packages: { '': { name: 'fixture', workspaces: ['member'] }, ...member },
  };
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(locked));
  writeFileSync(
    join(root, 'tools/test.ts'),
    `const [what, ...rest]: string[] = process.argv.slice(2);
    if (what === 'wait') {
      process.once('SIGTERM', () => { console.log('ending'); setTimeout(() => process.exit(3), 50); });
      setInterval(() => undefined, 1000);
    }
    // Last: whoever reads it may send a signal at once.
    console.log(JSON.stringify({ rest, conditions: process.execArgv, version: process.version }));
    if (what === 'exit') process.exit(7);`,
  );
});

const start = (...parameters: readonly string[]) =>
  spawn(process.execPath, [join(root, 'tools/run.mjs'), ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] });

function finished(child: ReturnType<typeof start>): Promise<{ readonly code: number | null; readonly output: string }> {
  let output = '';
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (output += piece.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, output }));
  });
}

describe('the start script', () => {
  it('installs once for two shells that start at the same time, then hands over', async () => {
    const [first, second] = await Promise.all([
      finished(start('test', 'fine', 'a b')),
      finished(start('test', 'exit')),
    ]);
    const both = first.output + second.output;
    expect(both.match(/Installing dependencies/g)).toHaveLength(1);
    expect(both).not.toMatch(/EBADENGINE|warn/i);
    expect(first.code).toBe(0);
    expect(first.output).toContain('"rest":["a b"],"conditions":["--conditions=source"]');
    expect(second.code).toBe(7);
    figure('1 install for 2 shells started at the same time');
  }, 60_000);

  it('is quick when nothing is to be installed', () => {
    const times = [1, 2, 3].map(() => {
      const started = performance.now();
      expect(spawnSync(process.execPath, [join(root, 'tools/run.mjs'), 'nonsense']).status).toBe(2);
      const bare = performance.now() - started;
      const again = performance.now();
      expect(spawnSync(process.execPath, [join(root, 'tools/run.mjs'), 'test', 'fine']).status).toBe(0);
      // Two processes start instead of one; what lies above that is the script's own.
      return performance.now() - again - bare;
    });
    expect(Math.min(...times)).toBeLessThan(1000);
  });

  it('passes signals on, waits, and ends with the exit code of the task', async () => {
    const child = start('test', 'wait');
    const end = finished(child);
    await new Promise((resolve) => {
      child.stdout.once('data', resolve);
    });
    child.kill('SIGTERM');
    expect(await end).toMatchObject({ code: 3, output: expect.stringContaining('ending') });
  });

  it('says what it offers when asked for something else', async () => {
    const { code, output } = await finished(start('nonsense'));
    expect(code).toBe(2);
    expect(output).toContain('start|test|check|prove|bench|format');
    expect(await finished(start('--help'))).toEqual({ code: 0, output });
    expect((await finished(start('prove'))).output).toContain('tools/prove.ts does not exist yet.');
  });

  it('shows why an install failed, and runs nothing', async () => {
    const broken = temporaryFolder();
    cpSync(root, broken, { recursive: true, filter: (path) => !path.includes('node_modules') });
    writeFileSync(join(broken, 'package-lock.json'), '{"lockfileVersion": 3, "packages": {}}');
    const child = spawn(process.execPath, [join(broken, 'tools/run.mjs'), 'test'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { code, output } = await finished(child);
    expect(code).toBe(1);
    expect(output).toMatch(/npm error[^]*npm ci ended with exit code 1/);
    expect(output).not.toContain('conditions');
  }, 60_000);

  it('brings its own Node, and else names the one to install', async () => {
    const copy = temporaryFolder();
    cpSync(root, copy, { recursive: true, filter: (path) => !path.includes('node_modules') });
    const folder = join(copy, `node_modules/node-${process.platform}-${process.arch}/bin`);
    mkdirSync(folder, { recursive: true });
    symlinkSync(process.execPath, join(folder, 'node'));
    writeFileSync(join(copy, 'node_modules/.strongroom-install'), expectedStamp(copy));
    // An old Node: the same program with a preload that says so.
    const preload = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.1.0'})";
    const run = (at: string) =>
      finished(
        spawn(process.execPath, ['--import', preload, join(at, 'tools/run.mjs'), 'test'], {
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
    expect(await run(copy)).toMatchObject({ code: 0 });
    const without = await run(root);
    expect(without.code).toBe(1);
    expect(without.output).toMatch(/needs Node 24\.\d+\.\d+ \(see \.nvmrc\)/);
  });
});

describe('each task', () => {
  const run = (...parameters: readonly string[]) =>
    spawnSync(process.execPath, [join(toolsRoot, 'tools/run.mjs'), ...parameters], { encoding: 'utf8' });
  const tasks = /<(.*)>/.exec(run('--help').stdout)![1]!.split('|');

  it.each(tasks)('%s says with --help what it takes, and refuses what it does not', (task) => {
    const help = run(task, '--help');
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(new RegExp(`^Usage: npm (?:run )?${task} -- `, 'm'));
    expect(help.stdout).toMatch(/^Examples:\n {2}npm /m);
    const refused = run(task, '--mistyped');
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^.*--mistyped.*\n$/);
    expect(refused.stderr).toMatch(new RegExp(`\`npm (?:run )?${task} -- --help\``));
  });

  it.each([
    [['check', 'no-such-step']],
    [['check', 'fast', '--without-tests']],
    [['bench', 'no-such-suite']],
    [['bench', '--rounds', '0']],
    [['test', '--testTimeout']],
  ])('%j is refused', (parameters) => {
    expect(run(...parameters)).toMatchObject({ status: 2, stdout: '' });
  });
});
