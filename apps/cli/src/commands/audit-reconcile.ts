/** `strongroom audit reconcile`: what is stored, compared with what was logged. */
import type { Reconciliation, UnloggedChange } from '@strongroom/audit-log';
import type { Command } from 'commander';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, withExitCodes } from '../exit-codes.ts';
import { onMachine, type Place } from '../on-machine.ts';
import { recorded } from '../recorded.ts';
import { withStopped } from '../stopped-vault.ts';

interface ReconcileOptions extends Place {
  readonly accept?: boolean;
}

const ROUTE = '/operator/audit/reconciliation';

export function addReconcileCommand(audit: Command, context: CommandContext): void {
  const reconcile = withExitCodes(audit.command('reconcile'), {
    [EXIT.ok]: 'every change has its event',
    [EXIT.notIntact]: 'some have none, or a table is not watched any more',
    [EXIT.failed]: 'could not be checked',
  });
  onMachine(reconcile)
    .description('find changes of stored rows that no event of the log accounts for')
    .option('--accept', 'take the rows as they are from now on; the log records that you did')
    .addHelpText(
      'after',
      `
It reads every row of the tables that are covered and names table, row and kind of whatever was inserted, changed or deleted without an event,
also by somebody with access to the database, before or after a restore. A finding stays until it is accepted.

Example:
  strongroom audit reconcile --data .strongroom`,
    )
    .action((options: ReconcileOptions) => (options.accept === true ? accept : compare)(context, options));
}

async function compare(context: CommandContext, options: ReconcileOptions): Promise<void> {
  const answer = await askServer(administratorSocket(options.data), 'GET', ROUTE);
  const found =
    answer === undefined
      ? await withStopped(context, options.data, options, async ({ services }) => {
          const { reconcile } = await import('@strongroom/audit-log');
          return recorded(services, async (transaction) => {
            const result = await reconcile(transaction);
            const details = { tables: result.tables.length, found: result.count };
            return [result, { type: 'audit.reconciled', details }];
          });
        })
      : (answer as Reconciliation);
  context.terminal().result(found, lines(found));
  if (!found.ok) context.setExitCode(EXIT.notIntact);
}

async function accept(context: CommandContext, options: ReconcileOptions): Promise<void> {
  const answer = await askServer(administratorSocket(options.data), 'POST', `${ROUTE}/acceptance`);
  const count =
    answer === undefined
      ? await withStopped(context, options.data, options, async ({ services }) => {
          const { acceptChanges } = await import('@strongroom/audit-log');
          return recorded(services, async (transaction) => {
            const found = await acceptChanges(transaction);
            return [found, { type: 'audit.changes-accepted', details: { found } }];
          });
        })
      : (answer as { readonly count: number }).count;
  context.terminal().result({ accepted: count }, [`Accepted: ${count}.`]);
}

const REASONS: Readonly<Record<UnloggedChange['reason'], string>> = {
  'no-event': 'its transaction wrote no event',
  'behind-triggers': 'nothing recorded it',
  'event-missing': 'its event is not in the log',
};

function lines({ ok, tables, changes, count }: Reconciliation): string[] {
  if (tables.length === 0) return ['No table is covered.'];
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const unwatched = tables.filter(({ isWatched }) => !isWatched);
  return [
    ok
      ? `RECONCILED  ${rows} rows in ${tables.length} tables: every change has its event.`
      : `NOT RECONCILED  ${count} of ${rows} rows in ${tables.length} tables.`,
    ...unwatched.map(({ name }) => `${name}: its triggers are gone or switched off`),
    ...changes.map(({ table, row, kind, reason }) => `${table} ${row}: ${kind}, ${REASONS[reason]}`),
    ...(count > changes.length ? [`and ${count - changes.length} more`] : []),
  ];
}
