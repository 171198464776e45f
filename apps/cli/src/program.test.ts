import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionNames } from '@strongroom/server/options';
import { temporaryFolder } from '@strongroom/testing';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { commandGroups, runProgram } from './program.ts';

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

/** The completion script of a shell. */
async function completion(shell: string): Promise<string> {
  expect(await runProgram(['completion', shell, '--json'])).toBe(EXIT.ok);
  const { script } = JSON.parse(stdout) as { readonly script: string };
  stdout = '';
  return script;
}

interface Node {
  /** `audit verify` */
  readonly words: string;
  readonly command: Command;
}

/** Every command that there is, groups too. */
async function tree(): Promise<readonly Node[]> {
  const program = new Command('strongroom');
  for (const { load } of commandGroups) (await load())(program, {} as CommandContext);
  const walk = (parent: Command, words: readonly string[]): Node[] =>
    parent.commands.flatMap((command) => {
      const path = [...words, command.name()];
      return [{ words: path.join(' '), command }, ...walk(command, path)];
    });
  return walk(program, []);
}

/** Without `serve`, whose help is the server's. */
const nodes = (await tree()).filter(({ words }) => words !== 'serve');

async function help(...words: readonly string[]): Promise<string> {
  stdout = '';
  expect(await runProgram([...words, '--help'])).toBe(EXIT.ok);
  return stdout;
}

describe('help', () => {
  it('says of every command what it does, of every argument and option what it means', async () => {
    const names = nodes.map(({ words }) => words);
    expect(names).toEqual(
      expect.arrayContaining(['signup', 'recall', 'audit verify', 'fernet decrypt', 'space create', 'witness serve']),
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

  it('shows of every command an example of it, its exit codes once, and --json', async () => {
    const lacking: string[] = [];
    for (const { words, command } of nodes) {
      if (command.commands.length > 0) continue;
      const text = await help(...words.split(' '));
      if (!new RegExp(`^Examples?:\n(?: {2}.*\n)*? {2}.*strongroom ${words}\\b`, 'm').test(text)) {
        lacking.push(`${words}: example`);
      }
      const codes = text.split('\nExit codes:\n');
      if (codes.length !== 2 || !/^ {2}0 {2}\w.*\n {2}1 {2}\w.*\n {2}2 {2}\w/.test(codes[1]!)) {
        lacking.push(`${words}: exit codes`);
      }
      if (!/^ {2}--json {2}/m.test(text)) lacking.push(`${words}: --json`);
    }
    expect(lacking).toEqual([]);
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

describe('`serve`', () => {
  const run = (...words: readonly string[]) => {
    const program = ['--conditions=source', join(import.meta.dirname, 'main.ts'), ...words];
    return spawnSync(process.execPath, program, { encoding: 'utf8' });
  };

  it('tells a wrong option as the other commands do', () => {
    const { status, stdout: text, stderr: said } = run('serve', '--prot', '1');
    expect({ status, text }).toEqual({ status: EXIT.usage, text: '' });
    expect(said).toMatch(
      /^strongroom: .*`strongroom serve --help`\. Unknown option '--prot'\. \(Did you mean --port\?\) \[server\.bad-option\]\n$/,
    );
  });

  it('with --json, too', () => {
    const { status, stdout: text, stderr: said } = run('serve', '--prot', '1', '--json');
    expect({ status, text }).toEqual({ status: EXIT.usage, text: '' });
    expect(JSON.parse(said)).toEqual({
      error: { code: 'server.bad-option', message: expect.stringContaining('Did you mean --port?') as string },
    });
  });
});

it.each(commandGroups.filter(({ names }) => names.length > 0).map((group) => [group.names.join(', '), group] as const))(
  'whoever asks for %s gets a module with these and no others',
  async (_names, { names, load }) => {
    const program = new Command();
    (await load())(program, {} as CommandContext);
    expect(program.commands.map((command) => command.name())).toEqual(names);
  },
);

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

describe('a wrong command line', () => {
  const ID = '01a200db-fa68-716b-9a7c-70890969723e';

  it.each([
    [
      'an unknown command',
      ['recal', 'key'],
      /Unknown command 'recal'\. \(Did you mean recall\?\) See `strongroom --help`/,
    ],
    ['one of a group', ['audit', 'verfy'], /'verfy'\. \(Did you mean verify\?\) See `strongroom audit --help`/],
    [
      'an unknown option',
      ['list', '--lmit', '3'],
      /option '--lmit'\. \(Did you mean --limit\?\) See `strongroom list --help`/,
    ],
    ['a value after one', ['login', '--pasword=hunter2'], /Unknown option '--pasword'\./],
    ['a missing argument', ['recall'], /Missing required argument 'words'\. See `strongroom recall --help`/],
    ['a missing value', ['list', '--space'], /Option '--space <space>' argument missing\. See/],
    ['an option in its place', ['list', '--space', '--limit', '3'], /Option '--space <space>' argument missing\. See/],
    ['a missing option', ['signup'], /Required option '--invitation <link>' not specified\. See/],
    ['too many arguments', ['list', 'hunter2'], /Too many arguments for 'list'\. Expected 0 arguments but got 1\. See/],
    [
      'no such choice',
      ['export', 'x', '--format', 'pdf'],
      /choices are jsonl, markdown\. See `strongroom export --help`/,
    ],
    ['a bad value', ['list', '--limit', '0'], /--limit is a whole number from 1 to 999999\./],
    ['a bad id', ['account', 'end-sessions', 'x'], /not a valid id/],
    [
      'options that exclude each other',
      ['account', 'end-sessions', ID, '--others'],
      /Name sessions, or say --others\./,
    ],
  ])('%s', async (_case, argv, text) => {
    expect(await runProgram(argv)).toBe(EXIT.usage);
    expect(stderr).toMatch(/^strongroom: .* \[(?:cli\.usage|kernel\.invalid-id)\]\n$/);
    expect(stderr).toMatch(text);
    expect(stderr).not.toContain('hunter2');
    for (const withJson of [
      ['--json', ...argv],
      [...argv, '--json'],
    ]) {
      stderr = '';
      expect(await runProgram(withJson)).toBe(EXIT.usage);
      expect(JSON.parse(stderr)).toEqual({
        error: {
          code: expect.stringMatching(/^(?:cli\.usage|kernel\.invalid-id)$/),
          message: expect.stringMatching(text),
        },
      });
    }
    expect(stdout).toBe('');
  });

  it.each([[[]], [['audit']], [['keys', 'rotate']], [['help', 'recal']]])(
    'without a command (%j) shows the help, and with --json says so',
    async (argv) => {
      expect(await runProgram(argv)).toBe(EXIT.usage);
      expect(stderr).toMatch(/^Usage: strongroom /);
      stderr = '';
      expect(await runProgram([...argv, '--json'])).toBe(EXIT.usage);
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'cli.usage' } });
      expect(stdout).toBe('');
    },
  );

  it('takes what follows -- or = as text', async () => {
    expect(await runProgram(['list', '--space=--limit'])).toBe(EXIT.credentials);
    stderr = '';
    expect(await runProgram(['recall', '--', '--json', '--limit'])).toBe(EXIT.credentials);
    expect(stderr).toMatch(/^strongroom: /);
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

  it('is a script that bash accepts and that completes commands, options and choices', async () => {
    const script = await completion('bash');
    const { status, stderr } = spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(inBash(script, 'strongroom', 're')).toEqual(['remember', 'recall']);
    expect(inBash(script, 'strongroom', 'audit', '')).toEqual(expect.arrayContaining(['verify']));
    expect(inBash(script, 'strongroom', 'audit', 'verify', '--da')).toEqual(['--data', '--database-url']);
    expect(inBash(script, 'strongroom', 'audit', 'verify', '--data', 'folder', '--pol')).toEqual(['--policy']);
    expect(inBash(script, 'strongroom', '--json', 'space', 'c')).toEqual(['create']);
    expect(inBash(script, 'strongroom', 'completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
    expect(inBash(script, 'strongroom', 'space', 'rotate', 'r')).not.toContain('root');
  });

  it('knows every command and option, in every shell', async () => {
    const [bash, zsh, fish] = [await completion('bash'), await completion('zsh'), await completion('fish')];
    expect(zsh).toContain(bash);
    const completed = new Map(
      [...bash.matchAll(/^ {4}'([^']*)'\) next='([^']*)' ;;$/gm)].map(([, words, next]) => [words!, next!.split(' ')]),
    );
    const lines = new Set(fish.split('\n'));
    for (const { words, command } of await tree()) {
      const parent = words.split(' ').slice(0, -1).join(' ');
      expect(completed.get(parent), words).toContain(command.name());
      expect(lines, words).toContain(`complete -c strongroom -n "__strongroom_at '${parent}'" -a ${command.name()}`);
      const options = words === 'serve' ? optionNames : [...command.options.map(({ long }) => long!), '--json'];
      for (const option of [...options, '--help']) {
        expect(completed.get(words), words).toContain(option);
        expect(lines, words).toContain(`complete -c strongroom -n "__strongroom_at '${words}'" -l ${option.slice(2)}`);
      }
    }
  });
});

it('the version is that of the package', async () => {
  await runProgram(['--version']);
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  expect(stdout).toBe(`${version}\n`);
});
