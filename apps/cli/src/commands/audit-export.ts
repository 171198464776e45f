/** `strongroom audit bundle`, `prove`, `checkpoint` and `export`: what leaves the log for others to check or to read. */
import { open, rm } from 'node:fs/promises';
import { createTlogProof, type LogEntry, type LogSource, plainEvent, writeBundle } from '@strongroom/audit-log/verify';
import { systemClock } from '@strongroom/kernel';
import { type Command, Option } from 'commander';
import { VERSION } from 'strongroom/version';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { rotateKey } from './audit-key-rotation.ts';
import { wholeNumber } from '../option-values.ts';
import type { LogOptions } from '../stopped-vault.ts';
import { withLog } from './audit-log-access.ts';
import { type OpenSearch, withSearch } from './audit-search-access.ts';
import { type FilterOptions, queryOf, withFilterOptions } from './audit-search-options.ts';

interface OutputOptions extends LogOptions {
  readonly out?: string;
}

interface CheckpointOptions extends OutputOptions {
  readonly publish?: string;
  readonly rotateKey?: boolean;
  readonly entries?: boolean;
}

interface BundleOptions extends OutputOptions {
  readonly from?: string;
  readonly to?: string;
}

interface ExportOptions extends FilterOptions {
  readonly format: 'ocsf' | 'jsonl';
  readonly out?: string;
}

const withLogOptions = (command: Command): Command =>
  command
    .option('--data <folder>', 'as operator: the data folder on this machine, server running or not')
    .option(
      '--database-url <url>',
      'as operator, with --data: the PostgreSQL database, server stopped; STRONGROOM_DATABASE_URL',
    )
    .option('--out <file>', 'write there instead of to standard output');

export function addExportCommands(audit: Command, context: CommandContext): void {
  withLogOptions(audit.command('bundle'))
    .description('write events, hashes, checkpoints and keys into one file that is verified offline')
    .option('--from <index>', 'the first entry to show')
    .option('--to <index>', 'the entry before which to stop')
    .addHelpText(
      'after',
      `
A bundle shows what its maker may see: as an account, the events of the own tenant; as operator, those of all. It holds address prefixes of
people who are not forgotten yet, and still does when they are: treat it accordingly.
Where an entry has lost its prefix, the bundle also shows the later one that says who was forgotten. If that happened a moment ago, it is waited for, three seconds at most.

Examples:
  strongroom audit bundle --out log.bundle
  strongroom audit bundle --data .strongroom --from 100 --to 200 > part.bundle
  strongroom audit verify --bundle log.bundle`,
    )
    .action((options: BundleOptions) =>
      withLog(context, options, async ({ source, keys }) => {
        const progress = context.terminal().progress('Writing');
        const lines = writeBundle(source, {
          keys,
          from: position(options.from, '--from'),
          to: position(options.to, '--to'),
          onProgress: (done, total) => progress.update(done, total),
        });
        await write(lines, options.out);
        progress.finish('');
      }),
    );

  withLogOptions(audit.command('prove'))
    .argument('<index>', 'place of the entry')
    .description('write the proof that one entry is in the log (C2SP tlog-proof)')
    .addHelpText('after', '\nExample:\n  strongroom audit prove 17 --out 17.tlog-proof')
    .action((index: string, options: OutputOptions) =>
      withLog(context, options, async ({ source }) => {
        await write([await createTlogProof(source, wholeNumber(index, '<index>', 0))], options.out);
      }),
    );

  withLogOptions(audit.command('checkpoint'))
    .option('--publish <folder>', 'bring a C2SP tile log there up to date, for a web server to show')
    .option('--entries', 'with --publish: the entries as well; everybody can then read all events')
    .option(
      '--rotate-key',
      'as operator: make new keys for the log, announced by the former ones; --out gets the proof',
    )
    .description(
      'write the newest signed checkpoint (C2SP tlog-checkpoint), or publish the log up to it (C2SP tlog-tiles)',
    )
    .addHelpText(
      'after',
      `
A published log shows hashes: enough for others to see that it only grows. What is published already must be the beginning of this log, or nothing
is written.

--rotate-key changes both keys of the log at once. The change is an entry of the log, and its checkpoint is signed by the former keys and by the new ones:
whoever remembers the former ones follows, and refuses keys that were not announced. It does not undo what a thief of the former keys can make others
believe who remember no checkpoint and ask for no witnesses: tell them the new keys.

Examples:
  strongroom audit checkpoint --out today.checkpoint
  strongroom audit checkpoint --data .strongroom --publish /srv/log
  strongroom audit checkpoint --data .strongroom --rotate-key --out handover.tlog-proof
  strongroom audit verify --tiles /srv/log --key "$(cat log.vkey)"`,
    )
    .action((options: CheckpointOptions) => {
      const { publish, entries, rotateKey: wantsKeys } = options;
      if (publish === undefined && entries === true)
        throw new CliError('cli.usage', { detail: '--entries is for --publish.' });
      if (wantsKeys === true) {
        if (publish !== undefined) throw new CliError('cli.usage', { detail: 'Give --publish or --rotate-key.' });
        return rotateKey(context, options);
      }
      return withLog(context, options, ({ source, keys }) => {
        return publish === undefined
          ? writeCheckpoint(source, options.out)
          : publishLog(context, source, publish, { keys, entries: entries === true });
      });
    });
}

async function writeCheckpoint(source: LogSource, file: string | undefined): Promise<void> {
  const newest = await source.newestCheckpoint();
  if (newest === null) throw new CliError('cli.unreadable-file', { detail: 'The log is still empty.' });
  await write([newest.note], file);
}

async function publishLog(
  context: CommandContext,
  source: LogSource,
  folder: string,
  { keys, entries }: { readonly keys: readonly string[]; readonly entries: boolean },
): Promise<void> {
  const { publishTiles } = await import('@strongroom/audit-log/publish-tiles');
  const progress = context.terminal().progress('Publishing');
  const onProgress = (done: number, total: number) => progress.update(done, total);
  const published = await publishTiles(source, folder, { entries, onProgress });
  progress.finish('');
  context
    .terminal()
    .result({ ...published, keys }, [
      `${published.size} entries of ${published.origin} are published in ${folder}.`,
      ...keys.map((key) => `Key ${key}`),
    ]);
}

export function addExportEventsCommand(audit: Command, context: CommandContext): void {
  withFilterOptions(audit.command('export'))
    .addOption(
      new Option('--format <format>', 'OCSF 1.9 events, or the log’s own fields')
        .choices(['ocsf', 'jsonl'])
        .default('ocsf'),
    )
    .option('--out <file>', 'write there instead of to standard output')
    .description('write events for other programs, one JSON document in each line, the oldest first')
    .addHelpText(
      'after',
      `
People stay pseudonyms and networks prefixes. An export proves nothing: for that there is \`strongroom audit bundle\`. That an export was made is
recorded in the log.

Examples:
  strongroom audit export --format ocsf --out audit.ocsf.jsonl
  strongroom audit export --format jsonl --from 2026-11-01 --to 2026-12-01 --purpose review > november.jsonl
  strongroom audit export --data .strongroom --class permission --format ocsf`,
    )
    .action((options: ExportOptions) =>
      withSearch(context, options, async (log) => {
        const query = await queryOf(options, log, systemClock.now());
        const head = await log.beginExport({
          format: options.format,
          ...(options.purpose === undefined ? {} : { purpose: options.purpose }),
        });
        const progress = context.terminal().progress('Exporting');
        const line = await lineOf(options.format, head.origin);
        let count = 0;
        async function* chunks(): AsyncIterable<string> {
          if (query === null) return;
          for await (const entries of oldestFirst(log, query)) {
            const lines = entries.flatMap((entry) => line(entry) ?? []);
            count += lines.length;
            yield lines.map((one) => `${JSON.stringify(one)}\n`).join('');
            progress.update(Math.min((entries.at(-1)?.index ?? 0) + 1, head.size), head.size);
          }
        }
        await write(chunks(), options.out);
        progress.finish('');
        context.terminal().remark(`${count} events exported.`);
      }),
    );
}

/** One page after the other, so that memory does not grow with the log. */
async function* oldestFirst(
  log: OpenSearch,
  query: Parameters<OpenSearch['search']>[0],
): AsyncIterable<readonly LogEntry[]> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await log.search({
      ...query,
      order: 'oldest',
      limit: log.pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield page.entries;
    cursor = page.next;
  }
}

async function lineOf(format: ExportOptions['format'], origin: string): Promise<(entry: LogEntry) => object | null> {
  if (format === 'jsonl') return plainEvent;
  // Loaded for this format alone: what each type means stands in the manifests of the whole service.
  const [{ rooms }, { catalogue, ocsfEvent }] = await Promise.all([
    import('strongroom'),
    import('@strongroom/audit-log'),
  ]);
  const options = { events: catalogue(rooms), program: VERSION, origin };
  return (entry) => ocsfEvent(entry, options);
}

const position = (text: string | undefined, name: string): number | undefined =>
  text === undefined ? undefined : wholeNumber(text, name, 0);

async function write(parts: AsyncIterable<string> | Iterable<string>, file: string | undefined): Promise<void> {
  if (file === undefined) {
    for await (const part of parts) {
      if (!process.stdout.write(part)) await new Promise((resolve) => process.stdout.once('drain', resolve));
    }
    return;
  }
  const handle = await open(file, 'w', 0o600).catch((cause: unknown) => {
    throw new CliError('cli.unwritable-file', { detail: file, cause });
  });
  try {
    for await (const part of parts) await handle.write(part);
    await handle.sync();
  } catch (error) {
    // Half a bundle would only look like a damaged one.
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}
