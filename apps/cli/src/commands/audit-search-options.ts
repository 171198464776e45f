/** The conditions that `audit search` and `audit export` share, from the words of a command line. */
import { type AuditEventClass, auditEventClasses } from '@strongroom/kernel';
import { type Command, Option } from 'commander';
import { CliError } from '../errors.ts';
import type { LogOptions } from '../stopped-vault.ts';
import type { OpenSearch, SearchQuery } from './audit-search-access.ts';

export interface FilterOptions extends LogOptions {
  readonly actor?: string;
  readonly subject?: string;
  readonly object?: string;
  readonly action?: string;
  readonly class?: readonly AuditEventClass[];
  readonly outcome?: NonNullable<SearchQuery['outcome']>;
  readonly from?: string;
  readonly to?: string;
  readonly request?: string;
  readonly text?: string;
  readonly purpose?: string;
}

export const withFilterOptions = (command: Command): Command =>
  command
    .option('--actor <person>', 'who acted: e-mail address, account or pseudonym')
    .option('--subject <person>', 'whom it is about: e-mail address, account or pseudonym')
    .option('--object <id>', 'what it was done to, such as the id of a memory')
    .option('--action <type>', 'type of the event, such as memory.created')
    .addOption(new Option('--class <class...>', 'kind of event; of several, one is enough').choices(auditEventClasses))
    .addOption(
      new Option('--outcome <outcome...>', 'how it ended; of several, one is enough').choices([
        'success',
        'denied',
        'failure',
      ]),
    )
    .option('--from <time>', 'not before: 2026-11-01, 2026-11-01T08:00Z, or 90m, 24h, 7d ago')
    .option('--to <time>', 'before, in the same forms')
    .option('--request <id>', 'id of a request, as error messages and server logs show it')
    .option('--text <words>', 'all these words, in open fields, reason or names')
    .option('--purpose <word>', 'why; it stands in the event that records this, such as incident or access-request')
    .option('--data <folder>', 'as operator: the data folder on this machine, server running or not')
    .option(
      '--database-url <url>',
      'as operator, with --data: the PostgreSQL database, server stopped; STRONGROOM_DATABASE_URL',
    );

/** Null when a person is asked for whom the log does not know (any more): nothing can be found. */
export async function queryOf(options: FilterOptions, log: OpenSearch, now: number): Promise<SearchQuery | null> {
  const { object, action, class: kind, outcome, request, text } = options;
  const purpose = purposeOf(options);
  const actor = await personOf(options.actor, log);
  const subject = await personOf(options.subject, log);
  if (actor === null || subject === null) return null;
  const from = timeOf(options.from, '--from', now);
  const to = timeOf(options.to, '--to', now);
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(subject === undefined ? {} : { subject }),
    ...(object === undefined ? {} : { object }),
    ...(action === undefined ? {} : { type: action }),
    ...(kind === undefined ? {} : { class: kind }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(request === undefined ? {} : { request: id(request, '--request') }),
    ...(text === undefined ? {} : { text }),
    ...(purpose === undefined ? {} : { purpose }),
  };
}

/** Throws `cli.usage` for what is not a word: a purpose is kept for good, so it is no place for names. */
function purposeOf({ purpose }: FilterOptions): string | undefined {
  if (purpose === undefined || /^[a-z0-9][a-z0-9-]{0,39}$/.test(purpose)) return purpose;
  throw new CliError('cli.usage', {
    detail: 'Check --purpose: expected a word of lower-case letters, digits and hyphens.',
  });
}

async function personOf(given: string | undefined, log: OpenSearch): Promise<string | null | undefined> {
  if (given === undefined) return undefined;
  if (!given.includes('@')) return id(given, 'the person');
  return (await log.person(given))?.pseudonym ?? null;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function id(given: string, name: string): string {
  const text = given.toLowerCase();
  if (UUID.test(text)) return text;
  throw new CliError('cli.usage', { detail: `Check ${name}: expected an id.` });
}

/** Milliseconds. */
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** RFC 3339. A date alone is its midnight in UTC, like all times that are shown. */
export function timeOf(given: string | undefined, name: string, now: number): string | undefined {
  if (given === undefined) return undefined;
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(given) ?? [];
  if (count !== undefined) return new Date(now - Number(count) * UNITS[unit]!).toISOString();
  const isTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(given);
  const milliseconds = isTime ? Date.parse(given) : Number.NaN;
  if (!Number.isNaN(milliseconds)) return new Date(milliseconds).toISOString();
  throw new CliError('cli.usage', {
    detail: `Check ${name}: expected a time such as 2026-11-01, 2026-11-01T08:00Z or 24h.`,
  });
}
