/**
 * A part of the log in one file that can be verified offline: JSON lines, written in flat memory. Entries that are not shown are stood for by the subtrees
 * over them, so that the tree up to the signed checkpoint can be computed from the file alone. docs/format/audit.md, "Bundle".
 */
import { toBase64 } from '@strongroom/kernel';
import { parseCheckpoint } from './checkpoint.ts';
import { entryJson } from './entry-json.ts';
import type { EventColumns } from './entry.ts';
import { AuditLogError } from './errors.ts';
import { BUNDLE_FORMAT, BUNDLE_VERSION, isOpeningGone } from './internal/bundle-format.ts';
import { MissingOpenings } from './internal/missing-openings.ts';
import { readSubtrees, SubtreeRun } from './internal/subtrees.ts';
import type { LogEntry, LogSource } from './log-source.ts';
import { HASH_LENGTH } from './merkle.ts';
import { nodesFromTiles } from './proofs.ts';
import type { IndexRange } from './retention.ts';
import { parseNote } from './signed-note.ts';
import { TILE_WIDTH } from './tiles.ts';
import { parseTlogProof } from './tlog-proof-text.ts';

/** Entries read at once. */
const PAGE = 16 * TILE_WIDTH;

export interface BundleOptions {
  /** Verifier keys of the log, for convenience of the reader; whoever doubts pins their own. */
  readonly keys: readonly string[];
  /** Entries with `from` ≤ index < `to` are shown, as far as the source shows them; all when absent. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * The lines of a bundle, each with its newline. Of the entries behind `to` those are shown that account for openings which are gone, the newest of them
 * behind its checkpoint where somebody is forgotten meanwhile. Throws `audit-log.no-checkpoint` for an empty log; `audit-log.damaged` where an entry or a
 * tile is gone: then verification of the log itself says more; and `audit-log.keys-changed` where
 * such an entry is signed by keys that the first line does not know of.
 */
export async function* writeBundle(source: LogSource, options: BundleOptions): AsyncIterable<string> {
  const newest = await source.newestCheckpoint();
  if (newest === null) throw new AuditLogError('audit-log.no-checkpoint');
  const { origin, size } = parseCheckpoint(parseNote(newest.note).text);
  const from = Math.min(options.from ?? 0, size);
  const to = Math.max(from, Math.min(options.to ?? size, size));
  const handovers = await handoversOf(source);
  yield line({
    format: BUNDLE_FORMAT,
    version: BUNDLE_VERSION,
    origin,
    size,
    keys: options.keys,
    ...(handovers.length === 0 ? {} : { handovers }),
    checkpoint: newest.note,
  });
  const writer = new BundleWriter(source, size, handovers);
  yield* writer.gap({ from: 0, to: from });
  for (let start = from; start < to; start += PAGE) {
    yield await writer.entries({ from: start, to: Math.min(to, start + PAGE) });
    options.onProgress?.(Math.min(to, start + PAGE) - from, to - from);
  }
  yield* writer.reasons({ from: to, to: size });
  if (!writer.lacksReason) return;
  // Whoever was forgotten a moment ago: the entry that says so is behind the checkpoint, or about to be.
  await source.settled?.();
  const later = await source.newestCheckpoint();
  if ((await handoversOf(source)).length > handovers.length) throw new AuditLogError('audit-log.keys-changed');
  const end = later === null ? 0 : parseCheckpoint(parseNote(later.note).text).size;
  if (later === null || end <= size) return;
  yield* writer.reasons({ from: size, to: end });
  yield line({ checkpoint: later.note });
}

const handoversOf = async (source: LogSource): Promise<readonly string[]> => (await source.handovers?.()) ?? [];

class BundleWriter {
  readonly #source: LogSource;
  /** Of the log that the bundle is about. */
  readonly #size: number;
  /** The tree must show the roots at which keys changed: a gap ends there. */
  readonly #changes: ReadonlySet<number>;
  readonly #missing = new MissingOpenings();

  constructor(source: LogSource, size: number, handovers: readonly string[]) {
    this.#source = source;
    this.#size = size;
    this.#changes = new Set(handovers.map((handover) => parseTlogProof(handover).index + 1));
  }

  /** For an opening that is gone from what was written. */
  get lacksReason(): boolean {
    return this.#missing.isUnaccounted(0);
  }

  /** Entries that are not asked for, by the hashes over them. */
  async *gap({ from, to }: IndexRange): AsyncIterable<string> {
    const changes = [...this.#changes].filter((change) => change > from && change < to);
    let start = from;
    for (const end of [...changes.toSorted((left, right) => left - right), to]) {
      if (start < end) yield gapLine(start, end, await this.#subtrees(start, end));
      start = end;
    }
  }

  /** The same, but for entries that account for openings which are gone. */
  async *reasons({ from, to }: IndexRange): AsyncIterable<string> {
    let start = from;
    for (; start < to && this.lacksReason; start += PAGE) {
      yield await this.entries({ from: start, to: Math.min(to, start + PAGE) }, (event) =>
        this.#missing.isReason(event),
      );
    }
    if (start < to) yield* this.gap({ from: start, to });
  }

  /** One page. `isShown`: whether an entry is, if the source shows it. */
  async entries({ from, to }: IndexRange, isShown: (event: EventColumns) => boolean = () => true): Promise<string> {
    const entries = await this.#source.entries(from, to);
    const checkpoints = await this.#checkpoints({ from, to });
    let lines = '';
    let gap: SubtreeRun | undefined;
    let isRemoved = false;
    const closeGap = () => {
      if (gap !== undefined) lines += gapLine(gap.from, gap.to, gap.hashes, isRemoved);
      gap = undefined;
    };
    for (let index = from; index < to; index += 1) {
      const entry = entries[index - from];
      if (entry?.index !== index || entry.event === 'missing') throw damaged(`Entry ${index} is missing.`);
      if (typeof entry.event === 'string' || !isShown(entry.event)) {
        if ((entry.event === 'removed') !== isRemoved) closeGap();
        isRemoved = entry.event === 'removed';
        gap ??= new SubtreeRun(index);
        gap.append(entry.leafHash);
      } else {
        closeGap();
        lines += this.#entry(entry, entry.event);
      }
      if (this.#changes.has(index + 1)) closeGap();
      const note = checkpoints.get(index + 1);
      if (note === undefined) continue;
      closeGap();
      lines += line({ checkpoint: note });
    }
    closeGap();
    return lines;
  }

  #entry(entry: LogEntry, shown: EventColumns): string {
    const { index, event, addressPrefix } = entryJson(entry);
    if (index < this.#size && isOpeningGone(shown, entry.addressPrefix)) this.#missing.note(index, shown);
    this.#missing.follow(shown);
    return line({ index, event, addressPrefix });
  }

  /** The kept ones below the one that the bundle is about, by size. */
  async #checkpoints({ from, to }: IndexRange): Promise<ReadonlyMap<number, string>> {
    const kept = from < this.#size ? await this.#source.checkpoints(from, Math.min(to, this.#size - 1)) : [];
    return new Map(kept.map(({ note }) => [parseCheckpoint(parseNote(note).text).size, note]));
  }

  async #subtrees(from: number, to: number): Promise<Uint8Array[]> {
    const nodes = nodesFromTiles(this.#size, async (level, index, width) => {
      const [tile] = await this.#source.tiles([{ level, index, width }]);
      if (tile?.hashes.length !== width * HASH_LENGTH) throw damaged(`Tile ${level}/${index} is missing.`);
      return tile.hashes;
    });
    return readSubtrees(nodes, from, to);
  }
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;

const gapLine = (from: number, to: number, hashes: readonly Uint8Array[], isRemoved = false): string =>
  line({ from, to, hashes: hashes.map(toBase64), ...(isRemoved ? { removed: true } : {}) });

const damaged = (detail: string) => new AuditLogError('audit-log.damaged', { detail });
