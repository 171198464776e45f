/** `strongroom audit bundle`, `prove` and `checkpoint`: what leaves the log so that others can check it. */
import { open, rm } from 'node:fs/promises';
import { createTlogProof, writeBundle } from '@strongroom/audit-log/verify';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { type LogOptions, withLog } from './audit-log-access.ts';

interface OutputOptions extends LogOptions {
  readonly out?: string;
}

interface BundleOptions extends OutputOptions {
  readonly from?: string;
  readonly to?: string;
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
        await write([await createTlogProof(source, position(index, '<index>')!)], options.out);
      }),
    );

  withLogOptions(audit.command('checkpoint'))
    .description('write the newest signed checkpoint (C2SP tlog-checkpoint)')
    .addHelpText('after', '\nExample:\n  strongroom audit checkpoint --out today.checkpoint')
    .action((options: OutputOptions) =>
      withLog(context, options, async ({ source }) => {
        const newest = await source.newestCheckpoint();
        if (newest === null) throw new CliError('cli.unreadable-file', { detail: 'The log is still empty.' });
        await write([newest.note], options.out);
      }),
    );
}

function position(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  throw new CliError('cli.usage', { detail: `Check ${name}: expected a number.` });
}

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
