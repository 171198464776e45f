/** The vault as people run it: a server process with a data folder, and the command line as a process for each command. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryFolder } from '@strongroom/testing';
import { prepareDataFolder } from '@strongroom/testing/databases';
import { afterAll, vi } from 'vitest';
import { runProgram } from './program.ts';

export const repository = join(import.meta.dirname, '../../..');
const SERVER = join(repository, 'apps/server/src/main.ts');
/** What `bin/strongroom.mjs` starts: the launcher itself is in guides.slow.test.ts and in the console's suites. */
const COMMAND_LINE = join(repository, 'apps/cli/src/main.ts');

/** Milliseconds. A first start makes a database; the machine may be busy with other tests. */
const START_LIMIT = 60_000;
const COMMAND_LIMIT = 120_000;

export const PASSWORD = 'correct horse battery staple';

/** Nothing of the caller's own settings reaches the processes. What one has compiled the next one need not; that halves its time. */
const environment = (more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  NO_COLOR: '1',
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
  ...more,
});

const children = new Set<ChildProcess>();
const killAll = (): void => children.forEach((child) => child.kill('SIGKILL'));
process.once('exit', killAll);
afterAll(killAll);

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
}

/** Runs a program to its end. */
export async function runProcess(
  command: string,
  parameters: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const child = spawn(command, parameters, {
    env: environment(options.environment),
    cwd: options.cwd ?? repository,
    timeout: COMMAND_LIMIT,
    killSignal: 'SIGKILL',
  });
  children.add(child);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk;
    });
  }
  // A program that fails at once reads nothing.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  children.delete(child);
  return { code, ...output };
}

/** The server to its end, for starts that must fail. */
export const runServer = (parameters: readonly string[], options?: RunOptions): Promise<Ended> =>
  runProcess(process.execPath, ['--conditions=source', SERVER, ...parameters], options);

export interface VaultOptions {
  readonly data?: string;
  readonly port?: number;
  readonly parameters?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that starts the server given to it, in its own process. */
  readonly wrapper?: readonly string[];
}

export class RunningVault {
  readonly data: string;
  readonly port: number;
  readonly url: string;
  readonly metricsUrl: string | undefined;
  readonly setupLink: string | undefined;
  /** Standard output and standard error, as files. */
  readonly logs: { readonly output: string; readonly error: string };
  /** Milliseconds until the address was printed. */
  readonly startTime: number;
  readonly #child: ChildProcess;
  readonly #options: VaultOptions;

  constructor(child: ChildProcess, options: VaultOptions, data: string, logs: RunningVault['logs'], startTime: number) {
    this.#child = child;
    this.#options = options;
    this.data = data;
    this.logs = logs;
    this.startTime = startTime;
    const banner = readFileSync(logs.output, 'utf8');
    this.url = /^Strongroom is at (\S+)$/m.exec(banner)![1]!;
    this.port = Number(new URL(this.url).port);
    this.metricsUrl = /^Metrics are at (\S+)$/m.exec(banner)?.[1];
    this.setupLink = /^ {2}(http\S+\/set-up#\S+)$/m.exec(banner)?.[1];
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get log(): string {
    return readFileSync(this.logs.error, 'utf8');
  }

  /** An orderly end; resolves with the exit code. */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  /** kill -9: no chance to write anything more. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Again on the same folder and port, after `stop` or `kill`. */
  start(): Promise<RunningVault> {
    return startVault({ ...this.#options, data: this.data, port: this.port });
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const closed = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await closed;
    }
    return child.exitCode;
  }
}

interface Launched {
  readonly child: ChildProcess;
  readonly data: string;
  readonly logs: RunningVault['logs'];
}

/** Starts a server process and waits for nothing. */
export function launchServer(options: VaultOptions): Launched {
  const data = options.data ?? join(temporaryFolder(), 'data');
  const folder = temporaryFolder();
  const logs = { output: join(folder, 'output'), error: join(folder, 'error') };
  const files = [openSync(logs.output, 'w'), openSync(logs.error, 'w')] as const;
  const parameters = [
    '--data',
    data,
    '--port',
    String(options.port ?? 0),
    '--metrics-port',
    '0',
    ...(options.parameters ?? []),
  ];
  const [command = '', ...words] = [
    ...(options.wrapper ?? []),
    process.execPath,
    '--conditions=source',
    SERVER,
    ...parameters,
  ];
  const child = spawn(command, words, {
    env: environment(options.environment),
    cwd: repository,
    stdio: ['ignore', ...files],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  for (const file of files) closeSync(file);
  return { child, data, logs };
}

/** A data folder of a server that was stopped before any room had stored something: what a first start does to it takes seconds. */
async function preparedFolder({ environment: own = {} }: VaultOptions): Promise<string> {
  const data = join(temporaryFolder(), 'data');
  mkdirSync(data, { mode: 0o700 });
  if (own['STRONGROOM_DATABASE_URL'] === undefined) await prepareDataFolder(join(data, 'database'));
  return data;
}

/** Starts a server and waits until it has printed where it is. Rejects with what it said when it ends instead. */
export async function startVault(options: VaultOptions = {}): Promise<RunningVault> {
  const data = options.data ?? (await preparedFolder(options));
  const started = performance.now();
  const { child, logs } = launchServer({ ...options, data });
  for (;;) {
    if (/^Strongroom is at .*\n/m.test(readFileSync(logs.output, 'utf8'))) break;
    const waited = performance.now() - started;
    if (child.exitCode !== null || child.signalCode !== null || waited > START_LIMIT) {
      child.kill('SIGKILL');
      throw new Error(`The server did not start: ${readFileSync(logs.error, 'utf8')}`);
    }
    await pause(10);
  }
  return new RunningVault(child, options, data, logs, Math.round(performance.now() - started));
}

/** One person's computer: a state folder and the environment of its commands. */
export class Device {
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;

  constructor(more: Readonly<Record<string, string>> = {}) {
    this.home = join(temporaryFolder(), 'home');
    mkdirSync(this.home, { mode: 0o700 });
    this.environment = {
      STRONGROOM_HOME: this.home,
      STRONGROOM_EMAIL: 'ada@example.org',
      STRONGROOM_NAME: 'Ada Lovelace',
      STRONGROOM_PASSWORD: PASSWORD,
      ...more,
    };
  }

  /** Runs one command to its end. */
  run(parameters: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return runProcess(process.execPath, ['--conditions=source', COMMAND_LINE, ...parameters], {
      ...options,
      environment: { ...this.environment, ...options.environment },
    });
  }

  /**
   * Runs one command to its end in this process, none beside it. For a command that has been seen as a process and is wanted many times:
   * loading the whole service takes longer than most of them.
   */
  async runHere(parameters: readonly string[]): Promise<Ended> {
    const output = { stdout: '', stderr: '' };
    for (const [name, value] of Object.entries(this.environment)) vi.stubEnv(name, value);
    const spies = (['stdout', 'stderr'] as const).map((name) =>
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        output[name] += String(text);
        return true;
      }),
    );
    try {
      return { code: await runProgram(parameters), ...output };
    } finally {
      for (const spy of spies) spy.mockRestore();
      vi.unstubAllEnvs();
    }
  }

  /** Runs a command that must succeed; its lines. */
  async lines(...parameters: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(parameters);
    if (code !== 0) throw new Error(`strongroom ${parameters.join(' ')} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Runs a command that must succeed, with --json; the document. */
  async json<Value>(...parameters: readonly string[]): Promise<Value> {
    return JSON.parse(await this.lines(...parameters, '--json')) as Value;
  }

  /** Creates the account and its first space. Returns the recovery code. */
  async signUp(vault: RunningVault): Promise<string> {
    const { recoveryCode } = await this.json<{ recoveryCode: string }>('signup', '--invitation', vault.setupLink!);
    return recoveryCode;
  }
}

/** Waits until `ready` holds; rejects with `what` after `limit` milliseconds. */
export async function until(what: string, ready: () => boolean | Promise<boolean>, limit = 20_000): Promise<number> {
  const started = performance.now();
  while (!(await ready())) {
    if (performance.now() - started > limit) throw new Error(`Waited in vain: ${what}`);
    await pause(20);
  }
  return performance.now() - started;
}
