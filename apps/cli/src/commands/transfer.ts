import { createReadStream } from 'node:fs';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type ImportItem,
  type OpenedMemory,
  parseChatGptExport,
  parseJsonLines,
  parseMarkdownNote,
} from '@strongroom/client';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { EXIT, withExitCodes } from '../exit-codes.ts';
import { unlocked } from '../session.ts';
import { SPACE_OPTION, chooseSpace } from './spaces.ts';

type Items = readonly ImportItem[];

async function collectItems(items: Iterable<ImportItem> | AsyncIterable<ImportItem>): Promise<Items> {
  const collected: ImportItem[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

const unreadable = (file: string, cause: unknown): CliError =>
  new CliError('cli.unreadable-file', { detail: file, cause });

async function readNotes(folder: string): Promise<Items> {
  const names = (await readdir(folder, { recursive: true }))
    .filter((name) => /\.(md|markdown)$/i.test(name))
    .toSorted();
  const items: ImportItem[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    const content = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw unreadable(file, cause);
    });
    items.push(parseMarkdownNote(name.replaceAll('\\', '/'), content));
  }
  return items;
}

/** Tells the sources apart by what lies there. */
async function readSource(source: string): Promise<Items> {
  const found = await stat(source).catch((cause: unknown) => {
    throw unreadable(source, cause);
  });
  if (found.isDirectory()) return readNotes(source);
  const extension = path.extname(source).toLowerCase();
  if (extension === '.md' || extension === '.markdown') {
    return [parseMarkdownNote(path.basename(source), await readFile(source, 'utf8'))];
  }
  const content = createReadStream(source, 'utf8') as AsyncIterable<string>;
  if (extension === '.jsonl') return collectItems(parseJsonLines(content));
  if (extension === '.json') return collectItems(parseChatGptExport(content));
  throw new CliError('cli.usage', {
    detail:
      'Known sources: what `export` wrote, memory.jsonl (MCP memory server), conversations.json (ChatGPT), a Markdown file or a folder of them.',
  });
}

export function addTransferCommands(program: Command, context: CommandContext): void {
  withExitCodes(program.command('import'), { [EXIT.failed]: 'failed, or some items were not imported' })
    .argument('<source...>', 'an export, memory.jsonl, conversations.json, a Markdown file, or a folder of notes')
    .description(
      'seal what other tools kept, or `export` wrote, and store it; may be stopped and run again, nothing is stored twice',
    )
    .option(...SPACE_OPTION)
    .option('--dry-run', 'read and count only')
    .addHelpText('after', '\nExample:\n  strongroom import conversations.json memory.jsonl notes/')
    .action(async (sources: readonly string[], options: { space?: string; dryRun?: true }) => {
      const items = (await Promise.all(sources.map(readSource))).flat();
      if (options.dryRun === true) {
        context.terminal().result({ items: items.length }, [`${items.length} items can be imported.`]);
        return;
      }
      const { vault } = await unlocked(context);
      const space = await chooseSpace(vault, options.space);
      const progress = context.terminal().progress('Importing');
      const result = await vault.import(space.id, items, {
        onProgress: ({ created, updated, unchanged, deleted, failed }) =>
          progress.update(created + updated + unchanged + deleted + failed.length, items.length),
      });
      const { created, updated, unchanged, deleted, failed } = result;
      progress.finish(`Imported into ${space.name ?? space.id}.`);
      context
        .terminal()
        .result({ space: space.id, items: items.length, ...result }, [
          `${created} new, ${updated} updated, ${unchanged} unchanged, ${deleted} deleted here before, ${failed.length} failed.`,
          ...failed.map(({ key, code }) => `  ${key}: ${code}`),
        ]);
      if (failed.length > 0) context.setExitCode(EXIT.failed);
    });

  withExitCodes(program.command('export'), { [EXIT.failed]: 'failed, or some memories do not open and were left out' })
    .argument('<target>', 'a new file for jsonl, a new folder for markdown; - for standard output')
    .description('write the opened memories of a space; what is written is readable by anyone')
    .addOption(
      new Option('--format <format>', 'both can be imported again; jsonl with everything a memory has')
        .choices(['jsonl', 'markdown'])
        .default('jsonl'),
    )
    .option(...SPACE_OPTION)
    .addHelpText(
      'after',
      '\nExamples:\n  strongroom export memories.jsonl\n  strongroom export notes --format markdown --space Family',
    )
    .action(async (target: string, options: { format: 'jsonl' | 'markdown'; space?: string }) => {
      const { vault } = await unlocked(context);
      const space = await chooseSpace(vault, options.space);
      const { unreadable: closed } = await vault.sync(space.id);
      const memories = await vault.list(space.id);
      await (options.format === 'jsonl' ? writeLines(target, memories) : writeNotes(target, memories));
      for (const { id, code } of closed) context.terminal().remark(`Left out, it does not open: ${id} (${code})`);
      if (target !== '-') {
        const summary = { exported: memories.length, leftOut: closed.length, target };
        context
          .terminal()
          .result(summary, [`${memories.length} memories exported to ${target}. The file is not encrypted.`]);
      }
      if (closed.length > 0) context.setExitCode(EXIT.failed);
    });
}

/** Readable by their owner only, and never over something that is there. */
const NEW_FILE = { flag: 'wx', mode: 0o600 } as const;

async function writeLines(target: string, memories: readonly OpenedMemory[]): Promise<void> {
  const content = memories
    .map(({ id, version, writtenAt, document }) => `${JSON.stringify({ id, version, writtenAt, ...document })}\n`)
    .join('');
  if (target === '-') process.stdout.write(content);
  else await writeFile(target, content, NEW_FILE).catch((cause: unknown) => Promise.reject(unwritable(target, cause)));
}

async function writeNotes(folder: string, memories: readonly OpenedMemory[]): Promise<void> {
  if (folder === '-') throw new CliError('cli.usage', { detail: 'Markdown needs a folder.' });
  await mkdir(folder, { mode: 0o700 }).catch((cause: unknown) => Promise.reject(unwritable(folder, cause)));
  for (const { id, document } of memories) {
    const front = { title: document.title, created: document.createdAt, kind: document.kind, tags: document.tags };
    // JSON is YAML, and its strings cannot break out of the front matter.
    const lines = Object.entries(front).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}: ${JSON.stringify(value)}`],
    );
    await writeFile(path.join(folder, `${id}.md`), `---\n${lines.join('\n')}\n---\n\n${document.text}\n`, NEW_FILE);
  }
}

const unwritable = (target: string, cause: unknown): CliError =>
  new CliError('cli.unwritable-file', { detail: `${target} (an existing one is not overwritten)`, cause });
