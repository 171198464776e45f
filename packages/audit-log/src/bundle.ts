/**
 * A part of the log in one file that can be verified offline: JSON lines, written and read in flat memory. Entries that are not shown are
 * stood for by the subtrees over them, so that the tree up to the signed checkpoint can be computed from the file alone.
 */
import { fromBase64, toBase64 } from '@strongroom/kernel';
import { entryJson, readEventJson, readOpeningJson, fields, text } from './entry-json.ts';
import { eventLeaf, type EventColumns, opens } from './entry.ts';
import { AuditLogError } from './errors.ts';
import { Judgement, type StatedRoot, type Yardstick } from './internal/judgement.ts';
import { MissingOpenings } from './internal/missing-openings.ts';
import { readSubtrees, SubtreeRun, subtreesOf } from './internal/subtrees.ts';
import type { LogEntry, LogSource } from './log-source.ts';
import { CompactTree, emptyRoot, HASH_LENGTH } from './merkle.ts';
import { nodesFromTiles } from './proofs.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { type IndexRange, readRun, RETENTION_RUN } from './retention.ts';
import { parseNote } from './signed-note.ts';
import { parseTlogProof } from './tlog-proof-text.ts';
import { TILE_WIDTH } from './tiles.ts';
import type { Verdict } from './verify-log.ts';

const FORMAT = 'strongroom-audit-bundle';
const VERSION = 1;

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
 * The lines of a bundle, each with its newline. Throws `audit-log.no-checkpoint` for an empty log and `audit-log.damaged` where an entry or a
 * tile is gone: then verification of the log itself says more.
 */
export async function* writeBundle(source: LogSource, options: BundleOptions): AsyncIterable<string> {
  const newest = await source.newestCheckpoint();
  if (newest === null) throw new AuditLogError('audit-log.no-checkpoint');
  const { origin, size } = parseCheckpoint(parseNote(newest.note).text);
  const from = Math.min(options.from ?? 0, size);
  const to = Math.max(from, Math.min(options.to ?? size, size));
  const handovers = (await source.handovers?.()) ?? [];
  // The tree must show the roots at which keys changed: a gap ends there.
  const changes = new Set(handovers.map((handover) => parseTlogProof(handover).index + 1));
  yield line({
    format: FORMAT,
    version: VERSION,
    origin,
    size,
    keys: options.keys,
    ...(handovers.length === 0 ? {} : { handovers }),
    checkpoint: newest.note,
  });
  yield* outerGap(source, size, { from: 0, to: from }, changes);
  for (let start = from; start < to; start += PAGE) {
    yield* writePage(source, { from: start, to: Math.min(to, start + PAGE) }, size, changes);
    options.onProgress?.(Math.min(to, start + PAGE) - from, to - from);
  }
  yield* outerGap(source, size, { from: to, to: size }, changes);
}

async function* outerGap(
  source: LogSource,
  size: number,
  { from, to }: IndexRange,
  changes: ReadonlySet<number>,
): AsyncIterable<string> {
  const ends = [...[...changes].filter((change) => change > from && change < to).toSorted((a, b) => a - b), to];
  let start = from;
  for (const end of ends) {
    if (start < end) yield gapLine(start, end, await outerSubtrees(source, size, start, end));
    start = end;
  }
}

async function* writePage(
  source: LogSource,
  { from, to }: IndexRange,
  size: number,
  changes: ReadonlySet<number>,
): AsyncIterable<string> {
  const entries = await source.entries(from, to);
  const checkpoints = new Map(
    (await source.checkpoints(from, to)).map(({ note }) => [parseCheckpoint(parseNote(note).text).size, note]),
  );
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
    if (typeof entry.event === 'string') {
      if ((entry.event === 'removed') !== isRemoved) closeGap();
      isRemoved = entry.event === 'removed';
      gap ??= new SubtreeRun(index);
      gap.append(entry.leafHash);
    } else {
      closeGap();
      lines += entryLine(entry);
    }
    if (changes.has(index + 1)) closeGap();
    const note = checkpoints.get(index + 1);
    if (note !== undefined && index + 1 < size) {
      closeGap();
      lines += line({ checkpoint: note });
    }
  }
  closeGap();
  yield lines;
}

async function outerSubtrees(source: LogSource, size: number, from: number, to: number): Promise<Uint8Array[]> {
  const nodes = nodesFromTiles(size, async (level, index, width) => {
    const [tile] = await source.tiles([{ level, index, width }]);
    if (tile?.hashes.length !== width * HASH_LENGTH) throw damaged(`Tile ${level}/${index} is missing.`);
    return tile.hashes;
  });
  return readSubtrees(nodes, from, to);
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;

function entryLine(entry: LogEntry): string {
  const { index, event, addressPrefix } = entryJson(entry);
  return line({ index, event, addressPrefix });
}

const gapLine = (from: number, to: number, hashes: readonly Uint8Array[], isRemoved = false): string =>
  line({ from, to, hashes: hashes.map(toBase64), ...(isRemoved ? { removed: true } : {}) });

const damaged = (detail: string) => new AuditLogError('audit-log.damaged', { detail });

export interface BundleYardstick extends Omit<Yardstick, 'keys'> {
  /** Those the bundle names when absent: that shows damage, but not a forger who signed with keys of their own. */
  readonly keys?: readonly string[] | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface BundleVerdict extends Verdict {
  readonly origin: string;
}

/**
 * `lines`: without their newlines. A bundle shows the log up to its own checkpoint, so one that is older than what was seen elsewhere is not
 * called cut. Throws `audit-log.invalid-bundle` for what is no bundle at all, and where a size seen elsewhere lies within entries that are
 * not shown: then there is nothing to compare.
 */
export async function verifyBundle(lines: AsyncIterable<string>, options: BundleYardstick): Promise<BundleVerdict> {
  let reader: BundleReader | undefined;
  for await (const content of lines) {
    const value = parseLine(content);
    if (reader === undefined) reader = await BundleReader.begin(value, options);
    else await reader.line(value);
  }
  if (reader === undefined) throw invalid('It is empty.');
  return reader.verdict();
}

function parseLine(content: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw invalid('A line is not JSON.', cause);
  }
  throw invalid('A line is not a JSON object.');
}

interface Header {
  readonly origin: string;
  readonly size: number;
  readonly keys: readonly string[];
  readonly handovers: readonly string[];
  readonly checkpoint: string;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function readHeader(value: Readonly<Record<string, unknown>>): Header {
  const { format, version, origin, size, keys, handovers = [], checkpoint } = value;
  if (format !== FORMAT || version !== VERSION) throw invalid('It has another format or version.');
  const isComplete =
    typeof origin === 'string' &&
    isCount(size) &&
    isTexts(keys) &&
    keys.length <= MAXIMUM_KEYS &&
    isTexts(handovers) &&
    typeof checkpoint === 'string';
  if (!isComplete) throw invalid('Its first line is not complete.');
  return { origin, size, keys, handovers, checkpoint };
}

const MAXIMUM_KEYS = 16;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

class BundleReader {
  readonly #header: Header;
  readonly #judgement: Judgement;
  readonly #elsewhere: Map<number, StatedRoot[]>;
  readonly #onProgress: BundleYardstick['onProgress'];
  readonly #tree = new CompactTree();
  readonly #missing = new MissingOpenings();
  readonly #removedGaps: IndexRange[] = [];
  #removed = 0;
  #verified = 0;
  #withheld = 0;

  private constructor(header: Header, judgement: Judgement, options: BundleYardstick) {
    this.#header = header;
    this.#judgement = judgement;
    this.#elsewhere = judgement.statedElsewhere(0, header.size);
    this.#onProgress = options.onProgress;
  }

  static async begin(first: Readonly<Record<string, unknown>>, options: BundleYardstick): Promise<BundleReader> {
    const header = readHeader(first);
    const { keys = header.keys } = options;
    const handovers = [...header.handovers, ...(options.handovers ?? [])];
    const judgement = await Judgement.by({ ...options, keys, handovers });
    return new BundleReader(header, judgement, options);
  }

  async line(value: Readonly<Record<string, unknown>>): Promise<void> {
    if ('index' in value) this.#entry(value);
    else if ('hashes' in value) this.#gap(value);
    else await this.#checkpoint(value);
  }

  async verdict(): Promise<BundleVerdict> {
    const { origin, size, checkpoint } = this.#header;
    let signed: { root: Uint8Array; timestamp: number | null } | undefined;
    try {
      const read = await this.#judgement.verify(checkpoint);
      signed = read;
      if (read.size !== size || read.origin !== origin) this.#report('the first line', 'it is not what is signed');
      if (this.#tree.size === read.size) {
        const same = toBase64(this.#tree.root()) === toBase64(read.root);
        if (!same) this.#report(`checkpoint ${read.size}`, 'its root is not that of the entries');
      }
    } catch (error) {
      if (!(error instanceof AuditLogError)) throw error;
      this.#report(`checkpoint ${size}`, error.message);
    }
    if (this.#tree.size !== size) {
      this.#report(`entry ${this.#tree.size}`, `the bundle ends before the ${size} entries of its checkpoint`);
    }
    for (const { where, what } of this.#missing.findings()) this.#report(where, what);
    const [uncompared] = this.#elsewhere.keys();
    if (uncompared !== undefined && this.#judgement.findings.list.length === 0) {
      throw invalid(`It does not show the tree of ${uncompared} entries, which was seen elsewhere.`);
    }
    const { findings, standing, witnessedSize } = this.#judgement;
    return {
      ok: findings.list.length === 0,
      standing,
      witnessedSize,
      origin,
      keys: this.#judgement.verifier.keys,
      size,
      root: signed?.root ?? emptyRoot(),
      signedAt: signed?.timestamp ?? null,
      verifiedEntries: this.#verified,
      // What nothing shown here accounts for is no more than withheld.
      withheldEntries: this.#withheld - this.#removed,
      redactedEntries: this.#missing.redacted,
      removedEntries: this.#removed,
      findings: findings.list,
      moreFindings: findings.more,
    };
  }

  #report(where: string, what: string): void {
    this.#judgement.report(where, what);
  }

  #entry(value: Readonly<Record<string, unknown>>): void {
    const index = this.#tree.size;
    if (value['index'] !== index) throw invalid(`Entry ${index} is not where it belongs.`);
    try {
      const { event: eventValue, addressPrefix } = fields(value, 3);
      const event = readEventJson(eventValue);
      const opening = readOpeningJson(addressPrefix);
      const commitment = event.addressCommitment;
      const place = `event ${index}, column address_prefix`;
      if (commitment === null && opening !== null) this.#report(place, 'a value is shown that was never logged');
      if (commitment !== null && opening === null) this.#missing.note(index, event);
      if (commitment !== null && opening !== null && !opens(commitment, opening)) {
        this.#report(place, 'salt or value are not those that were logged');
      }
      this.#missing.follow(event);
      this.#judgement.followKeys(index, event);
      this.#removed += accountedBy(event, this.#removedGaps);
      this.#verified += 1;
      this.#tree.append(eventLeaf(event));
    } catch (error) {
      if (!(error instanceof AuditLogError) || error.code === 'audit-log.invalid-bundle') throw error;
      this.#report(`event ${index}`, error.message);
      // Whatever the hash was, this is not it: the root will tell that, too.
      this.#tree.append(emptyRoot());
    }
    this.#grown();
  }

  #gap(value: Readonly<Record<string, unknown>>): void {
    const { from, to, hashes } = value;
    const isRun = isCount(from) && isCount(to) && from === this.#tree.size && to > from && to <= this.#header.size;
    if (!isRun || !Array.isArray(hashes)) throw invalid(`What stands for entry ${this.#tree.size} is not readable.`);
    const subtrees = [...subtreesOf(from, to)];
    if (subtrees.length !== hashes.length) throw invalid(`Hashes are missing after entry ${from}.`);
    for (const [position, { height }] of subtrees.entries()) {
      this.#tree.appendSubtree(height, readHash(hashes[position]));
      this.#grown();
    }
    this.#withheld += to - from;
    if (value['removed'] === true) this.#removedGaps.push({ from, to });
  }

  async #checkpoint(value: Readonly<Record<string, unknown>>): Promise<void> {
    const note = text(fields(value, 1), 'checkpoint');
    const place = `checkpoint ${this.#tree.size}`;
    try {
      const { size, root } = await this.#judgement.verify(note);
      if (size !== this.#tree.size) this.#report(place, 'it stands after another entry than its last one');
      else this.#judgement.compare([{ root, where: place }], this.#tree.root());
    } catch (error) {
      if (!(error instanceof AuditLogError)) throw error;
      this.#report(place, error.message);
    }
  }

  #grown(): void {
    const { size } = this.#tree;
    if (size > this.#header.size) throw invalid('It has more entries than its checkpoint.');
    const stated = this.#elsewhere.get(size);
    if (stated !== undefined) this.#judgement.compare(stated, this.#tree.root());
    this.#elsewhere.delete(size);
    if (size % PAGE === 0) this.#onProgress?.(size, this.#header.size);
  }
}

/**
 * How many of the entries in `gaps`, which ascend, this one says it removed. A bundle may begin after an entry that set periods or holds, so whether they were
 * obeyed is for the verification of the log.
 */
function accountedBy(event: EventColumns, gaps: readonly IndexRange[]): number {
  if (event.type !== RETENTION_RUN || event.outcome !== 'success') return 0;
  let count = 0;
  for (const { from, to } of readRun(event)?.ranges ?? []) {
    for (let place = firstEndingAfter(gaps, from); place < gaps.length && gaps[place]!.from < to; place += 1) {
      count += Math.min(to, gaps[place]!.to) - Math.max(from, gaps[place]!.from);
    }
  }
  return count;
}

function firstEndingAfter(gaps: readonly IndexRange[], index: number): number {
  let low = 0;
  for (let high = gaps.length; low < high;) {
    const middle = Math.floor((low + high) / 2);
    if (gaps[middle]!.to > index) high = middle;
    else low = middle + 1;
  }
  return low;
}

function readHash(value: unknown): Uint8Array {
  try {
    const hash = fromBase64(typeof value === 'string' ? value : '');
    if (hash.length === HASH_LENGTH) return hash;
  } catch (cause) {
    throw invalid('A hash is not readable.', cause);
  }
  throw invalid('A hash has the wrong length.');
}

const invalid = (detail: string, cause?: unknown) => new AuditLogError('audit-log.invalid-bundle', { detail, cause });
