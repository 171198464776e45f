/** Verification of a bundle (write-bundle.ts), from the file alone and in flat memory. */
import { equalBytes, fromBase64 } from '@strongroom/kernel';
import { readEventJson, readOpeningJson, fields, text } from './entry-json.ts';
import { eventLeaf, type EventColumns, opens } from './entry.ts';
import { AuditLogError } from './errors.ts';
import { BUNDLE_FORMAT, BUNDLE_VERSION, isOpeningGone } from './internal/bundle-format.ts';
import { Judgement, type StatedRoot, type Yardstick } from './internal/judgement.ts';
import { MissingOpenings } from './internal/missing-openings.ts';
import { subtreesOf } from './internal/subtrees.ts';
import { CompactTree, emptyRoot, HASH_LENGTH } from './merkle.ts';
import { type IndexRange, readRun, RETENTION_RUN } from './retention.ts';
import type { Verdict } from './verify-log.ts';

/** Entries between two reports of progress. */
const PAGE = 4096;

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
  if (format !== BUNDLE_FORMAT || version !== BUNDLE_VERSION) throw invalid('It has another format or version.');
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
  /** Of the entries that the bundle is about, once they were read. */
  #root: Uint8Array | undefined;
  /** Entries up to the last checkpoint that is part of the bundle. */
  #covered = 0;
  readonly #missing = new MissingOpenings();
  readonly #removedGaps: IndexRange[] = [];
  #removed = 0;
  #verified = 0;
  #withheld = 0;

  private constructor(header: Header, judgement: Judgement, options: BundleYardstick) {
    this.#header = header;
    this.#judgement = judgement;
    this.#elsewhere = judgement.statedElsewhere(0, Number.MAX_SAFE_INTEGER);
    this.#onProgress = options.onProgress;
    if (header.size === 0) this.#root = emptyRoot();
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
      if (this.#root !== undefined && read.size === size && !equalBytes(this.#root, read.root)) {
        this.#report(`checkpoint ${size}`, 'its root is not that of the entries');
      }
    } catch (error) {
      if (!(error instanceof AuditLogError)) throw error;
      this.#report(`checkpoint ${size}`, error.message);
    }
    if (this.#tree.size < size) {
      this.#report(`entry ${this.#tree.size}`, `the bundle ends before the ${size} entries of its checkpoint`);
    }
    if (this.#tree.size > size && this.#covered < this.#tree.size) {
      this.#report(`entry ${Math.max(size, this.#covered)}`, 'no checkpoint of the bundle covers it');
    }
    for (const { where, what } of this.#missing.findings()) this.#report(where, what);
    const uncompared = [...this.#elsewhere.keys()].find((seen) => seen <= size);
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

  /** Whether what comes now is behind the entries that the bundle is about: it only says what became of those. */
  get #isBehind(): boolean {
    return this.#tree.size >= this.#header.size;
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
      const isBehind = this.#isBehind;
      if (commitment === null && opening !== null) this.#report(place, 'a value is shown that was never logged');
      if (!isBehind && isOpeningGone(event, opening)) this.#missing.note(index, event);
      if (commitment !== null && opening !== null && !opens(commitment, opening)) {
        this.#report(place, 'salt or value are not those that were logged');
      }
      this.#missing.follow(event);
      this.#judgement.followKeys(index, event);
      this.#removed += accountedBy(event, this.#removedGaps);
      if (!isBehind) this.#verified += 1;
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
    const isBehind = this.#isBehind;
    const end = isBehind ? Number.MAX_SAFE_INTEGER : this.#header.size;
    const isRun = isCount(from) && isCount(to) && from === this.#tree.size && to > from && to <= end;
    if (!isRun || !Array.isArray(hashes)) throw invalid(`What stands for entry ${this.#tree.size} is not readable.`);
    const subtrees = [...subtreesOf(from, to)];
    if (subtrees.length !== hashes.length) throw invalid(`Hashes are missing after entry ${from}.`);
    for (const [position, { height }] of subtrees.entries()) {
      this.#tree.appendSubtree(height, readHash(hashes[position]));
      this.#grown();
    }
    if (isBehind) return;
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
      this.#covered = this.#tree.size;
    } catch (error) {
      if (!(error instanceof AuditLogError)) throw error;
      this.#report(place, error.message);
    }
  }

  #grown(): void {
    const { size } = this.#tree;
    if (size === this.#header.size) this.#root = this.#tree.root();
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
