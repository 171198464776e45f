/** A log that lies in memory as it would in the database: for tests that build, change or publish whole histories. */
import { newUuid, toBase64 } from '@strongroom/kernel';
import type { EventColumns } from './entry.ts';
import type { LogEntry, LogSource, StoredCheckpoint } from './log-source.ts';
import type { Cosigner } from './log.test-support.ts';
import { type FullTile, TileBuilder, TILE_WIDTH } from './tiles.ts';

/** What lies in the database. */
export interface Stored {
  readonly events: readonly EventColumns[];
  readonly leaves: readonly Uint8Array[];
  /** By `level/index`. */
  readonly tiles: ReadonlyMap<string, Pick<FullTile, 'hashes' | 'root'>>;
  readonly checkpoints: readonly { readonly size: number; readonly root: Uint8Array; readonly note: string }[];
}

/** Events of nobody, one each second. */
export const plainEvents = (count: number): EventColumns[] =>
  Array.from({ length: count }, (_, index) => ({
    eventId: newUuid(),
    occurredAt: (START + index) * 1_000_000,
    type: 'memory.read',
    outcome: 'success',
    reason: null,
    actorKind: 'anonymous',
    actor: null,
    actorVia: null,
    sessionId: null,
    tenantId: null,
    requestId: newUuid(),
    addressCommitment: null,
    objectType: null,
    objectId: null,
    subjects: [],
    details: '{}',
  }));

interface MemoryLogOptions {
  readonly origin: string;
  /** Whoever holds the log's keys: the log itself, or a thief. */
  readonly signers: readonly Cosigner[];
  readonly leafOf: (event: EventColumns) => Uint8Array;
  /** Sizes at which a checkpoint is kept, beside the last. */
  readonly sizes?: readonly number[];
}

/** Seconds since the epoch. */
const START = 1_790_000_000;

/** The whole history, signed. */
export function memoryLog(
  events: readonly EventColumns[],
  { origin, signers, leafOf, sizes = [] }: MemoryLogOptions,
): Stored {
  const tiles = new Map<string, FullTile>();
  const builder = new TileBuilder({ size: 0, edge: [] }, (tile) => tiles.set(`${tile.level}/${tile.index}`, tile));
  const leaves = events.map(leafOf);
  const checkpoints: Stored['checkpoints'][number][] = [];
  for (const leaf of leaves) {
    builder.append(leaf);
    if (!sizes.includes(builder.size) && builder.size !== leaves.length) continue;
    const root = builder.root();
    const text = `${origin}\n${builder.size}\n${toBase64(root)}\n\n`;
    const note = signers.reduce((signed, signer) => signer.cosign(signed, START + builder.size), text);
    checkpoints.push({ size: builder.size, root, note });
  }
  return { events, leaves, tiles, checkpoints };
}

export function memorySource({ events: rows, leaves, tiles, checkpoints }: Stored): LogSource {
  const stored = ({ note, size, root }: Stored['checkpoints'][number]): StoredCheckpoint => ({
    note,
    columns: { size, root, signedAt: (START + size) * 1_000_000 },
  });
  const partial = (level: number, index: number, width: number): Uint8Array => {
    const places = Array.from({ length: width }, (_, place) => index * TILE_WIDTH + place);
    const hashes = places.map((place) => (level === 0 ? leaves[place] : tiles.get(`${level - 1}/${place}`)?.root));
    return new Uint8Array(Buffer.concat(hashes.filter((hash) => hash !== undefined)));
  };
  return {
    newestCheckpoint: async () => (checkpoints.length === 0 ? null : stored(checkpoints.at(-1)!)),
    checkpoints: async (after, upTo) => checkpoints.filter(({ size }) => size > after && size <= upTo).map(stored),
    entries: async (from, to) =>
      leaves.slice(from, to).map((leafHash, place): LogEntry => {
        const event = rows[from + place] ?? 'missing';
        return { index: from + place, leafHash, event, addressPrefix: null };
      }),
    tiles: async (places) =>
      places.map(({ level, index, width }) =>
        width === TILE_WIDTH ? (tiles.get(`${level}/${index}`) ?? null) : { hashes: partial(level, index, width) },
      ),
    strays: async () => [],
  };
}
