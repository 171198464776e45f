import { text } from 'node:stream/consumers';
import type { OpenedMemory, SyncResult } from '@strongroom/client';
import { isUuid } from '@strongroom/kernel';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { collect, wholeNumber } from '../option-values.ts';
import { unlocked } from '../session.ts';
import { SPACE_OPTION, chooseSpace } from './spaces.ts';

const MOST_LISTED = 999_999;

/** Characters of a memory in a list. */
const EXCERPT = 160;

/** What `--json` shows of a memory. */
const shown = ({ id, space, version, document, writtenAt }: OpenedMemory) => ({
  id,
  space,
  version,
  writtenAt,
  ...document,
});

function excerpt({ document }: OpenedMemory): string {
  const line = `${document.title === undefined ? '' : `${document.title}: `}${document.text}`
    .replaceAll(/\s+/gu, ' ')
    .trim();
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT - 1)}…` : line;
}

const lineOf = (memory: OpenedMemory): string => {
  const tags = memory.document.tags.length === 0 ? '' : `  [${memory.document.tags.join(', ')}]`;
  return `${memory.id}  ${memory.document.createdAt.slice(0, 10)}  ${excerpt(memory)}${tags}`;
};

/** What could not be opened is said, never passed over. */
function tellUnreadable(context: CommandContext, { unreadable }: SyncResult): void {
  for (const { id, code } of unreadable) context.terminal().remark(`A memory does not open: ${id} (${code})`);
}

const parseCount = (text: string): number => wholeNumber(text, '--limit', 1, MOST_LISTED);

export function addMemoryCommands(program: Command, context: CommandContext): void {
  program
    .command('remember')
    .argument('[text...]', 'what to keep; standard input otherwise')
    .description('seal a memory on this computer and store it')
    .option('--title <title>', 'shown first in lists and searched too')
    .option('--tag <tag>', 'may be given several times', collect, [])
    .option(...SPACE_OPTION)
    .addHelpText(
      'after',
      '\nExamples:\n  strongroom remember "The spare key is with Ines" --tag home\n  strongroom remember < note.txt',
    )
    .action(async (words: readonly string[], options: { title?: string; tag: readonly string[]; space?: string }) => {
      const content = words.length > 0 ? words.join(' ') : process.stdin.isTTY ? '' : await text(process.stdin);
      if (content.trim() === '') throw new CliError('cli.usage', { detail: 'There is nothing to remember.' });
      const { vault } = await unlocked(context);
      const space = await chooseSpace(vault, options.space);
      const memory = await vault.remember(space.id, {
        text: content.trimEnd(),
        tags: options.tag,
        ...(options.title === undefined ? {} : { title: options.title }),
      });
      context.terminal().result(shown(memory), [memory.id]);
    });

  program
    .command('recall')
    .argument('<words...>', 'what to look for, in any language')
    .description('search your memories; the search happens on this computer')
    .option('--limit <count>', 'how many at most', parseCount, 10)
    .option('--space <space>', 'only in this space')
    .addHelpText('after', '\nExample:\n  strongroom recall spare key')
    .action(async (words: readonly string[], options: { limit: number; space?: string }) => {
      const { vault } = await unlocked(context);
      const spaces = options.space === undefined ? await vault.listSpaces() : [await chooseSpace(vault, options.space)];
      for (const space of spaces) tellUnreadable(context, await vault.sync(space.id));
      const found = await vault.recall(words.join(' '), { limit: options.limit, spaces: spaces.map(({ id }) => id) });
      const answers = found.map((memory) => ({ ...shown(memory), score: memory.score }));
      context.terminal().result(answers, found.length === 0 ? ['Nothing found.'] : found.map(lineOf));
    });

  program
    .command('list')
    .description('list the memories of a space, newest first')
    .option('--limit <count>', 'how many at most', parseCount, 50)
    .option(...SPACE_OPTION)
    .addHelpText('after', '\nExample:\n  strongroom list --space Family --limit 10')
    .action(async (options: { limit: number; space?: string }) => {
      const { vault } = await unlocked(context);
      const space = await chooseSpace(vault, options.space);
      tellUnreadable(context, await vault.sync(space.id));
      const all = await vault.list(space.id);
      const page = all.slice(0, options.limit);
      const more = all.length > page.length ? [`… and ${all.length - page.length} more; see --limit.`] : [];
      context
        .terminal()
        .result(page.map(shown), all.length === 0 ? ['No memories yet.'] : [...page.map(lineOf), ...more]);
    });

  program
    .command('forget')
    .argument('<id>', 'as `list` and `recall` print it')
    .description('delete a memory with all its versions')
    .option(...SPACE_OPTION)
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  strongroom forget 01a200db-fa68-716b-9a7c-70890969723e --yes')
    .action(async (id: string, options: { space?: string; yes?: true }) => {
      if (!isUuid(id)) throw new CliError('cli.usage', { detail: 'An id has the form that `list` prints.' });
      const { vault } = await unlocked(context);
      const space = await chooseSpace(vault, options.space);
      tellUnreadable(context, await vault.sync(space.id));
      const found = await vault.get(space.id, id);
      context.terminal().remark(lineOf(found));
      if (options.yes !== true) {
        if (!context.terminal().interactive)
          throw new CliError('cli.usage', { detail: 'Say --yes where nobody can be asked.' });
        if (!(await context.terminal().confirm('Delete it with all its versions?')))
          throw new CliError('cli.cancelled');
      }
      await vault.forget(space.id, id, found.version);
      context.terminal().result({ id, forgotten: true }, ['Forgotten.']);
    });
}
