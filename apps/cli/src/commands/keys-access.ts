/** What the `keys` commands share: columns, shares, and where the copy of the keys goes. */
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { StrongroomError } from '@strongroom/kernel';
import type { KeyCopyWish } from 'strongroom';
import { askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Place } from '../on-machine.ts';
import { readText, wholeNumber } from '../option-values.ts';

interface Recipients {
  readonly recipient?: readonly string[];
  readonly recipientFile?: readonly string[];
}

export interface CopyOptions extends Place, Recipients {
  /** `false` for `--no-backup`. */
  readonly backup?: string | false;
}

export async function copyOf({ backup, ...recipients }: CopyOptions): Promise<KeyCopyWish> {
  if (backup === false) return 'none';
  if (typeof backup !== 'string') return 'configured';
  return { path: path.resolve(backup), recipients: await recipientsOf(recipients) };
}

/** Throws `cli.unreadable-file` and what `parseRecipients` throws. */
export async function recipientsOf({ recipient = [], recipientFile = [] }: Recipients): Promise<readonly string[]> {
  const { parseRecipients } = await import('@strongroom/backup');
  return parseRecipients([...recipient, ...(await Promise.all(recipientFile.map(readText)))]);
}

export function percent(text: string): number {
  return wholeNumber(text, '--share', 1, 100) / 100;
}

/** Milliseconds between two looks at a rotation. */
const POLL = 250;

/** Asks the running server for the report of a rotation until `isOver`, and resolves with the last one. Throws `cli.server-unreachable`. */
export async function follow<Report>(
  socket: string,
  route: string,
  begun: Report,
  isOver: (report: Report) => boolean,
): Promise<Report> {
  for (let report = begun; ;) {
    if (isOver(report)) return report;
    await pause(POLL);
    const next = await askServer(socket, 'GET', route);
    if (next === undefined) {
      throw new CliError('cli.server-unreachable', {
        detail: 'It stopped; the rotation goes on when it starts again.',
      });
    }
    report = next as Report;
  }
}

/**
 * Works a rotation off in this process and resolves with its last report. An interrupt rejects with `cli.cancelled`: the next command, or the
 * server, goes on where it is.
 */
export async function workHere<Report>(
  work: (signal: AbortSignal) => Promise<unknown>,
  look: () => Promise<Report>,
  isOver: (report: Report) => boolean,
): Promise<Report> {
  const stop = new AbortController();
  const interrupted = (): void =>
    stop.abort(new CliError('cli.cancelled', { detail: 'The rotation can be gone on with.' }));
  process.once('SIGINT', interrupted);
  const looks = setInterval(() => void look().then(isOver, () => undefined), POLL);
  try {
    await work(stop.signal);
  } finally {
    clearInterval(looks);
    process.off('SIGINT', interrupted);
  }
  const ended = await look();
  isOver(ended);
  return ended;
}

export function columnOf(text: string): { table: string; column: string } {
  const [, table, column] = /^([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)$/.exec(text) ?? [];
  if (table === undefined || column === undefined)
    throw new CliError('cli.usage', { detail: 'Name it as TABLE.COLUMN.' });
  return { table, column };
}

const EXIT_CODES: Readonly<Record<string, ExitCode>> = {
  'encryption.rotation-running': EXIT.conflict,
  'encryption.shred-running': EXIT.conflict,
  'strongroom.backup-running': EXIT.conflict,
  'strongroom.key-copy-wanted': EXIT.usage,
};

/** Somebody else being at it, and a wish that is missing, have exit codes of their own. */
export async function guarded(context: CommandContext, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const exitCode = error instanceof StrongroomError ? EXIT_CODES[error.code] : undefined;
    if (exitCode === undefined) throw error;
    context.fail(error, exitCode);
  }
}
