/**
 * The unlock agent: a small process that holds the unlock key in memory until a deadline and gives it to this user's
 * commands over a socket in the state folder. Nothing is written to disk; when the process ends, the key is gone.
 */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { SecretBytes } from '@strongroom/sealing';
import { CliError } from './errors.ts';
import type { StateFolder } from './state.ts';

const SOCKET = 'agent.sock';
/** Milliseconds to wait for an answer from the agent; it does nothing slow. */
const ANSWER_TIMEOUT = 2000;
/** Milliseconds for the agent process to start. */
const START_TIMEOUT = 10_000;
const KEY_PURPOSE = 'unlock key';

/** The longest time an unlock may last, in seconds. */
export const LONGEST_UNLOCK = 24 * 60 * 60;

/** Where the agent of this state folder listens. */
const agentSocket = (state: StateFolder): string => state.file(SOCKET);

function ask(socketPath: string, request: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    let answer = '';
    socket.setTimeout(ANSWER_TIMEOUT, () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.end(`${request}\n`));
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    // Nobody listening is the ordinary case: there is no agent.
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(answer === '' ? undefined : answer.trim()));
  });
}

/** The unlock key for this account, or undefined when locked. */
export async function keyFromAgent(state: StateFolder, account: string): Promise<SecretBytes | undefined> {
  const answer = await ask(agentSocket(state), `key ${account}`);
  return answer === undefined || answer === 'none' ? undefined : SecretBytes.fromBase64Url(KEY_PURPOSE, answer);
}

/** True when an agent was running. */
export async function stopAgent(state: StateFolder): Promise<boolean> {
  return (await ask(agentSocket(state), 'stop')) !== undefined;
}

/** Starts an agent that forgets the key after `seconds`. An earlier one is replaced. Throws `cli.agent-unavailable`. */
export async function startAgent(
  state: StateFolder,
  account: string,
  key: SecretBytes,
  seconds: number,
): Promise<void> {
  await stopAgent(state);
  const program = fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? './agent-main.ts' : './agent-main.js', import.meta.url),
  );
  const child = spawn(process.execPath, [...process.execArgv, program, agentSocket(state), account, String(seconds)], {
    detached: true,
    // The key goes through a pipe: arguments and environment can be seen by others.
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.end(key.revealBase64Url());
  await new Promise<void>((resolve, reject) => {
    const failed = (): void => reject(new CliError('cli.agent-unavailable'));
    const timer = setTimeout(failed, START_TIMEOUT);
    child.once('error', failed);
    child.once('exit', failed);
    child.stdout.once('data', () => {
      clearTimeout(timer);
      child.removeListener('exit', failed);
      resolve();
    });
  });
  child.stdout.destroy();
  child.unref();
}
