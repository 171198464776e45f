/** The completion scripts in the shells they are for, installed as their help says. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure, needs, temporaryFolder } from '@strongroom/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device, runProcess } from './running-vault.fixture.ts';

/** What is typed before Tab, and the last word that then stands there. */
const lines = {
  'strongroom aud': 'audit',
  'strongroom audit ver': 'verify',
  'strongroom --json space cr': 'create',
  'strongroom audit verify --pol': '--policy',
  'strongroom audit verify --data folder --pol': '--policy',
  'strongroom keys rotate ten': 'tenant',
  'strongroom serve --tls-k': '--tls-key',
  'strongroom completion fi': 'fish',
  'strongroom import mem': 'memories.jsonl',
  'strongroom export spare': 'spare',
  // A word of another command.
  'strongroom space rotate rec': 'rec',
};

const home = temporaryFolder();
const environment = { HOME: home, XDG_CONFIG_HOME: join(home, '.config'), ZDOTDIR: home, TERM: 'xterm' };
const device = new Device();
const script = async (shell: string): Promise<string> => (await device.run(['completion', shell])).stdout;
let pressed = 0;

beforeAll(() => writeFileSync(join(home, 'memories.jsonl'), ''));
afterAll(() => figure(`${pressed} lines completed by the shells themselves`));

describe.skipIf(!needs('fish'))('fish', () => {
  it('completes by a file among its completions', async () => {
    const folder = join(environment.XDG_CONFIG_HOME, 'fish/completions');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'strongroom.fish'), await script('fish'));
    const program = String.raw`for line in $argv; printf '%s\n' (complete -C $line | string split -f 1 \t | string join ' '); end`;
    const typed = ['strongroom audit retention ', ...Object.keys(lines)];
    const { stdout, stderr } = await runProcess('fish', ['-c', program, ...typed], { cwd: home, environment });
    expect(stderr).toBe('');
    const [group, ...offered] = stdout.split('\n');
    // No files among them.
    expect(group).toBe('run set show');
    expect(typed.slice(1).map((line, index) => offered[index] || line.split(' ').at(-1))).toEqual(Object.values(lines));
    pressed += typed.length;
  });
});

/** Types each line into a zsh on a terminal, presses Tab and Enter, and prints what reaches the command. */
const DRIVER = `
zmodload zsh/zpty
zpty inner zsh -i
zpty -r inner answer '*READY*'
for line in "$@"; do
  zpty -w -n inner "$line"$'\\t\\r'
  zpty -r inner answer $'*<*>*'
  print -r -- "\${\${answer##*<}%%>*}"
done
zpty -d inner
`;

describe.skipIf(!needs('zsh'))('zsh', () => {
  const own = 'strongroom() { print -r -- "<${@[-1]}>" }\nPROMPT=READY\n';

  it.each([
    ['after compinit', (text: string) => `autoload -Uz compinit && compinit -u\n${text}\n`],
    ['without compinit', (text: string) => `${text}\n`],
    [
      'among the functions',
      (text: string) => {
        mkdirSync(join(home, 'functions'));
        writeFileSync(join(home, 'functions/_strongroom'), text);
        return `fpath=(~/functions $fpath)\nautoload -Uz compinit && compinit -u\n`;
      },
    ],
  ])('completes by the script %s', async (_where, settings) => {
    writeFileSync(join(home, '.zshrc'), `${settings(await script('zsh'))}${own}`);
    const typed = Object.keys(lines);
    const parameters = ['-f', '-c', DRIVER, 'zsh', ...typed];
    const { stdout, stderr } = await runProcess('zsh', parameters, { cwd: home, environment });
    expect(stderr).toBe('');
    const completed = stdout.trimEnd().split('\n');
    expect(completed).toEqual(Object.values(lines));
    pressed += completed.length;
  });
});
