/** `strongroom keys`: how the server's keys are doing, replacing them, erasing people, planning blind indexes. For its operator. */
import type { IndexPlan, RotationReport, RotationScope } from '@strongroom/encryption';
import { isUuid, type Uuid } from '@strongroom/kernel';
import { type Command, Option } from 'commander';
import type { KeysOverview, VaultShredReport } from 'strongroom';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT, withExitCodes } from '../exit-codes.ts';
import { collect, wholeNumber } from '../option-values.ts';
import { ask, onMachine, type Place } from '../on-machine.ts';
import { columnOf, copyOf, type CopyOptions, guarded, percent } from './keys-access.ts';
import { addIndexRotation, cancelIndex, indexSentence, listIndexes } from './keys-index.ts';
import { rotateKeys, type RotateOptions, sentence } from './keys-rotation.ts';

interface ShredOptions extends CopyOptions {
  readonly yes?: true;
}

const ROTATION_EXITS = {
  [EXIT.ok]: 'every value was authenticated under the new version',
  [EXIT.notIntact]: 'some do not open, and nothing was retired',
  [EXIT.conflict]: 'another rotation is running',
} as const;

const SHRED_EXITS = {
  [EXIT.ok]: 'erased in every slot, copies of the keys replaced',
  [EXIT.failed]: 'failed, or not erased everywhere yet: the server goes on trying',
  [EXIT.conflict]: 'another erasure is running',
} as const;

const bits = (text: string, earlier: readonly number[] = []): readonly number[] => [
  ...earlier,
  wholeNumber(text, '--bits', 1, 256),
];

const withCopy = (command: Command): Command =>
  onMachine(command)
    .addOption(
      new Option(
        '--backup <file>',
        'a new file for the copy of the keys; not needed where STRONGROOM_KEY_COPIES is set',
      ),
    )
    .option('--no-backup', 'make no copy: until there is one, losing the database loses everybody')
    .option('--recipient <recipient>', 'age1… or age1pq1…, who can open the copy; may be given several times', collect)
    .option('--recipient-file <file>', 'file with recipients, one in a line', collect);

export function addKeysCommands(program: Command, context: CommandContext): void {
  const keys = program
    .command('keys')
    .description('look after the keys of the server, as its operator: state, rotation, erasure, index plans');

  onMachine(keys.command('status').description('slots, key versions, the key tree, rotations'))
    .addHelpText('after', '\nExample:\n  strongroom keys status --data .strongroom')
    .action((options: Place) => guarded(context, () => status(context, options)));

  const rotate = keys
    .command('rotate')
    .description('make a new key version and write values anew under it, while everybody goes on working');
  const kinds = [
    { name: 'root', argument: undefined, description: 'everything; the former key version is retired afterwards' },
    { name: 'tenant', argument: ['<tenant>', 'id of the tenant'], description: 'what belongs to one tenant' },
    { name: 'column', argument: ['<table.column>', 'an encrypted column'], description: 'one column of one table' },
  ] as const;
  for (const { name, argument, description } of kinds) {
    const command = withCopy(withExitCodes(rotate.command(name), ROTATION_EXITS).description(description));
    if (argument !== undefined) command.argument(argument[0], argument[1]);
    const word = { root: '', tenant: ' 0198f9c2-…', column: ' accounts.email' }[name];
    command
      .addOption(
        new Option('--share <percent>', 'the part of the time that the server may spend on it')
          .argParser(percent)
          .default(1, '100'),
      )
      .option('--keep-former', 'retire nothing, so that the present root key goes on opening older backups')
      .option('--present', 'make no new version: bring what is left under former ones under the present one')
      .option('--no-wait', 'come back once it has begun; `keys status` tells how far it is')
      .addHelpText(
        'after',
        `
The root of the key tree is replaced at the beginning, so older copies of the keys are worth nothing from then on: --backup writes a new one,
beside those in STRONGROOM_KEY_COPIES.
Interrupting this command does not stop a server that is at it. With the server stopped, the next command goes on where this one was.

Example:
  strongroom keys rotate ${name}${word} --data .strongroom --backup keys.age --recipient age1…`,
      )
      .action((...given: readonly unknown[]) => {
        const options = given.at(argument === undefined ? 0 : 1) as RotateOptions;
        const scope = scopeOf(name, argument === undefined ? '' : String(given[0]));
        return guarded(context, () => rotateKeys(context, scope, options));
      });
  }

  addIndexRotation(rotate, context);

  onMachine(keys.command('cancel').description('end a rotation where it is; values stay readable under both versions'))
    .argument('<rotation>', 'its id, as `keys status` shows it; table.column for the rotation of an index')
    .addHelpText('after', '\nExample:\n  strongroom keys cancel 0198f9c2-… --data .strongroom')
    .action((rotation: string, options: Place) =>
      guarded(context, () =>
        rotation.includes('.')
          ? cancelIndex(context, columnOf(rotation), options)
          : cancel(context, idOf(rotation), options),
      ),
    );

  withCopy(
    withExitCodes(keys.command('shred'), SHRED_EXITS).description(
      'erase the keys of people: nothing about them opens any more, in no backup either',
    ),
  )
    .argument('<subject...>', 'ids of the people, such as accounts')
    .option('--yes', 'do not ask; for scripts')
    .addHelpText(
      'after',
      `
It cannot be undone. The rows stay, unreadable; deleting an account by itself removes both.
The root is replaced, so older copies of the keys are worth nothing from then on: --backup writes a new one,
beside those in STRONGROOM_KEY_COPIES.

Example:
  strongroom keys shred 0198f9c2-… --data .strongroom --backup keys.age --recipient age1…`,
    )
    .action((subjects: readonly string[], options: ShredOptions) =>
      guarded(context, () => shred(context, subjects.map(idOf), options)),
    );

  onMachine(keys.command('plan-index').description('what a blind index of a column would give away, from its values'))
    .argument('<table.column>', 'an encrypted column')
    .addOption(
      new Option('--bits <bits>', 'width of a truncated index to judge; may be given several times').argParser(bits),
    )
    .addHelpText('after', '\nExample:\n  strongroom keys plan-index accounts.display_name --data .strongroom --bits 12')
    .action((column: string, options: Place & { readonly bits?: readonly number[] }) =>
      guarded(context, () => planIndex(context, column, options)),
    );
}

function idOf(text: string): Uuid {
  if (!isUuid(text)) throw new CliError('cli.usage', { detail: `Not an id: ${text}` });
  return text;
}

function scopeOf(kind: RotationScope['kind'], text: string): RotationScope {
  if (kind === 'tenant') return { kind, tenant: idOf(text) };
  return kind === 'column' ? { kind, ...columnOf(text) } : { kind };
}

async function status(context: CommandContext, options: Place): Promise<void> {
  const overview = await ask<KeysOverview>(
    context,
    options,
    { method: 'GET', route: '/operator/keys' },
    ({ services }) => services.keys.overview(),
  );
  const indexes = await listIndexes(context, options);
  const { tree, slots, versions, rotations, copies, waiting } = overview;
  context.terminal().result({ ...overview, indexes }, [
    `New values are written under key version ${overview.keyVersion}; look-ups use version ${overview.lookupVersion}.`,
    ...versions.map(({ version, createdAt, isLookupOnly }) => {
      const use = overview.versionsInUse.includes(version) ? 'values are under it' : 'no value is under it';
      return `  version ${version}, of ${day(createdAt)}: ${isLookupOnly ? 'retired, kept for look-ups' : use}`;
    }),
    `Key tree: ${tree.subjects} people, ${tree.nodes} nodes, root ${tree.version}, keyring revision ${overview.revision}.`,
    `Erased: ${tree.shredded}${tree.shredding === 0 ? '' : `, ${tree.shredding} in progress`}${waiting === 0 ? '' : `, ${waiting} deleted accounts waiting`}. ${tree.complete ? 'Complete in every slot.' : 'NOT yet complete in every slot.'}`,
    ...slots.map(({ name, erasure, acknowledged, failure }) => {
      const state = acknowledged ? 'present' : `BEHIND${failure === undefined ? '' : ` (${failure})`}`;
      return `  slot ${name}: ${state}${erasure === 'none' ? '; it cannot erase' : ''}`;
    }),
    ...copyLines(copies),
    ...indexes.map(indexSentence),
    ...rotations.slice(0, 5).map((rotation) => `Rotation ${rotation.id}: ${sentence(rotation)}`),
  ]);
}

const copyLines = (copies: KeysOverview['copies']): readonly string[] =>
  copies.length === 0
    ? ['  copies of the keys: NONE configured; after an account is deleted, make one with `backup create --keys-only`']
    : copies.map(({ folder, state, failure }) => {
        const words = { present: 'present', behind: 'BEHIND', unavailable: 'UNAVAILABLE' }[state];
        return `  copy of the keys in ${folder}: ${words}${failure === undefined ? '' : ` (${failure})`}`;
      });

const day = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, 10);

async function cancel(context: CommandContext, id: Uuid, options: Place): Promise<void> {
  const route = `/operator/keys/rotations/${id}/cancellation`;
  const report = await ask<RotationReport>(context, options, { method: 'POST', route }, ({ services }) =>
    services.keys.cancelRotation(id),
  );
  context.terminal().result(report, [`Rotation ${report.id}: ${sentence(report)}`]);
}

async function shred(context: CommandContext, subjects: readonly Uuid[], options: ShredOptions): Promise<void> {
  const copy = await copyOf(options);
  if (options.yes !== true) await confirm(context, subjects);
  const report = await ask<VaultShredReport>(
    context,
    options,
    { method: 'POST', route: '/operator/keys/shreds', body: { subjects, copy } },
    ({ services }) => services.keys.shred(subjects, copy, 'command-line'),
  );
  const { shredded, already, complete, erased, wraps, rootOperations, copies } = report;
  const before = already === 0 ? '' : `, ${already} were already`;
  context
    .terminal()
    .result(report, [
      `Erased: ${shredded}${before}. The root was replaced ${rootOperations} times, ${wraps} keys were wrapped anew.`,
      complete
        ? 'Every slot has acknowledged it.'
        : 'NOT COMPLETE: a slot or a copy may still hold what was replaced; the server goes on trying.',
      ...(erased ? [] : ['A slot in use cannot erase: whoever kept a copy of what it held can still read.']),
    ]);
  if (copies.length > 0) context.terminal().remark(copyLines(copies).join('\n'));
  if (typeof copy !== 'string')
    context.terminal().remark(`Copy of the keys: ${copy.path}. Replace your copies of the root key, too.`);
  if (!complete) context.setExitCode(EXIT.failed);
}

/** What is typed is what cannot be got by pressing a key once too often. */
async function confirm(context: CommandContext, subjects: readonly Uuid[]): Promise<void> {
  const [first] = subjects;
  const wanted = subjects.length === 1 ? first! : String(subjects.length);
  const what = subjects.length === 1 ? 'the id' : 'their number';
  const typed = await context.terminal().askText(`This erases them for good. Type ${what} (${wanted}) to go on:`);
  if (typed === undefined) {
    throw new CliError('cli.usage', { detail: 'Nobody can be asked here: say --yes to erase without asking.' });
  }
  if (typed.trim() !== wanted) throw new CliError('cli.cancelled');
}

async function planIndex(
  context: CommandContext,
  name: string,
  options: Place & { readonly bits?: readonly number[] },
): Promise<void> {
  const { table, column } = columnOf(name);
  const body = { table, column, ...(options.bits === undefined ? {} : { widths: options.bits }) };
  const plan = await ask<IndexPlan>(
    context,
    options,
    { method: 'POST', route: '/operator/keys/index-plans', body },
    ({ services }) => services.keys.planIndex(table, column, { widths: options.bits }),
  );
  const { rows, unreadable, distinct, mostFrequent, single, recoveredByFrequency, widths } = plan;
  context
    .terminal()
    .result(plan, [
      `${table}.${column}: ${rows} values, ${distinct} of them different${unreadable === 0 ? '' : `; ${unreadable} cannot be read`}.`,
      `Whoever sees the index sees which rows are equal. With these values that means:`,
      `  ${part(mostFrequent)} of the rows hold the most frequent value`,
      `  ${part(single)} of the different values are in one row only`,
      `  ${part(recoveredByFrequency)} of the rows are recovered by matching frequencies, if the distribution is known`,
      'By the width of the index: other rows found by a query; values alone in their bucket; rows guessed by who may look values up:',
      ...widths.map(
        ({ bits: width, falsePositives, alone, guessed }) =>
          `  ${String(width).padStart(3)} bits: ${falsePositives.toPrecision(3)}; ${part(alone)}; ${part(guessed)}`,
      ),
    ]);
}

const part = (share: number): string => `${(100 * share).toPrecision(3)} %`;
