/** `strongroom audit sinks`: who is sent the events of the log. */
import path from 'node:path';
import type { NewSink } from '@strongroom/audit-log';
import type { WireSink } from '@strongroom/audit-log/wire';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT, withExitCodes } from '../exit-codes.ts';
import { ask, onMachine, type Place } from '../on-machine.ts';
import { readText, wholeNumber } from '../option-values.ts';

interface AddOptions extends Place {
  readonly webhook?: string;
  readonly ca?: string;
  readonly folder?: string;
  readonly format: 'jsonl' | 'ocsf';
  readonly from?: string;
  readonly addresses?: boolean;
  readonly rotateMib?: string;
  readonly rotateDaily?: boolean;
  readonly keepFiles?: string;
}

const ROUTE = '/operator/audit/sinks';
const VIA = 'command-line';

const MIB = 1024 * 1024;
/** 1 TiB. */
const MOST_ROTATE_MIB = 1_048_576;
const DEFAULT_ROTATE_MIB = '64';
/** With the default size about 6 GiB: a disk that is full stops more than this sink. */
const DEFAULT_KEPT_FILES = '100';
/** As the server takes it. */
const MOST_KEPT_FILES = 100_000;

export function addSinkCommands(audit: Command, context: CommandContext): void {
  const sinks = audit.command('sinks').description('have events delivered to webhooks and files as they happen');

  onMachine(sinks.command('list'))
    .description('show every sink, how far it is behind, and what went wrong')
    .addHelpText('after', '\nExample:\n  strongroom audit sinks list --data .strongroom')
    .action((options: Place) => list(context, options));

  onMachine(sinks.command('add'))
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .description('deliver events to a webhook or into files')
    .option('--webhook <url>', 'https address, or http on this machine; signed as Standard Webhooks describes')
    .option('--ca <file>', 'with --webhook: PEM file of the authorities, one of which must vouch for its certificate')
    .option('--folder <folder>', 'files of JSON lines in this folder, which is made when it is missing')
    .addOption(
      new Option('--format <format>', 'the log’s own fields, or OCSF 1.9 events')
        .choices(['jsonl', 'ocsf'])
        .default('jsonl'),
    )
    .option('--from <index>', 'place of the first event to deliver, 0 for all; the next one when absent')
    .option('--addresses', 'send network prefixes too')
    .option('--rotate-mib <number>', `with --folder: begin a new file at this size; ${DEFAULT_ROTATE_MIB} when absent`)
    .option('--rotate-daily', 'with --folder: begin a new file every day (UTC)')
    .option(
      '--keep-files <number>',
      `with --folder: delete the oldest beyond so many files, 0 for never; ${DEFAULT_KEPT_FILES} when absent`,
    )
    .addHelpText(
      'after',
      `
Each event arrives at least once and in order; its place in the log (index, in OCSF metadata.sequence) tells whether it came before. People are
pseudonyms. What was delivered is out of reach of an erasure. The secret that signs deliveries to a webhook is shown once, now. Where the receiver's
certificate comes from an authority of your own, name its certificate with --ca: the sink then believes no other. It is read now, not again.

Examples:
  strongroom audit sinks add siem --data .strongroom --webhook https://siem.example.org/events --format ocsf
  strongroom audit sinks add inside --data .strongroom --webhook https://siem.internal/events --ca house-ca.pem
  strongroom audit sinks add archive --data .strongroom --folder /var/log/strongroom --rotate-daily --keep-files 366 --from 0`,
    )
    .action((name: string, options: AddOptions) => add(context, name, options));

  onMachine(sinks.command('remove'))
    .argument('<name>', 'the sink')
    .description('deliver nothing more to a sink and forget what it did not take')
    .addHelpText('after', '\nExample:\n  strongroom audit sinks remove siem --data .strongroom')
    .action(async (name: string, options: Place) => {
      await ask(context, options, { method: 'DELETE', route: `${ROUTE}/${segment(name)}` }, ({ services }) =>
        services.auditSinks.remove(name, VIA),
      );
      context.terminal().result({ name }, [`${name} is removed.`]);
    });

  onMachine(withExitCodes(sinks.command('test'), { [EXIT.ok]: 'acknowledged', [EXIT.failed]: 'not acknowledged' }))
    .argument('<name>', 'the sink')
    .description('send a message without any event and wait until it is acknowledged')
    .addHelpText('after', '\nExample:\n  strongroom audit sinks test siem --data .strongroom')
    .action(async (name: string, options: Place) => {
      await ask(context, options, { method: 'POST', route: `${ROUTE}/${segment(name)}/test` }, ({ services }) =>
        services.auditSinks.test(name),
      );
      context.terminal().result({ name }, [`${name} acknowledged a test message.`]);
    });

  onMachine(sinks.command('retry'))
    .argument('<name>', 'the sink')
    .description('send batches again that were set aside, and do not wait any longer after a failure')
    .addHelpText(
      'after',
      `
A batch that is not acknowledged for a day is set aside, so that the others go on. With the server stopped, it is sent at the next start.

Example:
  strongroom audit sinks retry siem --data .strongroom`,
    )
    .action(async (name: string, options: Place) => {
      const route = `${ROUTE}/${segment(name)}/retry`;
      const { batches } = await ask(context, options, { method: 'POST', route }, async ({ services }) => ({
        batches: await services.auditSinks.retry(name, VIA),
      }));
      context.terminal().result({ name, batches }, [`${batches} batches of ${name} are sent again.`]);
    });
}

async function list(context: CommandContext, options: Place): Promise<void> {
  const { items } = await ask(context, options, { method: 'GET', route: ROUTE }, async ({ services }) => {
    const { sinkJson } = await import('@strongroom/audit-log');
    return { items: (await services.auditSinks.list()).map(sinkJson) };
  });
  context.terminal().result({ items, next: null }, items.length === 0 ? ['There are no sinks.'] : items.flatMap(lines));
}

async function add(context: CommandContext, name: string, options: AddOptions): Promise<void> {
  const sink: NewSink = {
    name: segment(name),
    format: options.format,
    target: await targetOf(options),
    withAddresses: options.addresses === true,
    from: options.from === undefined ? null : wholeNumber(options.from, '--from', 0),
  };
  const { secret } = await ask(context, options, { method: 'POST', route: ROUTE, body: sink }, ({ services }) =>
    services.auditSinks.add(sink, VIA),
  );
  context
    .terminal()
    .result({ name, secret }, [
      `${name} is added.`,
      ...(secret === null ? [] : [`Secret ${secret}`, 'Give it to the receiver; it is not shown again.']),
    ]);
}

async function targetOf({
  webhook,
  ca,
  folder,
  rotateMib,
  rotateDaily = false,
  keepFiles,
}: AddOptions): Promise<NewSink['target']> {
  if (webhook !== undefined && folder === undefined) {
    if (rotateMib !== undefined || rotateDaily || keepFiles !== undefined) {
      throw new CliError('cli.usage', { detail: '--rotate-mib, --rotate-daily and --keep-files are for --folder.' });
    }
    return { kind: 'webhook', url: webhook, authorities: ca === undefined ? null : await readText(ca) };
  }
  if (folder === undefined || webhook !== undefined) {
    throw new CliError('cli.usage', { detail: 'Give --webhook or --folder.' });
  }
  if (ca !== undefined) throw new CliError('cli.usage', { detail: '--ca is for --webhook.' });
  const mib = wholeNumber(rotateMib ?? DEFAULT_ROTATE_MIB, '--rotate-mib', 1, MOST_ROTATE_MIB);
  const kept = wholeNumber(keepFiles ?? DEFAULT_KEPT_FILES, '--keep-files', 0);
  if (kept === 1 || kept > MOST_KEPT_FILES) {
    throw new CliError('cli.usage', { detail: `--keep-files takes 2 to ${MOST_KEPT_FILES}, or 0 for all.` });
  }
  const keeping = { rotateDaily, keepFiles: kept === 0 ? null : kept };
  return { kind: 'file', folder: path.resolve(folder), rotateBytes: mib * MIB, ...keeping };
}

/** What a running server would refuse, and what a path of a request must not hold. */
function segment(name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) return name;
  throw new CliError('cli.usage', { detail: 'A name has lower-case letters, digits and hyphens, at most 40.' });
}

function lines(sink: WireSink): string[] {
  const { batches, events } = sink.deadLetters;
  const behind =
    sink.eventsBehind === 0
      ? 'nothing waits'
      : `${sink.eventsBehind} events behind, the oldest for ${Math.round(sink.secondsBehind)} s`;
  return [
    `${sink.name}  ${sink.format} to ${sink.target}: ${behind}`,
    ...sink.authorities.map(({ subject, validUntil }) => `  vouched for by ${subject}, until ${validUntil}`),
    ...(sink.failures === 0
      ? []
      : [`  failed ${sink.failures} times (${sink.problem ?? ''}), again at ${sink.nextAttemptAt ?? 'once'}`]),
    ...(batches === 0 ? [] : [`  ${batches} batches with ${events} events were set aside (${sink.problem ?? ''})`]),
  ];
}
