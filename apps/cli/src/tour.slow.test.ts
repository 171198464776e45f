/** The tour of README.md, done as a reader does it: in a copy of the checkout, command by command, with the output that is printed there. */
import { execFile, spawn } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { figure, temporaryFolder } from '@strongroom/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, repository, runProcess, until } from './running-vault.fixture.ts';

/** Milliseconds: the first start builds the console and makes a database. */
const START_LIMIT = 120_000;

interface Step {
  readonly command: string;
  /** What README shows; `…` stands for anything. */
  readonly output: readonly string[];
}

/** The commands in fenced `console` blocks, each with the lines up to the next one. */
function steps(): Step[] {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, block]) => block!);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .filter(Boolean)
      .map((text) => {
        const [command, ...output] = text.trimEnd().split('\n');
        return { command: command!, output };
      }),
  );
}

/** A line of `…` stands for any lines, elsewhere it stands for anything in that line. */
function pattern(output: readonly string[]): RegExp {
  const lines = output.map((line) => {
    if (line.trim() === '…') return '(?:.*\\n)*?';
    return `${line
      .split('…')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')} *\\n`;
  });
  return new RegExp(`^${lines.join('')}$`);
}

/** What is tracked or could be, as `git add` sees it; dependencies are linked, workspace packages are the copy's own. */
async function copyOfCheckout(): Promise<string> {
  const folder = join(temporaryFolder(), 'strongroom');
  const { stdout } = await promisify(execFile)(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '-z'],
    { cwd: repository, maxBuffer: 2 ** 26 },
  );
  for (const file of stdout.split('\0').filter(Boolean)) {
    // Deleted, not yet committed.
    if (lstatSync(join(repository, file), { throwIfNoEntry: false }) === undefined) continue;
    cpSync(join(repository, file), join(folder, file));
  }
  link(join(repository, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Links each package; what is a link itself (workspace packages, commands) is made again, so that it points into the copy. */
function link(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (entry.isDirectory() && (entry.name === '.bin' || entry.name.startsWith('@'))) link(source, target);
    else symlinkSync(source, target);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

let folder: string;
let environment: Record<string, string>;
let stop: () => Promise<void> = () => Promise.resolve();

beforeAll(async () => {
  folder = await copyOfCheckout();
  environment = {
    STRONGROOM_PORT: String(await freePort()),
    STRONGROOM_HOME: join(temporaryFolder(), 'home'),
    STRONGROOM_PASSWORD: PASSWORD,
    HOME: temporaryFolder(),
  };
});
afterAll(() => stop());

/** Starts the server as the tour does and resolves once it printed what the tour shows. */
async function start(command: string): Promise<string> {
  // Its own process group: npm, the start script and the server end together.
  const server = spawn('bash', ['-c', command], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
    detached: true,
  });
  let output = '';
  let log = '';
  server.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  server.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
  const ended = new Promise((resolve) => server.once('close', resolve));
  stop = async () => {
    if (server.exitCode === null) process.kill(-server.pid!, 'SIGTERM');
    await ended;
  };
  await until(
    'the set-up link',
    () => {
      if (server.exitCode !== null) throw new Error(`npm start ended: ${log}`);
      return /npx strongroom signup.*\n/.test(output);
    },
    START_LIMIT,
  );
  return output;
}

describe('the tour in README.md', () => {
  it('works as it stands there', async () => {
    const [first, ...others] = steps();
    expect(first!.command).toBe('npm start');
    expect(others.length).toBeGreaterThan(8);
    const started = performance.now();
    const port = environment['STRONGROOM_PORT']!;
    const banner = (await start(first!.command)).replaceAll(`:${port}`, ':7766');
    // npm names the script it runs first.
    const said = banner.slice(banner.indexOf('Strongroom is at'));
    expect(said).toMatch(pattern(first!.output));
    const invitation = /http\S+\/set-up#[\w-]+/.exec(banner)![0];
    for (const { command, output } of others) {
      const filled = command.replace(/http:\S+set-up#…/, invitation).replaceAll(':7766', `:${port}`);
      const { code, stdout, stderr } = await runProcess('bash', ['-c', filled], {
        cwd: folder,
        environment: { PATH: process.env['PATH']!, ...environment },
      });
      expect({ command, code }, stderr).toEqual({ command, code: 0 });
      expect(stdout, command).toMatch(pattern(output));
    }
    figure(
      `${others.length + 1} commands of the tour in ${Math.round((performance.now() - started) / 1000)} s, the first start included`,
    );
  });
});

it('the links in README.md and CONTRIBUTING.md lead somewhere', () => {
  for (const page of ['README.md', 'CONTRIBUTING.md']) {
    const links = [...readFileSync(join(repository, page), 'utf8').matchAll(/\]\(([^)#]+)\)/g)].map(
      ([, target]) => target!,
    );
    expect(links.length).toBeGreaterThan(3);
    for (const target of links)
      expect(lstatSync(join(repository, dirname(page), target), { throwIfNoEntry: false }), target).toBeDefined();
  }
});
