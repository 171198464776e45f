import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@strongroom/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EXIT } from './exit-codes.ts';
import { runProgram } from './program.ts';

let stdout: string;
let stderr: string;

beforeEach(() => {
  vi.stubEnv('STRONGROOM_HOME', join(temporaryFolder(), 'home'));
  for (const name of ['SERVER', 'EMAIL', 'NAME', 'PASSWORD', 'FERNET_KEY']) vi.stubEnv(`STRONGROOM_${name}`, undefined);
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

interface Completion {
  readonly script: string;
}

/** The completion script of a shell. */
async function completion(shell: string): Promise<string> {
  expect(await runProgram(['completion', shell, '--json'])).toBe(EXIT.ok);
  const { script } = JSON.parse(stdout) as Completion;
  stdout = '';
  return script;
}

/** Every command but `serve`, as the completion knows them: `audit verify`. */
async function commands(): Promise<string[]> {
  const script = await completion('bash');
  const entries = [...script.matchAll(/^ {4}'([^']+)'\) next=/gm)].map(([, words]) => words!);
  return [...entries.filter((words) => words !== 'serve'), 'completion'];
}

async function help(...words: readonly string[]): Promise<string> {
  stdout = '';
  expect(await runProgram([...words, '--help'])).toBe(EXIT.ok);
  return stdout;
}

describe('help', () => {
  it('says of every command what it does, of every argument and option what it means', async () => {
    const names = await commands();
    expect(names).toEqual(
      expect.arrayContaining(['signup', 'recall', 'audit verify', 'fernet decrypt', 'space create']),
    );
    for (const words of names) {
      const text = await help(...words.split(' '));
      const [usage, , description] = text.split('\n');
      expect(usage, words).toMatch(`Usage: strongroom ${words} `);
      expect(description, words).toMatch(/^[a-z].{10,}$/);
      for (const [line] of text.matchAll(/^ {2}(?:-{1,2}\w|[a-z.]+ {2}).*$/gm)) {
        expect(line, `${words}: ${line}`).toMatch(/^ {2}\S+(?: [<[]\S+)?(?:, \S+)? {2,}\S/);
      }
    }
  });

  it('shows an example for whatever takes an argument or an option of its own', async () => {
    const withoutExample: string[] = [];
    for (const words of await commands()) {
      const text = await help(...words.split(' '));
      const isGroup = /^Commands:$/m.test(text);
      const takesNothing = !/^Arguments:$/m.test(text) && !/^ {2}--(?!json)/m.test(text);
      if (!isGroup && !takesNothing && !/^Examples?:\n {2}(?:printf .*\| )?strongroom /m.test(text))
        withoutExample.push(words);
    }
    expect(withoutExample).toEqual([]);
  });

  it('documents every exit code', async () => {
    const [, codes] = /Exit codes:\n([\s\S]*?)\n\n/.exec(await help())!;
    for (const code of Object.values(EXIT)) expect(codes).toMatch(new RegExp(`(?:^|\\s)${code} \\w`));
  });

  it('of `serve` is that of the server, a process of its own', () => {
    const program = join(import.meta.dirname, 'main.ts');
    const { status, stdout: text } = spawnSync(process.execPath, ['--conditions=source', program, 'serve', '--help'], {
      encoding: 'utf8',
    });
    expect(status).toBe(EXIT.ok);
    expect(text).toContain('--behind-proxy');
  });
});

describe('the exit code', () => {
  it.each([
    [[], EXIT.usage],
    [['no-such-command'], EXIT.usage],
    [['recall'], EXIT.usage],
    [['list', '--limit', '0'], EXIT.usage],
    [['unlock', '--for', '25h'], EXIT.usage],
    [['signup'], EXIT.usage],
    [['signup', '--invitation', 'no link#token'], EXIT.usage],
    [['completion', 'tcsh'], EXIT.usage],
    [['forget', 'not-an-id'], EXIT.usage],
    [['list'], EXIT.credentials],
    [['recall', 'anything'], EXIT.credentials],
    [['import', '/nonexistent/memory.jsonl'], EXIT.failed],
    [['audit', 'verify', '--data', '/nonexistent'], EXIT.failed],
    [['fernet', 'encrypt', '--key', 'short'], EXIT.usage],
    [['serve', '--port', 'http'], EXIT.usage],
    [['--version'], EXIT.ok],
    [['lock'], EXIT.ok],
  ])('of %j is %i', async (argv, code) => {
    expect(await runProgram(argv)).toBe(code);
    if (code === EXIT.ok) expect(stderr).toBe('');
    else expect(stdout).toBe('');
  });
});

describe('an error', () => {
  it('is one line with its code, or with --json one object, in either place', async () => {
    await runProgram(['list']);
    expect(stderr).toMatch(/^strongroom: Not signed in here.* \[cli\.not-signed-in\]\n$/);
    for (const argv of [
      ['list', '--json'],
      ['--json', 'list'],
    ]) {
      stderr = '';
      await runProgram(argv);
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'cli.not-signed-in' } });
    }
  });

  it('does not repeat what could drive a terminal', async () => {
    await runProgram(['import', '/nonexistent/\u001b]0;x\u0007.jsonl']);
    expect(stderr).not.toContain('\u001b');
    expect(stderr).toContain('[cli.unreadable-file]');
  });
});

describe('completion', () => {
  const inBash = (script: string, ...words: readonly string[]) => {
    const program = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _strongroom; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { status, stdout } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8' });
    expect(status).toBe(0);
    return stdout.trim().split('\n');
  };

  it('is a script that bash accepts and that completes commands and options', async () => {
    const script = await completion('bash');
    const { status, stderr } = spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(inBash(script, 'strongroom', 're')).toEqual(['remember', 'recall']);
    expect(inBash(script, 'strongroom', 'audit', '')).toEqual(expect.arrayContaining(['verify']));
    expect(inBash(script, 'strongroom', 'audit', 'verify', '--da')).toEqual(['--data', '--database-url']);
    expect(inBash(script, 'strongroom', '--json', 'space', 'c')).toEqual(['create']);
  });

  it('exists for zsh and fish too', async () => {
    expect(await completion('zsh')).toMatch(/^#compdef strongroom\n/);
    expect(await completion('fish')).toContain("complete -c strongroom -n '__fish_use_subcommand' -a recall\n");
  });
});

it('the version is that of the package', async () => {
  await runProgram(['--version']);
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  expect(stdout).toBe(`${version}\n`);
});
