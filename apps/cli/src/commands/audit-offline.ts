/** `strongroom audit verify` of what lies in files: bundles, tile logs and proofs; nothing is asked over the network. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tileFolderSource } from '@strongroom/audit-log/tile-folder';
import {
  type Policy,
  type Standing,
  parsePolicy,
  parseTlogProof,
  verifyBundle,
  verifyLog,
  verifyTlogProof,
} from '@strongroom/audit-log/verify';
import { toBase64Url } from '@strongroom/kernel';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

export interface OfflineOptions {
  readonly bundle?: string;
  readonly tiles?: string;
  readonly proof?: string;
  readonly key?: readonly string[];
  readonly policy?: string;
  readonly seen?: readonly string[];
  readonly handover?: readonly string[];
}

/** Of each standing its own, for scripts. */
export const STANDING_EXIT: Readonly<Record<Standing, ExitCode>> = {
  WITNESSED: EXIT.ok,
  INVALID: EXIT.notIntact,
  DIVERGED: EXIT.diverged,
  UNANCHORED: EXIT.unanchored,
};

export const isOffline = ({ bundle, tiles, proof }: OfflineOptions): boolean =>
  [bundle, tiles, proof].some((file) => file !== undefined);

export async function verifyOffline(context: CommandContext, options: OfflineOptions): Promise<void> {
  const yardstick = await readYardstick(options);
  const { bundle, tiles, proof } = options;
  if ([bundle, tiles, proof].filter((file) => file !== undefined).length !== 1) {
    throw new CliError('cli.usage', { detail: 'Give one of --bundle, --tiles and --proof.' });
  }
  if (bundle !== undefined) return verifyBundleFile(context, bundle, yardstick);
  const { keys } = yardstick;
  if (keys === undefined)
    throw new CliError('cli.usage', { detail: 'Give the key of the log: --key, or a log line in the policy.' });
  if (tiles !== undefined) return verifyTiles(context, tiles, { ...yardstick, keys });
  return verifyProof(context, proof!, { ...yardstick, keys });
}

interface OfflineYardstick {
  readonly keys?: readonly string[];
  readonly policy?: Policy;
  readonly seen: readonly string[];
  readonly handovers: readonly string[];
}

export async function readYardstick({
  key,
  policy: file,
  seen = [],
  handover = [],
}: OfflineOptions): Promise<OfflineYardstick> {
  const policy = file === undefined ? undefined : parsePolicy(await read(file));
  const notes: string[] = [];
  for (const note of seen) notes.push((await read(note)).toString('utf8'));
  const handovers: string[] = [];
  for (const proof of handover) handovers.push((await read(proof)).toString('utf8'));
  return {
    seen: notes,
    handovers,
    ...(key === undefined ? {} : { keys: key }),
    ...(policy === undefined ? {} : { policy }),
  };
}

async function verifyBundleFile(context: CommandContext, file: string, yardstick: OfflineYardstick): Promise<void> {
  const progress = context.terminal().progress('Verifying');
  const verdict = await verifyBundle(linesOf(file), {
    ...yardstick,
    onProgress: (done, total) => progress.update(done, total),
  });
  progress.finish('');
  const { root, keys, ...rest } = verdict;
  const trusted = yardstick.keys === undefined ? ['Keys as the bundle names them; pin your own with --key.'] : [];
  const lines = verdict.ok
    ? [
        `${summary(verdict.standing, verdict.redactedEntries)}  ${verdict.size} entries: ${verdict.verifiedEntries} recomputed, ${verdict.withheldEntries} by their hashes${removed(verdict)}.`,
        `Log ${verdict.origin}`,
        `Root ${toBase64Url(root)}`,
        ...witnessed(verdict),
        ...trusted,
      ]
    : findingLines(verdict.standing, verdict);
  context.terminal().result({ ...rest, keys, root: toBase64Url(root) }, lines);
  context.setExitCode(STANDING_EXIT[verdict.standing]);
}

type CompleteYardstick = OfflineYardstick & { readonly keys: readonly string[] };

async function verifyTiles(context: CommandContext, folder: string, yardstick: CompleteYardstick): Promise<void> {
  const progress = context.terminal().progress('Verifying');
  const source = await tileFolderSource(folder);
  const verdict = await verifyLog(source, {
    ...yardstick,
    onProgress: (done, total) => progress.update(done, total),
  });
  progress.finish('');
  const { root, ...rest } = verdict;
  const lines = verdict.ok
    ? [
        `${verdict.standing}  ${verdict.size} entries: ${verdict.verifiedEntries} hashed again, ${verdict.withheldEntries} by their hashes.`,
        `Root ${toBase64Url(root)}`,
        ...witnessed(verdict),
      ]
    : findingLines(verdict.standing, verdict);
  context.terminal().result({ ...rest, root: toBase64Url(root) }, lines);
  context.setExitCode(STANDING_EXIT[verdict.standing]);
}

async function verifyProof(context: CommandContext, file: string, yardstick: CompleteYardstick): Promise<void> {
  const proof = parseTlogProof((await read(file)).toString('utf8'));
  const verdict = await verifyTlogProof(proof, yardstick);
  const { event, ...rest } = verdict;
  const shown =
    event === null
      ? null
      : { ...event, addressCommitment: event.addressCommitment === null ? null : toBase64Url(event.addressCommitment) };
  const lines = verdict.ok
    ? [
        `${verdict.standing}  Entry ${verdict.index} is in the log of ${verdict.size} entries.`,
        ...(event === null ? [] : [`${event.type} (${event.outcome})  ${event.details}`]),
      ]
    : findingLines(verdict.standing, { ...verdict, moreFindings: false });
  context.terminal().result({ ...rest, event: shown }, lines);
  context.setExitCode(STANDING_EXIT[verdict.standing]);
}

const removed = ({ removedEntries }: { readonly removedEntries: number }): string =>
  removedEntries === 0 ? '' : `, ${removedEntries} removed by retention`;

const summary = (standing: Standing, redacted: number): string =>
  redacted === 0 ? `${standing}, INTACT` : `${standing}, INTACT, ${redacted} redacted`;

const witnessed = ({ witnessedSize }: { readonly witnessedSize: number }): string[] =>
  witnessedSize === 0 ? [] : [`Witnessed up to ${witnessedSize} entries.`];

interface Findings {
  readonly findings: readonly { readonly where: string; readonly what: string }[];
  readonly moreFindings: boolean;
}

const findingLines = (standing: Standing, { findings, moreFindings }: Findings): string[] => [
  `${standing}  ${findings.length}${moreFindings ? ' or more' : ''} differences:`,
  ...findings.map(({ where, what }) => `  ${where}: ${what}`),
];

/** Longer lines are in no bundle: an entry has at most 64 KiB. */
const LONGEST_LINE = 1024 * 1024;

/** Lines without their newlines, in flat memory whatever the file holds. Throws `cli.unreadable-file`. */
async function* linesOf(file: string): AsyncIterable<string> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 256 * 1024 })) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop()!;
      if (rest.length > LONGEST_LINE) break;
      yield* lines;
    }
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new CliError('cli.unreadable-file', { detail: file, cause });
  }
  if (rest !== '')
    throw new CliError('cli.unreadable-file', { detail: `${file}: it ends within a line, or has too long a one.` });
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new CliError('cli.unreadable-file', { detail: file, cause });
  }
}
