/** What a test started and did not end. Where it has the test's output, vitest waits for it, for ever. */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const VARIABLE = 'STRONGROOM_TEST_RUN';
/** Characters of a command line that say which one it is. */
const COMMAND_LENGTH = 160;

/** Every process started from here on inherits it, so that one is known for ours even when its parent is gone. */
export function markRun(): string {
  const mark = randomUUID();
  process.env[VARIABLE] = mark;
  return mark;
}

interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly isMarked: boolean;
  readonly command: string;
}

function readProcess(pid: number, mark: string): Running | undefined {
  try {
    const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');
    const stat = read('stat');
    // The name before it may hold spaces and parentheses (proc(5)).
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Ended; nobody has asked for its exit code.
    if (state === 'Z') return undefined;
    const command = read('cmdline').replaceAll('\0', ' ').trim().slice(0, COMMAND_LENGTH);
    return {
      pid,
      parent: Number(parent),
      isMarked: read('environ').split('\0').includes(`${VARIABLE}=${mark}`),
      command,
    };
  } catch {
    // It ended meanwhile, or is somebody else's.
    return undefined;
  }
}

/** What the tests started, and what that did. Empty where there is no /proc. */
function startedByTests(mark: string): readonly Running[] {
  const pids = existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  const all = pids.map((pid) => readProcess(Number(pid), mark)).filter((one) => one !== undefined);
  const own = new Set([process.pid]);
  for (let size = 0; size < own.size;) {
    size = own.size;
    for (const { pid, parent, isMarked } of all) if (isMarked || own.has(parent)) own.add(pid);
  }
  // Tests run in workers: what this process started itself are those, and vitest's other helpers.
  return all.filter(({ pid, parent }) => own.has(pid) && pid !== process.pid && parent !== process.pid);
}

async function endsWithin(milliseconds: number, ending: Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), milliseconds);
  try {
    return await Promise.race([ending.then(() => true), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for the end of a test run. When it is overdue by `patience` (milliseconds), ends what the tests left running, by id, and resolves
 * with a line for each; each is a failure.
 */
export async function endLeftOvers(
  ending: Promise<unknown>,
  mark: string,
  patience: number,
): Promise<readonly string[]> {
  if (await endsWithin(patience, ending)) return [];
  const left = startedByTests(mark);
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself in this moment.
    }
  }
  const lines = left.map(({ pid, command }) => `left running by a test, and ended now: ${pid} ${command}`);
  if (!(await endsWithin(patience, ending))) lines.push('the tests have run and vitest does not end: nobody knows why');
  return lines;
}
