/** `strongroom audit verify` of what lies in files: bundles, tile logs and proofs; nothing is asked over the network. */
import { createReadStream } from 'node:fs';
import { tileFolderSource } from '@strongroom/audit-log/tile-folder';
import {
  leafHash,
  logKeysFor,
  type Policy,
  type Standing,
  parsePolicy,
  parseTlogProof,
  verifyBundle,
  verifyLog,
  verifyTlogProof,
} from '@strongroom/audit-log/verify';
import { fromUtf8, toBase64Url } from '@strongroom/kernel';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readBytes } from '../option-values.ts';

export interface OfflineOptions {
  readonly bundle?: string;
  readonly tiles?: string;
  readonly proof?: string;
  readonly entry?: string;
  readonly key?: readonly string[];
  readonly origin?: string;
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
  const { bundle, tiles, proof, entry } = options;
  if (entry !== undefined && proof === undefined)
    throw new CliError('cli.usage', { detail: '--entry is for --proof.' });
  if ([bundle, tiles, proof].filter((file) => file !== undefined).length !== 1) {
    throw new CliError('cli.usage', { detail: 'Give one of --bundle, --tiles and --proof.' });
  }
  if (bundle !== undefined) return verifyBundleFile(context, bundle, yardstick);
  return tiles === undefined ? verifyProof(context, proof!, entry, yardstick) : verifyTiles(context, tiles, yardstick);
}

interface OfflineYardstick {
  readonly keys?: readonly string[];
  readonly origin?: string;
  readonly policy?: Policy;
  readonly seen: readonly string[];
  readonly handovers: readonly string[];
}

export async function readYardstick({
  key,
  origin,
  policy: file,
  seen = [],
  handover = [],
}: OfflineOptions): Promise<OfflineYardstick> {
  const policy = file === undefined ? undefined : parsePolicy(await readBytes(file));
  const notes: string[] = [];
  for (const note of seen) notes.push(await readNote(note));
  const handovers: string[] = [];
  for (const proof of handover) handovers.push(await readNote(proof));
  return {
    seen: notes,
    handovers,
    ...(key === undefined ? {} : { keys: key }),
    ...(origin === undefined ? {} : { origin }),
    ...(policy === undefined ? {} : { policy }),
  };
}

/** What names a log: --key, else the policy. `note`: the checkpoint in question. */
async function withKeys<Given extends OfflineYardstick>(yardstick: Given, note: string): Promise<Given> {
  const { keys, policy } = yardstick;
  if (keys !== undefined || policy === undefined || policy.logs.length === 0) return yardstick;
  return { ...yardstick, keys: await logKeysFor(policy, note) };
}

/** The same where nothing else names a log. Throws `cli.usage`. */
async function withKnownKeys(yardstick: OfflineYardstick, note: string): Promise<CompleteYardstick> {
  const { keys, ...rest } = await withKeys(yardstick, note);
  if (keys !== undefined) return { ...rest, keys };
  throw new CliError('cli.usage', { detail: 'Give the key of the log: --key, or a log line in the policy.' });
}

async function verifyBundleFile(context: CommandContext, file: string, yardstick: OfflineYardstick): Promise<void> {
  const progress = context.terminal().progress('Verifying');
  const known = await withKeys(yardstick, await checkpointOfBundle(file));
  const verdict = await verifyBundle(linesOf(file), {
    ...known,
    onProgress: (done, total) => progress.update(done, total),
  });
  progress.finish('');
  const { root, keys, ...rest } = verdict;
  const trusted = known.keys === undefined ? ['Keys as the bundle names them; pin your own with --key.'] : [];
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

async function verifyTiles(context: CommandContext, folder: string, yardstick: OfflineYardstick): Promise<void> {
  const progress = context.terminal().progress('Verifying');
  const source = await tileFolderSource(folder);
  const verdict = await verifyLog(source, {
    ...(await withKnownKeys(yardstick, (await source.newestCheckpoint())?.note ?? '')),
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

/** `entry`: file with what was logged, for logs of others; the own ones show it in the proof. */
async function verifyProof(
  context: CommandContext,
  file: string,
  entry: string | undefined,
  yardstick: OfflineYardstick,
): Promise<void> {
  const proof = parseTlogProof(await readBytes(file));
  const leaf = entry === undefined ? undefined : leafHash(await readBytes(entry));
  const verdict = await verifyTlogProof(proof, await withKnownKeys(yardstick, proof.checkpoint), leaf);
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

/** What the first line of a bundle says; empty where it says none, which its verification then reports. */
async function checkpointOfBundle(file: string): Promise<string> {
  for await (const line of linesOf(file)) {
    try {
      const { checkpoint } = JSON.parse(line) as { readonly checkpoint?: unknown };
      return typeof checkpoint === 'string' ? checkpoint : '';
    } catch {
      return '';
    }
  }
  return '';
}

/** Throws `kernel.invalid-encoding` for what is not UTF-8, as a note must be. */
const readNote = async (file: string): Promise<string> => fromUtf8(await readBytes(file));
