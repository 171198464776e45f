/**
 * Entries in the form in which PostgreSQL sends rows (`record_send`): the columns of a million events cost a third of what they cost as JSON, and the
 * leaf hash needs no text of them. `binaryEntry` writes what `EntryPage` reads.
 */
import { type Bytes, equalBytes } from '@strongroom/kernel';
import { type RawBuilder, sql } from 'kysely';
import { sha256 } from '#sha256';
import { checkEntry } from '../check-entry.ts';
import { ENTRY_HEADER, type EventColumns, hasDigests, LEAF_PREFIX, MAXIMUM_ENTRY_LENGTH } from '../entry.ts';
import type { CheckedEntry } from '../log-source.ts';
import { isSealed, type OpenedSeeds, openSealed } from './opening.ts';
import { NOBODY, openingHolders, type ReadingKeys } from './opening-keys.ts';
import { type StoredEntry, withOpenings } from './read-events.ts';

/** Of `audit_leaves as l`, `audit_events as e` and `audit_openings as o`. The sixteen columns of an event in the order of their tags. */
export const binaryEntry = (isRemoved: RawBuilder<unknown>): RawBuilder<unknown> => sql`record_send(row(
  l.index, l.hash, e.event_id, e.occurred_at, e.type, e.outcome, e.reason, e.actor_kind, e.actor, e.actor_via, e.session_id, e.tenant_id, e.request_id,
  e.address_commitment, e.object_type, e.object_id, e.subjects, e.details, o.opening, ${isRemoved}))`;

const INDEX = 0;
const LEAF_HASH = 1;
/** The column with tag 1; the others follow. */
const EVENT = 2;
const TAGS = 16;
const OPENING = EVENT + TAGS;
const IS_REMOVED = OPENING + 1;
const COLUMNS = IS_REMOVED + 1;

/** Tags, docs/format/audit.md. */
const OCCURRED_AT = 2;
const TYPE = 3;
const ACTOR = 7;
const COMMITMENT = 12;
const OBJECT_TYPE = 13;
const SUBJECTS = 15;
const DETAILS = 16;

/** In place of where a pseudonym is. */
const SEVERAL = -1;
const NO_ONE = -2;

const NOTHING = new Uint8Array(0);

/** Microseconds from 1970 to 2000, from where PostgreSQL counts. */
const POSTGRESQL_EPOCH = 946_684_800_000_000;

/** Of an array in binary: dimensions, flags, type, then for the one dimension its length and where it begins to count. PostgreSQL source, `array_send`. */
const ARRAY_HEADER = 20;
const UUID_LENGTH = 16;
/** Length, then the bytes. */
const ARRAY_ITEM = 4 + UUID_LENGTH;

/** Events of the log about itself begin so. */
const OWN_TYPE = Buffer.from('audit.');

/** What is hashed of the longest entry. */
const MAXIMUM_LEAF = 1 + MAXIMUM_ENTRY_LENGTH;

/** What `binaryEntry` makes of many entries, one behind the other. */
export class EntryPage {
  readonly bytes: Bytes;
  /** Where the rows end and the room begins in which each leaf is put together: copying within one array is the fastest way. */
  readonly end: number;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #starts = new Int32Array(COLUMNS);
  /** -1 for NULL. */
  readonly #lengths = new Int32Array(COLUMNS);
  /** Of the row that is looked at. */
  #rowEnd = 0;
  /** Pseudonyms by their bytes, as one character each. */
  readonly #pseudonyms = new Map<string, string>();
  readonly #seeds: OpenedSeeds = new Map();

  /** `bytes`: rows, and behind them room for the longest leaf. Alone in its memory. `end`: of the rows. */
  constructor(bytes: Bytes, end: number) {
    this.bytes = bytes;
    this.end = end;
    bytes[end] = LEAF_PREFIX;
    bytes.set(ENTRY_HEADER, end + 1);
    this.#bytes = Buffer.from(bytes.buffer);
    this.#view = new DataView(bytes.buffer);
  }

  /** `rows`: in base64, which Node reads sixteen times as fast as hexadecimal, the driver's own form. */
  static of(rows: string): EntryPage {
    const bytes = new Uint8Array(Buffer.byteLength(rows, 'base64') + MAXIMUM_LEAF);
    return new EntryPage(bytes, Buffer.from(bytes.buffer).write(rows, 'base64'));
  }

  /** Whose keys its openings need. */
  people(): readonly string[] {
    const people = new Set<string>();
    this.#rowEnd = 0;
    while (this.#next()) {
      if (!this.#isSealed() || this.#isNull(EVENT)) continue;
      const holder = this.#holder();
      if (holder === SEVERAL) for (const person of openingHolders(this.#event())) people.add(person);
      else people.add(this.#pseudonymAt(holder));
    }
    return [...people];
  }

  /** The entries as `checkEntry` finds them. `keys`: of those people. */
  checked(keys: ReadingKeys): CheckedEntry[] {
    const open = withOpenings(keys, this.#seeds);
    const entries: CheckedEntry[] = [];
    this.#rowEnd = 0;
    while (this.#next()) {
      const computed = this.#isNull(EVENT) ? undefined : this.#hash();
      if (computed !== undefined && this.#saysNothing(keys)) {
        const leafHash = this.#isLeafHash(computed) ? computed : (this.#raw(LEAF_HASH) ?? NOTHING);
        entries.push({ index: this.#index(), leafHash, state: 'event', computed, remark: null });
      } else {
        entries.push(checkEntry(open(this.#stored()), computed));
      }
    }
    return entries;
  }

  #next(): boolean {
    if (this.#rowEnd === this.end) return false;
    // The number of columns; and of each its type, before its length.
    this.#rowEnd += 4;
    for (let column = 0; column < COLUMNS; column += 1) {
      const length = this.#view.getInt32(this.#rowEnd + 4);
      this.#rowEnd += 8;
      this.#starts[column] = this.#rowEnd;
      this.#lengths[column] = length;
      if (length > 0) this.#rowEnd += length;
    }
    return true;
  }

  #index(): number {
    return Number(this.#view.getBigInt64(this.#starts[INDEX]!));
  }

  #isLeafHash(computed: Uint8Array): boolean {
    const start = this.#starts[LEAF_HASH]!;
    if (this.#lengths[LEAF_HASH] !== computed.length) return false;
    for (let offset = 0; offset < computed.length; offset += 1) {
      if (this.#bytes[start + offset] !== computed[offset]) return false;
    }
    return true;
  }

  #stored(): StoredEntry {
    const event = this.#isNull(EVENT) ? (this.#isRemoved() ? 'removed' : 'missing') : this.#event();
    return {
      entry: { index: this.#index(), leafHash: this.#raw(LEAF_HASH) ?? NOTHING, event, addressPrefix: null },
      opening: this.#raw(OPENING),
    };
  }

  #isRemoved(): boolean {
    return this.#bytes[this.#starts[IS_REMOVED]!] === 1;
  }

  #isSealed(): boolean {
    return !this.#isNull(OPENING) && isSealed(this.#raw(OPENING)!);
  }

  /** Nothing but its hash, as nearly every entry: it is none of the log about itself, and its opening is there and opens, or there is none. */
  #saysNothing(keys: ReadingKeys): boolean {
    const type = this.#starts[at(TYPE)]!;
    if (this.#bytes.compare(OWN_TYPE, 0, OWN_TYPE.length, type, type + OWN_TYPE.length) === 0) return false;
    const commitment = this.#raw(at(COMMITMENT));
    const opening = this.#raw(OPENING);
    if (commitment === null || opening === null) return commitment === opening;
    const holder = this.#holder();
    const key = holder === SEVERAL ? undefined : keys.get(this.#pseudonymAt(holder));
    if (key === undefined || key === 'erased') return false;
    // Of the former form too little is left to have a short way of its own.
    const salted = openSealed(key, opening, { seeds: this.#seeds });
    return salted !== undefined && equalBytes(sha256(salted), commitment);
  }

  /** Where the pseudonym is of the one person whose key its opening needs. */
  #holder(): number {
    const count = this.#subjectCount();
    if (count === undefined) return SEVERAL;
    const isAboutOthers = count > 0 || this.#text(OBJECT_TYPE) === 'account';
    if (isAboutOthers && hasDigests({ details: this.#text(DETAILS) ?? '' })) return SEVERAL;
    if (!this.#isNull(at(ACTOR))) return this.#starts[at(ACTOR)]!;
    return count > 0 ? this.#subjectAt(0) : NO_ONE;
  }

  #pseudonymAt(start: number): string {
    if (start === NO_ONE) return NOBODY;
    const bytes = this.#bytes.toString('latin1', start, start + UUID_LENGTH);
    const known = this.#pseudonyms.get(bytes);
    if (known !== undefined) return known;
    const pseudonym = this.#uuidAt(start);
    this.#pseudonyms.set(bytes, pseudonym);
    return pseudonym;
  }

  /** RFC 9162 §2.1.1 hash of the entry, copied together from the columns. */
  #hash(): Bytes | undefined {
    const bytes = this.#bytes;
    let end = this.end + 1 + ENTRY_HEADER.length;
    for (let tag = 1; tag <= TAGS; tag += 1) {
      const start = this.#starts[at(tag)]!;
      let length = this.#lengths[at(tag)]!;
      if (length === -1) {
        // These two have no entry without them; the encoder of events says so.
        if (tag === OCCURRED_AT || tag === SUBJECTS) return undefined;
        continue;
      }
      const value = end + 3;
      if (tag === SUBJECTS) {
        const count = this.#subjectCount();
        if (count === undefined) return undefined;
        length = count * UUID_LENGTH;
      }
      if (value + length > this.end + MAXIMUM_LEAF) return undefined;
      bytes[end] = tag;
      bytes[end + 1] = length >>> 8;
      bytes[end + 2] = length & 0xff;
      end = value + length;
      if (tag === SUBJECTS) this.#copySubjects(value, length / UUID_LENGTH);
      else if (tag === OCCURRED_AT) {
        const microseconds = this.#time();
        if (Number.isNaN(microseconds)) return undefined;
        this.#view.setBigInt64(value, BigInt(microseconds));
      } else bytes.copyWithin(value, start, start + length);
    }
    return sha256(bytes.subarray(this.end, end));
  }

  #copySubjects(to: number, count: number): void {
    for (let item = 0; item < count; item += 1) {
      const start = this.#subjectAt(item);
      this.#bytes.copyWithin(to + item * UUID_LENGTH, start, start + UUID_LENGTH);
    }
  }

  #subjectAt(item: number): number {
    return this.#starts[at(SUBJECTS)]! + ARRAY_HEADER + item * ARRAY_ITEM + 4;
  }

  #isNull(column: number): boolean {
    return this.#lengths[column] === -1;
  }

  /** `undefined` for an array that is none of UUIDs in one dimension, counted from one. */
  #subjectCount(): number | undefined {
    if (this.#isNull(at(SUBJECTS))) return undefined;
    const start = this.#starts[at(SUBJECTS)]!;
    const dimensions = this.#view.getInt32(start);
    if (dimensions === 0) return 0;
    const count = this.#view.getInt32(start + 12);
    const isPlain = dimensions === 1 && this.#view.getInt32(start + 16) === 1;
    // A NULL in it is shorter than a UUID.
    return isPlain && this.#lengths[at(SUBJECTS)] === ARRAY_HEADER + count * ARRAY_ITEM ? count : undefined;
  }

  /** Microseconds since 1970; NaN for a time that is not finite, which was never logged. */
  #time(): number {
    if (this.#isNull(at(OCCURRED_AT))) return Number.NaN;
    const start = this.#starts[at(OCCURRED_AT)]!;
    const value = this.#view.getInt32(start) * 2 ** 32 + this.#view.getUint32(start + 4) + POSTGRESQL_EPOCH;
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }

  #event(): EventColumns {
    return {
      eventId: this.#uuid(1) ?? '',
      occurredAt: this.#time(),
      // Without its constraint a column may hold NULL, which no entry of these has: the hash tells.
      type: this.#text(TYPE) ?? '',
      outcome: this.#text(4) ?? '',
      reason: this.#text(5),
      actorKind: this.#text(6) ?? '',
      actor: this.#uuid(7),
      actorVia: this.#text(8),
      sessionId: this.#uuid(9),
      tenantId: this.#uuid(10),
      requestId: this.#uuid(11) ?? '',
      addressCommitment: this.#raw(at(COMMITMENT)),
      objectType: this.#text(13),
      objectId: this.#text(14),
      subjects: this.#subjects(),
      details: this.#text(DETAILS) ?? '',
    };
  }

  #raw(column: number): Uint8Array | null {
    const [start, length] = [this.#starts[column]!, this.#lengths[column]!];
    return length === -1 ? null : this.#bytes.subarray(start, start + length);
  }

  #text(tag: number): string | null {
    const [start, length] = [this.#starts[at(tag)]!, this.#lengths[at(tag)]!];
    return length === -1 ? null : this.#bytes.toString('utf8', start, start + length);
  }

  #uuid(tag: number): string | null {
    return this.#isNull(at(tag)) ? null : this.#uuidAt(this.#starts[at(tag)]!);
  }

  #uuidAt(start: number): string {
    const hex = this.#bytes.toString('hex', start, start + UUID_LENGTH);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  #subjects(): readonly string[] {
    const count = this.#subjectCount();
    // Whatever it is, no entry can be made of it.
    if (count === undefined) return [''];
    return Array.from({ length: count }, (_, item) => this.#uuidAt(this.#subjectAt(item)));
  }
}

/** Where the column of an event is. */
const at = (tag: number): number => EVENT + tag - 1;
