/** The whole log as the administrator's socket shows it. */
import { fromBase64Url } from '@strongroom/kernel';
import { fields, readEventJson, readOpeningJson, text } from './entry-json.ts';
import { AuditLogError } from './errors.ts';
import type { LogEntry, LogSource, StoredTile } from './log-source.ts';
import { serverSettled } from './settling.ts';
import type { TilePlace } from './tiles.ts';

export interface OperatorLog {
  /** Verifier keys that the server names. */
  readonly keys: readonly string[];
  readonly source: LogSource;
}

/**
 * `get`: fetches a path from the socket and resolves with the parsed JSON of a success; rejects with an error that has the server's
 * `code` otherwise. Strays are for the verification on the server.
 */
export async function operatorLog(get: (path: string) => Promise<unknown>): Promise<OperatorLog> {
  const readHead = async () => {
    const { note, keys, handovers, minimumIndex } = fields(await get('/operator/audit/head'), 4);
    if (!(note === null || typeof note === 'string') || !isTexts(keys) || !isTexts(handovers)) throw unreadable();
    if (!Number.isSafeInteger(minimumIndex)) throw unreadable();
    return { note, keys, handovers, minimumIndex: Number(minimumIndex) };
  };
  const { keys } = await readHead();
  return {
    keys,
    source: {
      async newestCheckpoint() {
        const { note } = await readHead();
        return note === null ? null : { note };
      },
      handovers: async () => (await readHead()).handovers,
      minimumIndex: async () => (await readHead()).minimumIndex,
      async checkpoints(after, upTo) {
        const { items } = fields(await get(`/operator/audit/checkpoints?from=${after}&to=${upTo}`), 2);
        if (!isTexts(items)) throw unreadable();
        return items.map((note) => ({ note }));
      },
      async entries(from, to) {
        const entries: LogEntry[] = [];
        for (let next = from; next < to;) {
          const page = fields(await get(`/operator/audit/entries?from=${next}&to=${to}`), 2);
          const { items } = page;
          if (!Array.isArray(items)) throw unreadable();
          entries.push(...items.map(readEntry));
          const following = page['next'] === null ? to : Number(page['next']);
          if (!Number.isSafeInteger(following) || following <= next) throw unreadable();
          next = following;
        }
        return entries;
      },
      async tiles(places) {
        const tiles: (StoredTile | null)[] = [];
        for (const place of places) tiles.push(await readTile(get, place));
        return tiles;
      },
      settled: serverSettled,
      strays: async () => [],
    },
  };
}

async function readTile(
  get: (path: string) => Promise<unknown>,
  { level, index, width }: TilePlace,
): Promise<StoredTile | null> {
  try {
    const answer = fields(await get(`/operator/audit/tiles/${level}/${index}?width=${width}`), 1);
    return { hashes: fromBase64Url(text(answer, 'hashes')) };
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'audit-log.unknown-tile') return null;
    throw error;
  }
}

function readEntry(value: unknown): LogEntry {
  const from = fields(value, 6);
  const { index, event, addressPrefix, absence, isErased } = from;
  if (!Number.isSafeInteger(index)) throw unreadable();
  const absent = absence === 'missing' || absence === 'removed' ? absence : 'withheld';
  return {
    index: Number(index),
    leafHash: fromBase64Url(text(from, 'leafHash')),
    event: event === null ? absent : readEventJson(event),
    addressPrefix: readOpeningJson(addressPrefix),
    ...(isErased === true ? { isErased } : {}),
  };
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const unreadable = () =>
  new AuditLogError('audit-log.invalid-entry', { detail: 'The server’s answer is not readable.' });
