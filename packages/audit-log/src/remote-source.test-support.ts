/** The log as the routes show it to one tenant, read through the schemas they answer by. */
import { fromBase64Url } from '@strongroom/kernel';
import type { EventColumns } from './entry.ts';
import type { LogEntry, LogSource, StoredTile } from './log-source.ts';
import { HASH_LENGTH } from './merkle.ts';
import type { TilePlace } from './tiles.ts';
import { parseMicroseconds } from './times.ts';
import * as wire from './wire.ts';

/** Tiles and pages asked for at once. */
const PARALLEL = 4;

/**
 * `get`: fetches a path such as `/v1/audit/checkpoint` with the caller's session and resolves with the parsed JSON body; for a status of 404 it
 * resolves with `undefined`. A server shows other tenants' events by their leaf hashes only, and no strays: it proves that the tree
 * only grew and that the shown entries are in it, not that every own entry was shown.
 */
export function remoteLogSource(get: (path: string) => Promise<unknown>): LogSource {
  return {
    async newestCheckpoint() {
      const { note } = wire.checkpoint.parse(await get('/v1/audit/checkpoint'));
      return note === null ? null : { note };
    },
    handovers: async () => wire.keys.parse(await get('/v1/audit/keys')).handovers,
    checkpoints: async () => [],
    async entries(from, to) {
      const entries: LogEntry[] = [];
      for (let next: string | null = String(from); next !== null;) {
        const page: wire.WireEntries = wire.entries.parse(await get(`/v1/audit/entries?from=${next}&to=${to}`));
        entries.push(...page.items.map(logEntry));
        next = page.next;
        if (page.items.length === 0) break;
      }
      return entries;
    },
    async tiles(places) {
      const tiles: (StoredTile | null)[] = [];
      for (let from = 0; from < places.length; from += PARALLEL) {
        tiles.push(...(await Promise.all(places.slice(from, from + PARALLEL).map((place) => readTile(get, place)))));
      }
      return tiles;
    },
    strays: async () => [],
  };
}

/** The verifier keys a server states. Pin them at first sight: a server that could choose them anew could rewrite the log. */
export async function remoteVerifierKeys(get: (path: string) => Promise<unknown>): Promise<readonly string[]> {
  return wire.keys.parse(await get('/v1/audit/keys')).items;
}

async function readTile(get: (path: string) => Promise<unknown>, place: TilePlace): Promise<StoredTile | null> {
  const answer = await get(`/v1/audit/tiles/${place.level}/${place.index}?width=${place.width}`);
  return answer === undefined ? null : { hashes: fromBase64Url(wire.tile.parse(answer).hashes) };
}

function logEntry({ index, leafHash, event, addressPrefix }: wire.WireEntry): LogEntry {
  const hash = fromBase64Url(leafHash);
  return {
    index,
    leafHash: hash.length === HASH_LENGTH ? hash : new Uint8Array(HASH_LENGTH),
    event: event === null ? 'withheld' : eventColumns(event),
    addressPrefix: addressPrefix === null ? null : { ...addressPrefix, salt: fromBase64Url(addressPrefix.salt) },
  };
}

const eventColumns = (event: wire.WireEvent): EventColumns => ({
  ...event,
  occurredAt: parseMicroseconds(event.occurredAt),
  addressCommitment: event.addressCommitment === null ? null : fromBase64Url(event.addressCommitment),
});
