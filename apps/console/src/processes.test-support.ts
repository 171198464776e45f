/** The server as a process of its own, and the command line as one for each command: what people run beside the browser. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryFolder } from '@strongroom/testing';
import { prepareDataFolder } from '@strongroom/testing/databases';
import { afterAll } from 'vitest';
import { buildConsole } from '../build.ts';

const repository = path.resolve(import.meta.dirname, '../../..');
const SERVER = path.join(repository, 'apps/server/src/main.ts');
const COMMAND_LINE = path.join(repository, 'apps/cli/bin/strongroom.mjs');
/** Milliseconds; the machine may be busy with other tests. */
const START_LIMIT = 60_000;
const COMMAND_LIMIT = 120_000;

const children = new Set<ChildProcess>();
afterAll(() => children.forEach((child) => child.kill('SIGKILL')));

/** Nothing of the caller's own settings reaches the processes. */
const environment = (more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  NO_COLOR: '1',
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
  ...more,
});

export interface ServerProcess {
  readonly origin: string;
  readonly setUpLink: string;
  readonly metrics: string;
  readonly data: string;
  /** Files. */
  readonly logs: { readonly output: string; readonly error: string };
  readonly pid: number;
  /** Resolves with the exit code. */
  readonly stop: () => Promise<number | null>;
}

export async function startServerProcess(data: string): Promise<ServerProcess> {
  await buildConsole();
  await prepareDataFolder(path.join(data, 'database'));
  const folder = temporaryFolder();
  const logs = { output: path.join(folder, 'output'), error: path.join(folder, 'error') };
  const files = [openSync(logs.output, 'w'), openSync(logs.error, 'w')] as const;
  const parameters = ['--data', data, '--port', '0', '--metrics-port', '0', '--log-level', 'debug'];
  const child = spawn(process.execPath, ['--conditions=source', SERVER, ...parameters], {
    env: environment(),
    cwd: repository,
    stdio: ['ignore', ...files],
  });
  children.add(child);
  const closed = new Promise((resolve) => child.once('exit', resolve));
  for (const file of files) closeSync(file);
  const started = performance.now();
  const said = (pattern: RegExp): string | undefined => pattern.exec(readFileSync(logs.output, 'utf8'))?.[1];
  for (let origin; ;) {
    origin = said(/^Strongroom is at (\S+)$/m);
    const setUpLink = said(/^ {2}(http\S+\/set-up#\S+)$/m);
    const metrics = said(/^Metrics are at (\S+)$/m);
    if (origin !== undefined && setUpLink !== undefined && metrics !== undefined) {
      const stop = async (): Promise<number | null> => {
        child.kill('SIGTERM');
        await closed;
        return child.exitCode;
      };
      return { origin, setUpLink, metrics, data, logs, pid: child.pid!, stop };
    }
    if (child.exitCode !== null || performance.now() - started > START_LIMIT)
      throw new Error(`The server did not start: ${readFileSync(logs.error, 'utf8')}`);
    await pause(20);
  }
}

/** One person's terminal. */
export class CommandLine {
  readonly #environment: Readonly<Record<string, string>>;

  constructor(person: { readonly server: string; readonly email: string; readonly password: string }) {
    this.#environment = {
      STRONGROOM_HOME: path.join(temporaryFolder(), 'home'),
      STRONGROOM_SERVER: person.server,
      STRONGROOM_EMAIL: person.email,
      STRONGROOM_PASSWORD: person.password,
    };
  }

  /** Runs a command that must succeed, with --json; the document. */
  async json<Value>(...parameters: readonly string[]): Promise<Value> {
    const child = spawn(process.execPath, [COMMAND_LINE, ...parameters, '--json'], {
      env: environment(this.#environment),
      cwd: repository,
      timeout: COMMAND_LIMIT,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        output[name] += chunk;
      });
    }
    const code = await new Promise((resolve) => child.once('close', resolve));
    children.delete(child);
    if (code !== 0) throw new Error(`strongroom ${parameters.join(' ')} ended with ${String(code)}: ${output.stderr}`);
    return JSON.parse(output.stdout) as Value;
  }
}
