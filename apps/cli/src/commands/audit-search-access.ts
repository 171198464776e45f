/** How a command searches the log: over the network, through the administrator's socket, or in the folder of a stopped server. */
import {
  type FoundPage,
  type KnownPerson,
  parseCheckpoint,
  parseNote,
  readFoundPage,
  readPersonAnswer,
} from '@strongroom/audit-log/verify';
import type { Api } from '@strongroom/client';
import type { AuditEventClass } from '@strongroom/kernel';
import type { Strongroom } from 'strongroom';
import { administratorSocket, askServer } from '../administrator.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { recorded } from '../recorded.ts';
import { signedIn } from '../session.ts';
import { type LogOptions, withStopped } from '../stopped-vault.ts';

export interface SearchQuery {
  readonly actor?: string;
  readonly subject?: string;
  readonly object?: string;
  readonly type?: string;
  readonly class?: readonly AuditEventClass[];
  readonly outcome?: readonly ('success' | 'denied' | 'failure')[];
  readonly from?: string;
  readonly to?: string;
  readonly request?: string;
  readonly text?: string;
  readonly order?: 'newest' | 'oldest';
  readonly limit?: number;
  readonly cursor?: string;
  /** Stands in the event that records the search. */
  readonly purpose?: string;
}

interface ExportBegin {
  readonly format: 'ocsf' | 'jsonl';
  readonly purpose?: string | undefined;
}

export interface OpenSearch {
  /** Results that one page may have. */
  readonly pageSize: number;
  search(query: SearchQuery): Promise<FoundPage>;
  /** Null for somebody who is unknown or forgotten. */
  person(email: string): Promise<KnownPerson | null>;
  /** Leaves an event that says so. Returns the log's name and how many entries it has. */
  beginExport(begin: ExportBegin): Promise<{ readonly origin: string; readonly size: number }>;
  /** Account → name, of those who may be known. */
  names(): Promise<ReadonlyMap<string, string>>;
}

/** As `PAGE_ENTRIES` and `OPERATOR_PAGE_ENTRIES` of the audit log's wire formats. */
const PAGE_RESULTS = 512;
const OPERATOR_PAGE_RESULTS = 4096;

export async function withSearch<Result>(
  context: CommandContext,
  options: LogOptions,
  work: (log: OpenSearch) => Promise<Result>,
): Promise<Result> {
  const { data } = options;
  if (data === undefined) {
    const { api } = (await signedIn(context)).vault;
    return work({ ...overNetwork(api), pageSize: PAGE_RESULTS });
  }
  const socket = administratorSocket(data);
  if ((await askServer(socket, 'GET', '/operator/status')) !== undefined) {
    return work({ ...throughSocket(socket), pageSize: OPERATOR_PAGE_RESULTS });
  }
  return withStopped(context, data, options, async (strongroom) => {
    // Only what has its place in the log is found.
    await strongroom.services.auditLog.sequence();
    return work({ ...(await inFolder(strongroom)), pageSize: OPERATOR_PAGE_RESULTS });
  });
}

type Access = Omit<OpenSearch, 'pageSize'>;

/** As it stands in an address: of several values one text, with commas between them. */
const inWords = (query: SearchQuery): Record<string, string> =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));

const overNetwork = ({ http, members }: Api): Access => ({
  search: async (query) =>
    readFoundPage(
      await http.json({ method: 'GET', path: '/v1/audit/events', query: inWords(query), repeatable: true }),
    ),
  person: async (email) =>
    readPersonAnswer(await http.json({ method: 'POST', path: '/v1/audit/people', body: { email }, repeatable: true })),
  beginExport: async (begin) =>
    readHead(await http.json({ method: 'POST', path: '/v1/audit/exports', body: begin, repeatable: true })),
  async names() {
    const names = new Map<string, string>();
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await members(cursor);
      for (const { account, displayName } of page.items) if (displayName !== null) names.set(account, displayName);
      cursor = page.next;
    }
    return names;
  },
});

function throughSocket(socket: string): Access {
  const ask = async (method: 'GET' | 'POST', route: string, body?: object): Promise<unknown> => {
    const answer = await askServer(socket, method, `/operator/audit/${route}`, body);
    if (answer === undefined) throw new CliError('cli.server-unreachable');
    return answer;
  };
  return {
    search: async (query) =>
      readFoundPage(await ask('GET', `events?${new URLSearchParams(inWords(query)).toString()}`)),
    person: async (email) => readPersonAnswer(await ask('POST', 'people', { email })),
    beginExport: async (begin) => readHead(await ask('POST', 'exports', begin)),
    names: () => Promise.resolve(new Map()),
  };
}

async function inFolder({ services }: Strongroom): Promise<Access> {
  const { auditLog, people } = services;
  const { readPeople, searchEvents } = await import('@strongroom/audit-log');
  return {
    search: ({ order = 'newest', limit = PAGE_RESULTS, cursor = null, purpose, ...filter }) =>
      recorded(services, async (transaction) => {
        const found = await searchEvents(transaction, auditLog, {
          filter,
          tenant: null,
          order,
          after: cursor,
          limit,
        });
        const result = { entries: found.entries, next: found.next, people: found.people };
        const by = Object.keys(filter).toSorted().join(' ');
        const details = { by, count: found.entries.length, ...stated(purpose) };
        return [result, { type: 'audit.searched', details }];
      }),
    person: (email) =>
      recorded(services, async (transaction) => {
        const account = await people.accountByEmail(transaction, email);
        const [result = null] = account === null ? [] : await readPeople(transaction, [account]);
        const details = { by: 'email', count: result === null ? 0 : 1 };
        return [result, { type: 'audit.searched', details }];
      }),
    async beginExport({ format, purpose }) {
      const note = (await auditLog.source().newestCheckpoint())?.note ?? null;
      const head = readHead({ note });
      const details = { format, size: head.size, ...stated(purpose) };
      await recorded(services, async () => [null, { type: 'audit.exported', details }]);
      return head;
    },
    names: () => Promise.resolve(new Map()),
  };
}

const stated = (purpose: string | undefined) => (purpose === undefined ? {} : { purpose });

function readHead(answer: unknown): { origin: string; size: number } {
  const note = (answer as { readonly note?: unknown } | null)?.note;
  if (typeof note !== 'string') return { origin: 'strongroom', size: 0 };
  return parseCheckpoint(parseNote(note).text);
}
