/** Where verification reads a log from: the database, or a server over HTTP. */
import type { EventColumns, Opening } from './entry.ts';
import type { TilePlace, TileStart } from './tiles.ts';

export interface LogEntry {
  readonly index: number;
  /** Stored leaf hash, 32 bytes. */
  readonly leafHash: Uint8Array;
  /**
   * `missing`: there should be one. `removed`: the source says that a retention run removed it; the proof is the run's entry. `withheld`: the reader may not see it; only its leaf hash takes part. `foreign`: the leaf hash was
   * computed from the bytes of an entry whose meaning is not known here.
   */
  readonly event: EventColumns | 'missing' | 'removed' | 'withheld' | 'foreign';
  /** Salt and value behind `addressCommitment`; `null` when there is none stored. */
  readonly addressPrefix: Opening | null;
  /** One is stored, and the key it was encrypted with was destroyed: as good as forgotten, whether or not an entry says so already. Told by the own database alone. */
  readonly isErased?: boolean;
}

export interface StoredTile {
  /** 32 bytes for each hash. */
  readonly hashes: Uint8Array;
  /** Root stored beside a full tile; absent where the source does not show it. */
  readonly root?: Uint8Array;
}

export interface StoredCheckpoint {
  /** The signed note. */
  readonly note: string;
  /** What is stored beside the note; absent where the source does not show it. */
  readonly columns?: {
    readonly size: number;
    readonly root: Uint8Array;
    /** Microseconds since the epoch. */
    readonly signedAt: number;
  };
}

/** Something wrong and where. Shown to people; holds no personal data. */
export interface Finding {
  /** `event 17`, `event 17, column address_prefix`, `leaf 17`, `tile 0/3`, `checkpoint 300` */
  readonly where: string;
  readonly what: string;
}

/** What an entry says by itself (`checkEntry`). */
export interface CheckedEntry {
  readonly index: number;
  /** Stored leaf hash, whatever its length. */
  readonly leafHash: Uint8Array;
  readonly state: EntryState;
  /** Leaf hash by the event's own columns; `null` when there is nothing to compute it from. */
  readonly computed: Uint8Array | null;
  /** `null` for nearly every entry. */
  readonly remark: EntryRemark | null;
}

/** `event`: its columns are there. The others as in `LogEntry`. */
export type EntryState = 'event' | Extract<LogEntry['event'], string>;

export interface EntryRemark {
  readonly event: EventColumns;
  /** Its opening, or the key for it. */
  readonly lacks: 'opening' | 'key' | null;
  readonly findings: readonly Finding[];
}

export interface LogSource {
  /** The newest checkpoint, `null` before the first. */
  newestCheckpoint(): Promise<StoredCheckpoint | null>;
  /** Kept checkpoints with `after` < size ≤ `upTo`, ascending. A source that keeps none answers with an empty list. */
  checkpoints(after: number, upTo: number): Promise<readonly StoredCheckpoint[]>;
  /** Entries with `from` ≤ index < `to`, ascending; those the log lacks are left out. */
  entries(from: number, to: number): Promise<readonly LogEntry[]>;
  /** The same as `checkEntry` finds them, where the source has that done elsewhere. */
  checkedEntries?(from: number, to: number): Promise<readonly CheckedEntry[]>;
  /** One answer for each place, `null` for a tile the log lacks. */
  tiles(places: readonly TilePlace[]): Promise<readonly (StoredTile | null)[]>;
  /**
   * The minimum index of tlog-tiles: of the entries below it some were removed by retention, or all of them are not shown. Absent where nothing ever is.
   */
  minimumIndex?(): Promise<number>;
  /**
   * What stands for the beginning of a log of `size` entries that shows it no more, not even its hashes (tlog-tiles, "Pruning"): what `TileBuilder` starts from.
   * Absent where all leaf hashes are there.
   */
  pruned?(size: number): Promise<TileStart>;
  /** Every change of the keys, as C2SP tlog-proofs in the order of the log (key-succession.ts). Absent where there is none. */
  handovers?(): Promise<readonly string[]>;
  /**
   * Resolves once what was committed before has its place in the log: whoever is forgotten has no openings any more at once, and the entry that says so
   * follows within a second or two. Takes a few seconds at most, whether or not that came about. Absent where nothing changes.
   */
  settled?(): Promise<void>;
  /** What is stored outside of the tree's order: events never sequenced, leaves or tiles beyond the newest checkpoint. */
  strays(): Promise<readonly Finding[]>;
}
