/** `strongroom audit retention` and `strongroom audit hold`: how long the content of events is kept, and what is kept longer. */
import type { WireHold, WireRetentionReport } from '@strongroom/audit-log';
import {
  HOLD_ADDED,
  HOLD_REASON,
  HOLD_RELEASED,
  isPeriod,
  LONGEST_PERIOD,
  RETENTION_CHANGED,
  type RetentionPeriods,
  SHORTEST_PERIOD,
} from '@strongroom/audit-log/verify';
import type { Command } from 'commander';
import type { Strongroom } from 'strongroom';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { onMachine, type Place } from '../on-machine.ts';
import { recorded } from '../recorded.ts';
import { withStopped } from '../stopped-vault.ts';
import { withSearch } from './audit-search-access.ts';
import { timeOf } from './audit-search-options.ts';

interface SetOptions extends Place {
  readonly security?: string;
  readonly access?: string;
  readonly operational?: string;
}

interface RunOptions extends Place {
  readonly dryRun?: boolean;
}

interface ReasonOptions extends Place {
  readonly reason: string;
}

interface HoldOptions extends ReasonOptions {
  readonly tenant?: string;
  readonly account?: string;
  readonly from?: string;
  readonly to?: string;
}

const reasonOption = '--reason <word>';
const REASON_HELP = 'why, in a word such as the number of a case; it stays in the log for good';

export function addRetentionCommands(audit: Command, context: CommandContext): void {
  const retention = audit.command('retention').description('how long the content of events is kept');
  onMachine(retention.command('show').description('show for how many days the content of events is kept'))
    .addHelpText('after', '\nExample:\n  strongroom audit retention show --data .strongroom')
    .action((options: Place) => show(context, options));
  onMachine(retention.command('set').description('set for how many days the content of events is kept'))
    .option('--security <days>', 'sign-ins, keys, permissions, policies, and reading the log')
    .option('--access <days>', 'reading and changing data')
    .option('--operational <days>', 'what only helps to run the service')
    .addHelpText(
      'after',
      `
From ${SHORTEST_PERIOD} to ${LONGEST_PERIOD} days; what is not named stays as it is. The log records the change.

Example:
  strongroom audit retention set --data .strongroom --access 180`,
    )
    .action((options: SetOptions) => set(context, options));
  onMachine(retention.command('run').description('remove the content of events whose time is over now, not at night'))
    .option('--dry-run', 'only count what would be removed')
    .addHelpText(
      'after',
      `
The server does it once a day by itself. Hashes stay, so every proof made before still holds, and \`strongroom audit verify\` tells what a run
removed from what somebody deleted.

Examples:
  strongroom audit retention run --data .strongroom --dry-run
  strongroom audit retention run --data .strongroom`,
    )
    .action((options: RunOptions) => run(context, options));

  const hold = audit.command('hold').description('keep events whatever their age');
  onMachine(hold.command('add').description('keep the events that meet all conditions until the hold is released'))
    .requiredOption(reasonOption, REASON_HELP)
    .option('--tenant <id>', 'events of this tenant')
    .option('--account <person>', 'events by or about this person: e-mail address, account or pseudonym')
    .option('--from <time>', 'not before: 2026-11-01, 2026-11-01T08:00Z, or 90m, 24h, 7d ago')
    .option('--to <time>', 'before, in the same forms')
    .addHelpText(
      'after',
      `
Also events that are recorded later. Whoever was forgotten cannot be named any more; use the tenant or the time.

Examples:
  strongroom audit hold add --data .strongroom --reason case-2026-17 --from 2026-11-01
  strongroom audit hold add --data .strongroom --reason case-2026-18 --account ada@example.org`,
    )
    .action((options: HoldOptions) => add(context, options));
  onMachine(hold.command('list').description('show what is on hold'))
    .addHelpText('after', '\nExample:\n  strongroom audit hold list --data .strongroom')
    .action((options: Place) => list(context, options));
  onMachine(hold.command('release').description('let retention remove again what a hold kept'))
    .argument('<hold>', 'id of the hold, from the list')
    .requiredOption(reasonOption, REASON_HELP)
    .addHelpText(
      'after',
      '\nExample:\n  strongroom audit hold release 0198c6a0-0000-7000-8000-000000000000 --data .strongroom --reason case-2026-17-closed',
    )
    .action((id: string, options: ReasonOptions) => release(context, id, options));
}

type Services = Strongroom['services'];
type Method = 'GET' | 'POST' | 'PUT';

/** Asks the running server; where none runs, does the same on its folder. */
async function answered<Answer>(
  context: CommandContext,
  options: Place,
  [method, route, body]: readonly [method: Method, route: string, body?: object],
  stopped: (services: Services) => Promise<Answer>,
): Promise<Answer> {
  const answer = await askServer(administratorSocket(options.data), method, `/operator/audit/${route}`, body);
  if (answer !== undefined) return answer as Answer;
  return withStopped(context, options.data, options, ({ services }) => stopped(services));
}

const periodLines = ({ securityDays, accessDays, operationalDays }: RetentionPeriods): string[] => [
  `security     ${securityDays} days`,
  `access       ${accessDays} days`,
  `operational  ${operationalDays} days`,
];

async function show(context: CommandContext, options: Place): Promise<void> {
  const periods = await answered<RetentionPeriods>(context, options, ['GET', 'retention'], async ({ database }) => {
    const { readRetention } = await import('@strongroom/audit-log');
    return (await database.transaction({ kind: 'system' }, readRetention)).periods;
  });
  context.terminal().result(periods, periodLines(periods));
}

function daysOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const days = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (!isPeriod(days)) {
    throw new CliError('cli.usage', { detail: `${option} takes ${SHORTEST_PERIOD} to ${LONGEST_PERIOD} days.` });
  }
  return days;
}

async function set(context: CommandContext, options: SetOptions): Promise<void> {
  const wanted = {
    securityDays: daysOf(options.security, '--security'),
    accessDays: daysOf(options.access, '--access'),
    operationalDays: daysOf(options.operational, '--operational'),
  };
  if (Object.values(wanted).every((days) => days === undefined)) {
    throw new CliError('cli.usage', { detail: 'Name at least one of --security, --access and --operational.' });
  }
  const periods = await answered<RetentionPeriods>(context, options, ['PUT', 'retention', wanted], async (services) => {
    const { changePeriods } = await import('@strongroom/audit-log');
    return recorded(services, async (transaction) => {
      const changed = await changePeriods(transaction, wanted);
      return [changed.periods, { type: RETENTION_CHANGED, ...changed.record }];
    });
  });
  context.terminal().result(periods, periodLines(periods));
}

async function run(context: CommandContext, options: RunOptions): Promise<void> {
  const dryRun = options.dryRun === true;
  const report = await answered<WireRetentionReport>(
    context,
    options,
    ['POST', 'retention/runs', { dryRun }],
    async ({ auditLog }) => {
      const removed = dryRun ? null : await auditLog.applyRetention({ kind: 'operator', via: 'command-line' });
      const { due, held } = await auditLog.previewRetention();
      return { removed, due: { ...due }, held };
    },
  );
  const { removed, due, held } = report;
  context
    .terminal()
    .result(report, [
      removed === null
        ? `Would remove ${due.security + due.access + due.operational} events: ${due.security} security, ${due.access} access, ${due.operational} operational.`
        : `Removed ${removed} events.`,
      ...(held === 0 ? [] : [`${held} older events are on hold.`]),
    ]);
}

function reasonOf({ reason }: ReasonOptions): string {
  if (!HOLD_REASON.test(reason)) {
    throw new CliError('cli.usage', { detail: '--reason takes a word such as case-2026-17, without spaces.' });
  }
  return reason;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function idOf(text: string | undefined, name: string): string | undefined {
  if (text !== undefined && !UUID.test(text)) throw new CliError('cli.usage', { detail: `${name} takes an id.` });
  return text;
}

/** An address is looked for as a search does it, which leaves an event: it is in no entry, but in the accounts. */
async function accountOf(context: CommandContext, options: HoldOptions): Promise<string | undefined> {
  const { account } = options;
  if (account?.includes('@') !== true) return idOf(account, '--account');
  const person = await withSearch(context, options, (log) => log.person(account));
  if (person === null) throw new CliError('cli.no-person');
  return person.pseudonym;
}

async function add(context: CommandContext, options: HoldOptions): Promise<void> {
  const now = Date.now();
  const reason = reasonOf(options);
  const conditions = {
    tenant: idOf(options.tenant, '--tenant'),
    account: await accountOf(context, options),
    from: timeOf(options.from, '--from', now),
    to: timeOf(options.to, '--to', now),
  };
  if (Object.values(conditions).every((condition) => condition === undefined)) {
    throw new CliError('cli.usage', { detail: 'Name at least one of --tenant, --account, --from and --to.' });
  }
  const body = { reason, ...conditions };
  const { id } = await answered<{ readonly id: string }>(
    context,
    options,
    ['POST', 'holds', body],
    async (services) => {
      const { addHold } = await import('@strongroom/audit-log');
      return recorded(services, async (transaction, at) => {
        const { hold, record } = await addHold(transaction, body, at);
        return [{ id: hold }, { type: HOLD_ADDED, ...record }];
      });
    },
  );
  context.terminal().result({ id }, [`On hold: ${id}`]);
}

async function list(context: CommandContext, options: Place): Promise<void> {
  const { items } = await answered<{ readonly items: readonly WireHold[] }>(
    context,
    options,
    ['GET', 'holds'],
    async ({ database }) => {
      const { holdJson, readRetention } = await import('@strongroom/audit-log');
      const { holds } = await database.transaction({ kind: 'system' }, readRetention);
      return { items: holds.map(holdJson) };
    },
  );
  context.terminal().result({ items }, items.length === 0 ? ['Nothing is on hold.'] : items.map(holdLine));
}

function holdLine({ id, reason, tenant, person, from, to, addedAt }: WireHold): string {
  const conditions = Object.entries({ tenant, person, from, to }).flatMap(([name, value]) =>
    value === null ? [] : [`${name} ${value}`],
  );
  return `${id}  ${addedAt}  ${reason}  ${conditions.join(', ')}`;
}

async function release(context: CommandContext, id: string, options: ReasonOptions): Promise<void> {
  const hold = idOf(id, '<hold>')!;
  const reason = reasonOf(options);
  await answered<object>(context, options, ['POST', 'hold-releases', { hold, reason }], async (services) => {
    const { releaseHold } = await import('@strongroom/audit-log');
    return recorded(services, async (transaction) => [
      {},
      { type: HOLD_RELEASED, ...(await releaseHold(transaction, hold, reason)) },
    ]);
  });
  context.terminal().result({ id: hold }, [`Released: ${hold}`]);
}
