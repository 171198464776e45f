/**
 * Verification of a whole log, from the columns of every event up to the signed checkpoint. Reads each entry once, in flat memory, and
 * names the place of whatever does not fit. Runs in browsers and in Node.
 */
import { equalBytes } from '@strongroom/kernel';
import { checkEntry } from './check-entry.ts';
import type { VerifiedCheckpoint } from './checkpoint.ts';
import { AuditLogError } from './errors.ts';
import { Judgement, type StatedRoot, type Standing, type Yardstick } from './internal/judgement.ts';
import { MissingOpenings } from './internal/missing-openings.ts';
import { Removals } from './internal/removals.ts';
import { tileName, tilePlaces } from './internal/tile-places.ts';
import { settleBlock } from './internal/settle-block.ts';
import type { CheckedEntry, Finding, LogSource, StoredCheckpoint, StoredTile } from './log-source.ts';
import { CompactTree, emptyRoot, HASH_LENGTH } from './merkle.ts';
import {
  type FullTile,
  hashAt,
  partialTiles,
  TILE_WIDTH,
  TileBuilder,
  type TilePlace,
  type TileStart,
} from './tiles.ts';

export type { RememberedCheckpoint, Standing, Yardstick } from './internal/judgement.ts';

export interface VerifyOptions extends Yardstick {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface Verdict {
  readonly ok: boolean;
  /** Of the newest checkpoint. Remember both when `ok`. */
  readonly size: number;
  readonly root: Uint8Array;
  /** Seconds since the epoch at which the newest checkpoint says it was signed. */
  readonly signedAt: number | null;
  /** Entries whose columns were compared with the tree. */
  readonly verifiedEntries: number;
  /** Entries of which the source showed only the leaf hash, or only a hash above it. */
  readonly withheldEntries: number;
  /** Entries whose address was deleted because the person was forgotten; an entry of the log says so for each. */
  readonly redactedEntries: number;
  /** Entries whose content a retention run removed; an entry of the log says so for each. */
  readonly removedEntries: number;
  readonly standing: Standing;
  /** Size of the largest checkpoint that a quorum of witnesses cosigned; 0 when there is none, or no policy was given. */
  readonly witnessedSize: number;
  /** Verifier keys to trust from now on: those the verdict was made with, or the ones they led to. */
  readonly keys: readonly string[];
  readonly findings: readonly Finding[];
  /** True when there were more findings than are listed. */
  readonly moreFindings: boolean;
}

/** Entries read at once: sixteen tiles. Measured: half as many cost a tenth more, twice as many only hold more memory. */
const PAGE = 16 * TILE_WIDTH;

/** Pages read ahead of the one that is hashed: where the database answers two at once, it keeps up with the hashing. */
const PAGES_AHEAD = 4;

/** Verifications of a log whose keys change meanwhile: the last one stands. */
const BEGINNINGS = 3;

/** How often a verification goes on to a newer checkpoint at most, whatever the source shows of it. */
const CONTINUATIONS = 3;

const MICROSECONDS = 1_000_000;

/**
 * Never throws because of what the log holds; rejects when the source does, with the signal's reason, or for keys and notes from elsewhere that
 * are none of a log.
 */
export async function verifyLog(source: LogSource, options: VerifyOptions): Promise<Verdict> {
  for (let beginning = 1; ; beginning += 1) {
    const shown = await handoversOf(source);
    const judgement = await Judgement.by({ ...options, handovers: [...shown, ...(options.handovers ?? [])] });
    const verdict = await new Verification(source, judgement, options).verdict();
    // What new keys signed is not signed for whoever has not heard of them.
    const isFinal = verdict.ok || beginning === BEGINNINGS || (await handoversOf(source)).length === shown.length;
    if (isFinal) return verdict;
  }
}

const handoversOf = async (source: LogSource): Promise<readonly string[]> => (await source.handovers?.()) ?? [];

type Head = Pick<VerifiedCheckpoint, 'size' | 'root' | 'timestamp'>;

/** Everything that is read of sixteen tiles. */
interface Page {
  readonly to: number;
  readonly places: readonly TilePlace[];
  readonly expected: ReadonlyMap<number, readonly StatedRoot[]>;
  readonly entries: ReadonlyMap<number, CheckedEntry>;
  readonly tiles: readonly (StoredTile | null)[];
}

class Verification {
  readonly #source: LogSource;
  readonly #judgement: Judgement;
  readonly #options: VerifyOptions;
  readonly #missing = new MissingOpenings();
  readonly #removals = new Removals();
  /** The newest one that was read; its size is that of the verified log. */
  #checkpoint: Head | null = { size: 0, root: emptyRoot(), timestamp: null };
  /** Entries that were read up to a former checkpoint, or are shown no more. */
  #readBefore = 0;
  #verified = 0;
  #withheld = 0;
  readonly #fullTiles: FullTile[] = [];
  #builder = this.#builderFrom({ size: 0, edge: [] });

  constructor(source: LogSource, judgement: Judgement, options: VerifyOptions) {
    this.#source = source;
    this.#judgement = judgement;
    this.#options = options;
  }

  async verdict(): Promise<Verdict> {
    const newest = await this.#source.newestCheckpoint();
    // Meanwhile, since a database looks for them as long as a tenth of the log takes.
    const strays = this.#source.strays();
    strays.catch(() => undefined);
    if (newest !== null) await this.#readUpTo(await this.#readCheckpoint(newest));
    await this.#goOn();
    if (this.#checkpoint !== null) this.#judgement.compareSizes(this.#checkpoint.size);
    for (const { where, what } of this.#removals.findings()) this.#report(where, what);
    for (const { where, what } of this.#missing.findings()) this.#report(where, what);
    for (const { where, what } of await strays) this.#report(where, what);
    const { findings, standing, witnessedSize } = this.#judgement;
    return {
      ok: findings.list.length === 0,
      standing,
      witnessedSize,
      size: this.#checkpoint?.size ?? 0,
      root: this.#checkpoint?.root ?? emptyRoot(),
      signedAt: this.#checkpoint?.timestamp ?? null,
      verifiedEntries: this.#verified,
      withheldEntries: this.#withheld,
      redactedEntries: this.#missing.redacted,
      removedEntries: this.#removals.removed,
      keys: this.#judgement.verifier.keys,
      findings: findings.list,
      moreFindings: findings.more,
    };
  }

  async #readUpTo(checkpoint: Head | null): Promise<void> {
    this.#checkpoint = checkpoint;
    if (checkpoint === null) return;
    if (this.#builder.size === 0) await this.#passPruned(checkpoint.size);
    this.#readBefore = this.#builder.size;
    await this.#scan(checkpoint);
    await this.#compareEdge(checkpoint.size);
    if (!equalBytes(this.#builder.root(), checkpoint.root)) {
      this.#report(`checkpoint ${checkpoint.size}`, 'its root is not that of the entries');
    }
  }

  #builderFrom(start: TileStart): TileBuilder {
    return new TileBuilder(start, (tile) => this.#fullTiles.push(tile));
  }

  /** Goes on from where the log begins to be shown. Throws `audit-log.invalid-tiles` where that leaves out what was seen elsewhere. */
  async #passPruned(size: number): Promise<void> {
    const start = await this.#source.pruned?.(size);
    if (start === undefined || start.size === 0) return;
    const [unseen] = this.#judgement.statedElsewhere(0, start.size - 1).keys();
    if (unseen !== undefined) {
      const detail = `There is nothing left with which a checkpoint over ${unseen} entries could be compared.`;
      throw new AuditLogError('audit-log.invalid-tiles', { detail });
    }
    this.#builder = this.#builderFrom(start);
    this.#withheld += start.size;
    for (const stated of this.#judgement.statedElsewhere(start.size - 1, start.size).values()) {
      this.#judgement.compare(stated, this.#builder.root());
    }
  }

  /**
   * As long as something is gone whose reason may be an entry behind those that were read: waits for that entry, and reads the log up to there. What is
   * gone stays a finding when nothing accounts for it although it had the time.
   */
  async #goOn(): Promise<void> {
    let waitedFor = 0;
    for (let times = 0; times < CONTINUATIONS && this.#lacksReason(waitedFor); times += 1) {
      waitedFor = this.#builder.size;
      await this.#source.settled?.();
      this.#options.signal?.throwIfAborted();
      const newest = await this.#source.newestCheckpoint();
      if (newest === null || this.#builder.size !== this.#checkpoint?.size) return;
      const next = await this.#readCheckpoint(newest);
      if (next === null || next.size <= this.#checkpoint.size) return;
      await this.#readUpTo(next);
    }
  }

  /** For something that is gone from the entries behind the first `after`. */
  #lacksReason(after: number): boolean {
    return this.#missing.isUnaccounted(after) || (after === 0 && this.#removals.unaccounted > 0);
  }

  #report(where: string, what: string): void {
    this.#judgement.report(where, what);
  }

  /** Checks note, signatures and the columns beside it; `null` when there is no checkpoint to go on with. */
  async #readCheckpoint(stored: StoredCheckpoint): Promise<VerifiedCheckpoint | null> {
    const { columns } = stored;
    const place = columns === undefined ? 'newest checkpoint' : `checkpoint ${columns.size}`;
    try {
      const checkpoint = await this.#judgement.verify(stored.note);
      if (columns !== undefined) {
        if (columns.size !== checkpoint.size) this.#report(place, 'column size differs from the signed note');
        if (!equalBytes(columns.root, checkpoint.root)) this.#report(place, 'column root differs from the signed note');
        if (checkpoint.timestamp !== null && columns.signedAt !== checkpoint.timestamp * MICROSECONDS) {
          this.#report(place, 'column signed_at differs from the signed time');
        }
      }
      return checkpoint;
    } catch (error) {
      if (!(error instanceof AuditLogError)) throw error;
      this.#report(place, error.message);
      // The columns are worth nothing as evidence, but comparing with them may still name what else was touched.
      return columns === undefined ? null : { ...columns, origin: this.#judgement.verifier.origin, timestamp: null };
    }
  }

  async #scan({ size, root }: { readonly size: number; readonly root: Uint8Array }): Promise<void> {
    const start = this.#readBefore;
    const ahead: Promise<Page>[] = [];
    let wanted = start - (start % TILE_WIDTH);
    for (let from = wanted; from < size; from += PAGE) {
      this.#options.signal?.throwIfAborted();
      for (; wanted < size && ahead.length <= PAGES_AHEAD; wanted += PAGE) {
        const page = this.#readPage(wanted, start, size);
        page.catch(() => undefined);
        ahead.push(page);
      }
      const { to, places, expected, entries, tiles } = await ahead.shift()!;
      if (entries.size === 0 && tiles.every((tile) => tile === null)) {
        // Whoever deletes a log, or states an absurd size, must not keep its verifier busy forever.
        this.#report(`leaf ${from}`, 'it is missing, and so is everything after it');
        return;
      }
      for (const [position, place] of places.entries()) {
        this.#block(place, entries, tiles[position] ?? null, root, expected);
      }
      await this.#compareFullTiles();
      this.#options.onProgress?.(to, size);
    }
  }

  /** The tiles from `from` on, and of their entries those that were not read before: the ones from `start` on. */
  async #readPage(from: number, start: number, size: number): Promise<Page> {
    const to = Math.min(size, from + PAGE);
    const places = tilePlaces(from, to, size);
    const first = Math.max(from, start);
    const [expected, list, tiles] = await Promise.all([
      this.#expectedRoots(first, to),
      this.#checkedEntries(first, to),
      this.#source.tiles(places),
    ]);
    const entries = new Map<number, CheckedEntry>();
    for (const entry of list) {
      if (entries.has(entry.index)) this.#report(`leaf ${entry.index}`, STORED_TWICE);
      entries.set(entry.index, entry);
    }
    return { to, places, expected, entries, tiles };
  }

  async #checkedEntries(from: number, to: number): Promise<readonly CheckedEntry[]> {
    const checked = this.#source.checkedEntries?.(from, to);
    return checked ?? (await this.#source.entries(from, to)).map((entry) => checkEntry(entry));
  }

  /** Sizes at which some checkpoint states a root, within one page. */
  async #expectedRoots(from: number, to: number): Promise<Map<number, StatedRoot[]>> {
    const expected = this.#judgement.statedElsewhere(from, to);
    for (const stored of await this.#source.checkpoints(from, to)) {
      const checkpoint = await this.#readCheckpoint(stored);
      if (checkpoint === null) continue;
      const { size, root } = checkpoint;
      expected.set(size, [...(expected.get(size) ?? []), { root, where: `checkpoint ${size}` }]);
    }
    return expected;
  }

  #block(
    place: TilePlace,
    entries: ReadonlyMap<number, CheckedEntry>,
    tile: StoredTile | null,
    signedRoot: Uint8Array,
    expected: ReadonlyMap<number, readonly StatedRoot[]>,
  ): void {
    const before = this.#builder.fork();
    const from = before.size;
    const end = place.index * TILE_WIDTH + place.width;
    // Of a tile that has grown since it was read.
    const known = from % TILE_WIDTH === 0 ? NOTHING : this.#builder.edge()[0]!;
    const stored = this.#tileHashes(place, tile);
    if (stored !== null && !equalBytes(stored.subarray(0, known.length), known)) {
      this.#report(tileName(place), HASHES_DIFFER);
    }
    const fromEvents: (Uint8Array | null)[] = [];
    const fromLeaves: (Uint8Array | null)[] = [];
    for (let index = from; index < end; index += 1) {
      const entry = entries.get(index);
      fromLeaves.push(this.#storedLeaf(index, entry));
      fromEvents.push(entry?.computed ?? null);
      if (entry !== undefined) this.#follow(entry);
    }
    const root = tile?.root;
    const authentic = (hashes: readonly Uint8Array[]): boolean => {
      if (place.width < TILE_WIDTH) return equalBytes(rootOf(before.fork(), hashes), signedRoot);
      return root !== undefined && equalBytes(rootOf(new CompactTree(), [...hashesIn(known), ...hashes]), root);
    };
    const rest = stored?.subarray(known.length) ?? null;
    const block = { from, width: end - from, fromEvents, fromLeaves, tile: rest, tileName: tileName(place) };
    const settled = settleBlock(block, authentic, ({ where, what }) => this.#report(where, what));
    this.#append(settled, expected);
    if (place.width === TILE_WIDTH && root !== undefined) {
      const computed = this.#fullTiles.findLast(({ level }) => level === 0)!.root;
      if (!equalBytes(root, computed)) this.#report(tileName(place), ROOT_DIFFERS);
    }
  }

  #append(settled: readonly Uint8Array[], expected: ReadonlyMap<number, readonly StatedRoot[]>): void {
    for (const hash of settled) {
      this.#builder.append(hash);
      const stated = expected.get(this.#builder.size);
      if (stated !== undefined) this.#judgement.compare(stated, this.#builder.root());
    }
  }

  #storedLeaf(index: number, entry: CheckedEntry | undefined): Uint8Array | null {
    if (entry?.leafHash.length === HASH_LENGTH) return entry.leafHash;
    this.#report(`leaf ${index}`, entry === undefined ? 'it is missing' : 'it has the wrong length');
    return null;
  }

  /** What the entry means for those before it. */
  #follow({ index, state, remark }: CheckedEntry): void {
    if (state === 'missing' || state === 'removed') {
      // Whichever the source calls it: an entry further on proves that it was removed, or nothing does.
      this.#removals.note(index);
    } else if (state === 'withheld') this.#withheld += 1;
    else this.#verified += 1;
    if (remark === null) return;
    const { event, lacks, findings } = remark;
    if (lacks === 'opening') this.#missing.note(index, event);
    if (lacks === 'key') this.#missing.noteErased();
    this.#missing.follow(event);
    this.#judgement.followKeys(index, event);
    for (const { where, what } of [...findings, ...this.#removals.follow(index, event, this.#readBefore)])
      this.#report(where, what);
  }

  #tileHashes(place: TilePlace, tile: StoredTile | null): Uint8Array | null {
    if (tile === null) {
      this.#report(tileName(place), 'it is missing');
      return null;
    }
    if (tile.hashes.length === place.width * HASH_LENGTH) return tile.hashes;
    this.#report(tileName(place), 'it has the wrong length');
    return null;
  }

  /** The full tiles above level 0 since the last call; those at level 0 were settled with their entries. */
  async #compareFullTiles(): Promise<void> {
    const complete = this.#fullTiles.splice(0).filter(({ level }) => level > 0);
    if (complete.length === 0) return;
    const places = complete.map(({ level, index }) => ({ level, index, width: TILE_WIDTH }));
    const stored = await this.#source.tiles(places);
    for (const [position, tile] of complete.entries()) {
      const place = places[position]!;
      const found = stored[position] ?? null;
      this.#compareHashes(place, found, tile.hashes);
      if (found?.root !== undefined && !equalBytes(found.root, tile.root)) {
        this.#report(tileName(place), ROOT_DIFFERS);
      }
    }
  }

  /** Partial tiles above level 0; the one at level 0 was settled with its entries. */
  async #compareEdge(size: number): Promise<void> {
    const places = partialTiles(size).filter(({ level }) => level > 0);
    if (places.length === 0 || this.#builder.size < size) return;
    const hashes = this.#builder.edge().slice(-places.length);
    const stored = await this.#source.tiles(places);
    for (const [position, place] of places.entries()) {
      this.#compareHashes(place, stored[position] ?? null, hashes[position]!);
    }
  }

  #compareHashes(place: TilePlace, stored: StoredTile | null, computed: Uint8Array): void {
    const hashes = this.#tileHashes(place, stored);
    if (hashes !== null && !equalBytes(hashes, computed)) {
      this.#report(tileName(place), HASHES_DIFFER);
    }
  }
}

/** It, its event or its opening; whichever of them a search would show. */
const STORED_TWICE = 'it is stored twice';

const HASHES_DIFFER = 'its hashes are not those of the leaves under it';

const ROOT_DIFFERS = 'its stored root is not that of its hashes';

const NOTHING = new Uint8Array(0);

const hashesIn = (tile: Uint8Array): Uint8Array[] =>
  Array.from({ length: tile.length / HASH_LENGTH }, (_, position) => hashAt(tile, position));

function rootOf(tree: CompactTree, hashes: readonly Uint8Array[]): Uint8Array {
  for (const hash of hashes) tree.append(hash);
  return tree.root();
}
