/** `strongroom audit search`: what happened, by who, what, whom, when and how it ended. */
import { type KnownPerson, type LogEntry, plainEvent } from '@strongroom/audit-log/verify';
import { systemClock } from '@strongroom/kernel';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../option-values.ts';
import { type OpenSearch, type SearchQuery, withSearch } from './audit-search-access.ts';
import { type FilterOptions, queryOf, withFilterOptions } from './audit-search-options.ts';

interface SearchOptions extends FilterOptions {
  readonly limit: string;
  readonly cursor?: string;
  readonly oldest?: boolean;
}

const DEFAULT_LIMIT = '50';

export function addSearchCommand(audit: Command, context: CommandContext): void {
  withFilterOptions(audit.command('search'))
    .option('--limit <number>', 'at most so many', DEFAULT_LIMIT)
    .option('--cursor <id>', 'go on where the page before ended')
    .option('--oldest', 'the oldest first')
    .description('find events in the audit log; all conditions must hold')
    .addHelpText(
      'after',
      `
Without --data it searches the events of the own tenant, as the signed-in account. Searching is recorded: that it was done and by which kind of
condition, not for what. Somebody who was forgotten is not found by address or account any more.

Examples:
  strongroom audit search --outcome denied --from 24h
  strongroom audit search --actor ines@example.org --class data-access
  strongroom audit search --class permission security --from 2026-01-01 --json
  strongroom audit search --data .strongroom --text "admin"`,
    )
    .action((options: SearchOptions) => withSearch(context, options, (log) => search(context, options, log)));
}

interface Found {
  readonly entries: readonly LogEntry[];
  readonly people: readonly KnownPerson[];
  readonly next: string | null;
}

async function search(context: CommandContext, options: SearchOptions, log: OpenSearch): Promise<void> {
  const limit = wholeNumber(options.limit, '--limit', 1, 999_999);
  const filter = await queryOf(options, log, systemClock.now());
  const found = filter === null ? { entries: [], people: [], next: null } : await pages(log, filter, options, limit);
  const items = found.entries.flatMap((entry) => plainEvent(entry) ?? []);
  const lines = await table(found, log, context.terminal().json);
  context.terminal().result({ items, people: found.people, next: found.next }, lines);
  if (found.next !== null) context.terminal().remark(`There is more: add --cursor ${found.next}`);
}

async function pages(log: OpenSearch, filter: SearchQuery, options: SearchOptions, limit: number): Promise<Found> {
  const entries: LogEntry[] = [];
  const people = new Map<string, KnownPerson>();
  for (let { cursor } = options; ;) {
    const page = await log.search({
      ...filter,
      order: options.oldest === true ? 'oldest' : 'newest',
      limit: Math.min(limit - entries.length, log.pageSize),
      ...(cursor === undefined ? {} : { cursor }),
    });
    entries.push(...page.entries);
    for (const person of page.people) people.set(person.pseudonym, person);
    if (page.next === null || entries.length >= limit)
      return { entries, people: [...people.values()], next: page.next };
    cursor = page.next;
  }
}

/** Time in UTC to the second, what, how it ended, who, to what, open fields. */
async function table({ entries, people }: Found, log: OpenSearch, isJson: boolean): Promise<string[]> {
  if (isJson) return [];
  if (entries.length === 0) return ['Nothing found.'];
  const names = await log.names();
  const accounts = new Map(people.map(({ pseudonym, account }) => [pseudonym, account]));
  const who = (pseudonym: string): string =>
    names.get(accounts.get(pseudonym) ?? '') ?? `person ${pseudonym.slice(0, 8)}`;
  const rows = entries.flatMap(({ index, event }) => {
    if (typeof event === 'string') return [];
    const time = new Date(event.occurredAt / 1000).toISOString().slice(0, 19).replace('T', ' ');
    const actor = event.actor === null ? (event.actorVia ?? event.actorKind) : who(event.actor);
    const isPerson = event.objectId !== null && (accounts.has(event.objectId) || event.objectType === 'account');
    const object =
      event.objectId === null ? '' : isPerson ? who(event.objectId) : `${event.objectType} ${event.objectId}`;
    const outcome = event.reason === null ? event.outcome : `${event.outcome} (${event.reason})`;
    return [[String(index), time, event.type, outcome, actor, object, event.details === '{}' ? '' : event.details]];
  });
  const header = ['#', 'time (UTC)', 'action', 'outcome', 'actor', 'object', 'details'];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padStart(widths[0]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}
