/** One entry as JSON: what travels over HTTP and stands in bundles and proofs. docs/format/audit.md describes it. */
import { fromBase64Url, toBase64Url } from '@strongroom/kernel';
import type { EventColumns, Opening } from './entry.ts';
import { AuditLogError } from './errors.ts';
import type { LogEntry } from './log-source.ts';
import { formatMicroseconds, parseMicroseconds } from './times.ts';

export interface EventJson extends Omit<EventColumns, 'occurredAt' | 'addressCommitment' | 'subjects'> {
  readonly occurredAt: string;
  /** Base64url. */
  readonly addressCommitment: string | null;
  readonly subjects: string[];
}

export interface OpeningJson {
  /** Base64url. */
  readonly salt: string;
  readonly value: string;
}

export const eventJson = (event: EventColumns): EventJson => ({
  ...event,
  occurredAt: formatMicroseconds(event.occurredAt),
  addressCommitment: event.addressCommitment === null ? null : toBase64Url(event.addressCommitment),
  subjects: [...event.subjects],
});

export const openingJson = ({ salt, value }: Opening): OpeningJson => ({ salt: toBase64Url(salt), value });

export const entryJson = ({ index, leafHash, event, addressPrefix }: LogEntry) => ({
  index,
  leafHash: toBase64Url(leafHash),
  event: typeof event === 'string' ? null : eventJson(event),
  addressPrefix: addressPrefix === null ? null : openingJson(addressPrefix),
});

type Fields = Readonly<Record<string, unknown>>;

const EVENT_FIELDS = 16;

/** Throws `audit-log.invalid-entry` for anything but exactly the documented members. */
export function readEventJson(value: unknown): EventColumns {
  const from = fields(value, EVENT_FIELDS);
  const subjects = from['subjects'];
  if (!Array.isArray(subjects) || !subjects.every((subject) => typeof subject === 'string')) throw invalid('subjects');
  const commitment = textOrNull(from, 'addressCommitment');
  return {
    eventId: text(from, 'eventId'),
    occurredAt: time(text(from, 'occurredAt')),
    type: text(from, 'type'),
    outcome: text(from, 'outcome'),
    reason: textOrNull(from, 'reason'),
    actorKind: text(from, 'actorKind'),
    actor: textOrNull(from, 'actor'),
    actorVia: textOrNull(from, 'actorVia'),
    sessionId: textOrNull(from, 'sessionId'),
    tenantId: textOrNull(from, 'tenantId'),
    requestId: text(from, 'requestId'),
    addressCommitment: commitment === null ? null : bytes(commitment, 'addressCommitment'),
    objectType: textOrNull(from, 'objectType'),
    objectId: textOrNull(from, 'objectId'),
    subjects,
    details: text(from, 'details'),
  };
}

/** Throws like `readEventJson`. */
export function readOpeningJson(value: unknown): Opening | null {
  if (value === null) return null;
  const from = fields(value, 2);
  return { salt: bytes(text(from, 'salt'), 'salt'), value: text(from, 'value') };
}

export function fields(value: unknown, count: number): Fields {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== count) throw invalid('members');
  return value as Fields;
}

export function text(from: Fields, name: string): string {
  const value = from[name];
  if (typeof value !== 'string' || !value.isWellFormed()) throw invalid(name);
  return value;
}

function textOrNull(from: Fields, name: string): string | null {
  return from[name] === null ? null : text(from, name);
}

function bytes(encoded: string, name: string): Uint8Array {
  try {
    return fromBase64Url(encoded);
  } catch {
    throw invalid(name);
  }
}

function time(value: string): number {
  try {
    return parseMicroseconds(value);
  } catch {
    throw invalid('occurredAt');
  }
}

const invalid = (name: string) => new AuditLogError('audit-log.invalid-entry', { detail: `Check "${name}".` });
