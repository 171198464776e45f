/** `strongroom keys rotate index`: makes a blind index anew under the present key version, on the running server or here, and shows how far it is. */
import type { IndexReport } from '@strongroom/encryption';
import { StrongroomError } from '@strongroom/kernel';
import { type Command, Option } from 'commander';
import type { Strongroom } from 'strongroom';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, withExitCodes } from '../exit-codes.ts';
import { withStopped } from '../stopped-vault.ts';
import { ask, onMachine, type Place } from '../on-machine.ts';
import { columnOf, follow, guarded, percent, workHere } from './keys-access.ts';

interface IndexOptions extends Place {
  readonly share: number;
  readonly wait: boolean;
}

interface ColumnName {
  readonly table: string;
  readonly column: string;
}

const routeOf = ({ table, column }: ColumnName, end: 'rotation' | 'cancellation'): string =>
  `/operator/indexes/${table}/${column}/${end}`;

export function addIndexRotation(rotate: Command, context: CommandContext): void {
  const index = withExitCodes(rotate.command('index'), {
    [EXIT.ok]: 'the new index counts, nothing is left of the former',
    [EXIT.failed]: 'failed; it was cancelled, or is under the present version already',
    [EXIT.conflict]: 'it is being rotated',
  });
  onMachine(index.description('the blind index of a column: made anew under the present key version'))
    .argument('<table.column>', 'the column that is found by it')
    .addOption(
      new Option('--share <percent>', 'the part of the time that the server may spend on it')
        .argParser(percent)
        .default(1, '100'),
    )
    .option('--no-wait', 'come back once it has begun; `keys status` tells how far it is')
    .addHelpText(
      'after',
      `
Everybody is found all the time: a second column is filled while both are written, then searched, then the first one is emptied.
The keys have to be rotated before (\`keys rotate root\`), since an index that is under the present version cannot become newer.
\`keys cancel\` with the name of the column takes it back as long as the new index does not count.

Example:
  strongroom keys rotate index accounts.email --data .strongroom`,
    )
    .action((name: string, options: IndexOptions) =>
      guarded(context, () => rotateIndex(context, columnOf(name), options)),
    );
}

export async function listIndexes(context: CommandContext, options: Place): Promise<readonly IndexReport[]> {
  const { indexes } = await ask<{ readonly indexes: readonly IndexReport[] }>(
    context,
    options,
    { method: 'GET', route: '/operator/indexes' },
    async ({ services }) => ({ indexes: await services.indexRotations.list() }),
  );
  return indexes;
}

export async function cancelIndex(context: CommandContext, name: ColumnName, options: Place): Promise<void> {
  const report = await ask<IndexReport>(
    context,
    options,
    { method: 'POST', route: routeOf(name, 'cancellation') },
    ({ services }) => services.indexRotations.cancel(name.table, name.column),
  );
  context.terminal().result(report, [indexSentence(report)]);
}

export function indexSentence(report: IndexReport): string {
  const { state, liveVersion, otherVersion, seen, total, outcome, failure } = report;
  const trouble = failure === null ? '' : ` The last attempt stopped with ${failure}; it is repeated.`;
  const progress = `, ${seen} of ${total} rows.${trouble}`;
  const rest = {
    settled: outcome === 'cancelled' ? '; the last rotation was cancelled.' : '.',
    filling: `, being made under version ${otherVersion}${progress}`,
    filled: `, made under version ${otherVersion} and about to be switched.`,
    emptying: `, that under version ${otherVersion} being removed${progress}`,
  };
  return `Index of ${report.table}.${report.column}: under version ${liveVersion}${rest[state]}`;
}

async function rotateIndex(context: CommandContext, name: ColumnName, options: IndexOptions): Promise<void> {
  const socket = administratorSocket(options.data);
  const route = routeOf(name, 'rotation');
  const begun = (await askServer(socket, 'POST', route, { share: options.share })) as IndexReport | undefined;
  if (begun === undefined) {
    await withStopped(context, options.data, options, (strongroom) => rotateHere(context, strongroom, name, options));
  } else showEnd(context, options.wait ? await follow(socket, route, begun, progressOf(context)) : begun);
}

async function rotateHere(
  context: CommandContext,
  { services: { indexRotations } }: Strongroom,
  { table, column }: ColumnName,
  { share, wait }: IndexOptions,
): Promise<void> {
  const begun = await indexRotations.begin(table, column, { share }).catch((error: unknown) => {
    // Nobody else is at it here: it was stopped, and this goes on.
    if (!(error instanceof StrongroomError) || error.code !== 'encryption.rotation-running') throw error;
    return indexRotations.status(table, column);
  });
  if (!wait) return showEnd(context, begun);
  const work = (signal: AbortSignal) => indexRotations.run(signal);
  showEnd(context, await workHere(work, () => indexRotations.status(table, column), progressOf(context)));
}

/** A bar for filling and one for emptying. The function answers whether the rotation has ended. */
function progressOf(context: CommandContext): (report: IndexReport) => boolean {
  let [shown, bar] = ['filling', context.terminal().progress('Filling')];
  let told: string | null = null;
  return ({ state, seen, total, failure }) => {
    if (state === 'emptying' && shown !== state) {
      bar.finish('');
      [shown, bar] = [state, context.terminal().progress('Emptying the former')];
    }
    bar.update(seen, total);
    if (failure !== null && failure !== told) {
      context.terminal().remark(`It stopped with ${failure} and is tried again; \`keys cancel\` takes it back.`);
    }
    told = failure;
    if (state === 'settled') bar.finish('');
    return state === 'settled';
  };
}

function showEnd(context: CommandContext, report: IndexReport): void {
  context.terminal().result(report, [indexSentence(report)]);
  if (report.state === 'settled' && report.outcome === 'cancelled') context.setExitCode(EXIT.failed);
}
