/**
 * The bytes of a log entry: every column of an event, as docs/format/audit.md describes. A leaf is the RFC 9162 hash of these
 * bytes, so no byte of any column can change unnoticed.
 */
import { type Bytes, concatBytes, equalBytes, toBase64Url, utf8 } from '@strongroom/kernel';
import { sha256 } from '#sha256';
import { AuditLogError } from './errors.ts';

/** One stored event. `null` stands for SQL's NULL, which is not the same as an empty text. */
export interface EventColumns {
  /** Lower-case UUIDs here and below. */
  readonly eventId: string;
  /** Microseconds since the epoch: the whole precision of the column, so that none of it escapes the hash. */
  readonly occurredAt: number;
  readonly type: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly actorKind: string;
  /** Pseudonym of the account that acted. */
  readonly actor: string | null;
  /** The job of a system actor, the way in of an operator. */
  readonly actorVia: string | null;
  readonly sessionId: string | null;
  readonly tenantId: string | null;
  readonly requestId: string;
  /** 32 bytes: SHA-256(salt, address prefix). Salt and value lie beside the event and can be erased. */
  readonly addressCommitment: Uint8Array | null;
  readonly objectType: string | null;
  /** Id of the object; the pseudonym where the object is an account. */
  readonly objectId: string | null;
  /** Pseudonyms of the accounts concerned. */
  readonly subjects: readonly string[];
  /** A flat JSON object in the canonical form of RFC 8785. */
  readonly details: string;
}

/** Whom the address of an event belongs to: who acted, or whom an event without an account is about first. */
export const personOf = ({ actor, subjects }: EventColumns): string | null => actor ?? subjects[0] ?? null;

/** Pseudonyms have version 4; the ids that things have here are of version 7. */
const PSEUDONYM = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether open fields say what a change replaced or left. Exact: the form of RFC 8785 has no spaces, and a quote inside of a value is escaped. */
export const hasDigests = ({ details }: Pick<EventColumns, 'details'>): boolean =>
  details.includes('"beforeDigest":') || details.includes('"afterDigest":');

/**
 * The pseudonyms of those whose erasure closes the opening of an event, each of them alone: whom the address belongs to, and where it also opens digests of
 * a change (`opensDigests`), everybody whom the event names, since the state of things may tell about any of them. In the order of text; empty for an event about nobody.
 */
export function holdersOf(event: EventColumns, opensDigests = hasDigests(event)): readonly string[] {
  if (!opensDigests) {
    const person = personOf(event);
    return person === null ? [] : [person];
  }
  const { actor, subjects, objectType, objectId } = event;
  const object = objectType === 'account' && objectId !== null && PSEUDONYM.test(objectId) ? objectId : null;
  return [...new Set([actor, object, ...subjects].filter((person) => person !== null))].toSorted();
}

/** The event that says a person was forgotten: its subjects are pseudonyms that lead nowhere since. */
export const REDACTION = 'audit.subject-redacted';

/** The event that says which keys sign the log from here on; see key-succession.ts. Only the log itself writes it. */
export const KEY_ROTATION = 'audit.keys-rotated';

/** What a commitment hides. */
export interface Opening {
  /** 32 random bytes. */
  readonly salt: Uint8Array;
  readonly value: string;
}

/** Bytes of a salt: as long as the digest, so that a known value still leaves nothing to guess from. */
export const SALT_LENGTH = 32;

export const commitmentTo = ({ salt, value }: Opening): Bytes => sha256(concatBytes(salt, utf8(value)));

export function opens(commitment: Uint8Array, opening: Opening): boolean {
  return opening.salt.length === SALT_LENGTH && equalBytes(commitment, commitmentTo(opening));
}

/** Which of the two states a digest is of; part of what is hashed, so that one cannot stand for the other. */
export type State = 'before' | 'after';

/** What the open fields hold of the digest of a state: with the salt it can be checked, once that is erased it says nothing. */
export const digestCommitment = (salt: Uint8Array, state: State, digest: Uint8Array): string =>
  toBase64Url(sha256(concatBytes(salt, utf8(state), digest)));

/** Whether the entry says that `digest` was of the state before or after the change. False where the salt was erased. */
export function showsDigest(
  { event, addressPrefix }: { readonly event: EventColumns; readonly addressPrefix: Opening | null },
  state: State,
  digest: Uint8Array,
): boolean {
  if (addressPrefix === null || event.addressCommitment === null || !opens(event.addressCommitment, addressPrefix)) {
    return false;
  }
  const details: unknown = JSON.parse(event.details);
  const shown = (details as Readonly<Record<string, unknown>> | null)?.[`${state}Digest`];
  return shown === digestCommitment(addressPrefix.salt, state, digest);
}

/** `SRA` and the version of the format. New columns get new tags; only another meaning of old ones needs a new version. */
export const ENTRY_HEADER = new Uint8Array([0x53, 0x52, 0x41, 0x01]);

/** tlog-tiles, "Log entries": an entry's length is written as two bytes. */
export const MAXIMUM_ENTRY_LENGTH = 0xffff;

/** RFC 9162 §2.1.1: what precedes an entry when it is hashed. */
export const LEAF_PREFIX = 0;

const encoder = new TextEncoder();

/** Value of each lower-case hexadecimal digit by character code; 255 for everything else. */
const NIBBLES = new Uint8Array(128).fill(0xff);
for (let value = 0; value < 16; value += 1) NIBBLES[value.toString(16).charCodeAt(0)] = value;

/** Writes one entry after another into the same buffer. */
class EntryWriter {
  // A UTF-16 code unit takes at most three bytes, so a text that overflows the entry still fits before it is refused.
  readonly #bytes = new Uint8Array(64 + 4 * MAXIMUM_ENTRY_LENGTH);
  readonly #view = new DataView(this.#bytes.buffer);
  #end = 0;

  /** The prefix of a leaf, then the entry. Valid until the next call. */
  write(event: EventColumns): Uint8Array {
    this.#bytes[0] = LEAF_PREFIX;
    this.#bytes.set(ENTRY_HEADER, 1);
    this.#end = 1 + ENTRY_HEADER.length;
    this.#uuid(1, event.eventId);
    this.#time(2, event.occurredAt);
    this.#text(3, event.type);
    this.#text(4, event.outcome);
    this.#text(5, event.reason);
    this.#text(6, event.actorKind);
    this.#uuid(7, event.actor);
    this.#text(8, event.actorVia);
    this.#uuid(9, event.sessionId);
    this.#uuid(10, event.tenantId);
    this.#uuid(11, event.requestId);
    this.#raw(12, event.addressCommitment);
    this.#text(13, event.objectType);
    this.#text(14, event.objectId);
    this.#uuids(15, event.subjects);
    this.#text(16, event.details);
    return this.#bytes.subarray(0, this.#end);
  }

  /** Tag and length. The caller has written `length` bytes behind them or does so now. */
  #field(tag: number, length: number): void {
    const start = this.#end;
    const end = start + 3 + length;
    if (end - 1 > MAXIMUM_ENTRY_LENGTH) throw new AuditLogError('audit-log.event-too-large');
    this.#bytes[start] = tag;
    this.#bytes[start + 1] = length >>> 8;
    this.#bytes[start + 2] = length & 0xff;
    this.#end = end;
  }

  #text(tag: number, value: string | null): void {
    if (value === null) return;
    if (value.length > MAXIMUM_ENTRY_LENGTH) throw new AuditLogError('audit-log.event-too-large');
    const start = this.#end + 3;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.#field(tag, encoder.encodeInto(value, this.#bytes.subarray(start)).written);
        return;
      }
      // Nearly every value is short ASCII, for which this loop is several times faster than the encoder.
      this.#bytes[start + index] = code;
    }
    this.#field(tag, value.length);
  }

  #raw(tag: number, value: Uint8Array | null): void {
    if (value === null) return;
    const start = this.#end + 3;
    this.#field(tag, value.length);
    this.#bytes.set(value, start);
  }

  #time(tag: number, microseconds: number): void {
    if (!Number.isSafeInteger(microseconds)) throw invalid('occurred_at');
    const start = this.#end + 3;
    this.#field(tag, 8);
    // Two's complement in two halves; the lower one is never negative.
    this.#view.setInt32(start, Math.floor(microseconds / 2 ** 32));
    this.#view.setUint32(start + 4, microseconds - Math.floor(microseconds / 2 ** 32) * 2 ** 32);
  }

  #uuid(tag: number, value: string | null): void {
    if (value === null) return;
    const start = this.#end + 3;
    this.#field(tag, 16);
    this.#writeUuid(start, value);
  }

  /** Sixteen bytes for each. */
  #uuids(tag: number, values: readonly string[]): void {
    let start = this.#end + 3;
    this.#field(tag, 16 * values.length);
    for (const value of values) {
      this.#writeUuid(start, value);
      start += 16;
    }
  }

  #writeUuid(start: number, value: string): void {
    if (value.length !== 36) throw invalid('a UUID');
    let offset = start;
    for (let index = 0; index < 36; index += 2) {
      if (index === 8 || index === 13 || index === 18 || index === 23) {
        if (value.charCodeAt(index) !== HYPHEN) throw invalid('a UUID');
        index += 1;
      }
      const high = NIBBLES[value.charCodeAt(index)] ?? 0xff;
      const low = NIBBLES[value.charCodeAt(index + 1)] ?? 0xff;
      if ((high | low) > 0xf) throw invalid('a UUID');
      this.#bytes[offset] = (high << 4) | low;
      offset += 1;
    }
  }
}

const HYPHEN = 0x2d;

const invalid = (what: string) => new AuditLogError('audit-log.invalid-entry', { detail: `Not encodable: ${what}.` });

const writer = new EntryWriter();

/** The entry's bytes. Throws `audit-log.event-too-large` or `audit-log.invalid-entry`. */
export const encodeEntry = (event: EventColumns): Bytes => new Uint8Array(writer.write(event).subarray(1));

/** RFC 9162 §2.1.1 hash of the entry. Throws like `encodeEntry`. */
export const eventLeaf = (event: EventColumns): Bytes => sha256(writer.write(event));

/** RFC 8785 for a flat object of primitives: keys sorted by UTF-16 code units, ECMAScript's own number and string forms. */
export function canonicalDetails(details: Readonly<Record<string, string | number | boolean | null>>): string {
  const names = Object.keys(details);
  const isSorted = names.every((name, place) => place === 0 || names[place - 1]! < name);
  for (const name of names) {
    const value = details[name];
    if (typeof value === 'number' && !Number.isFinite(value)) throw invalid('details');
    const isText = name.isWellFormed() && (typeof value !== 'string' || value.isWellFormed());
    if (!isText) throw invalid('details');
  }
  if (isSorted) return JSON.stringify(details);
  const members = names.toSorted().map((name) => `${JSON.stringify(name)}:${JSON.stringify(details[name])}`);
  return `{${members.join(',')}}`;
}
