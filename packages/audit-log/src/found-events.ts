/** What a search answers with, read on the other side of the network; and the lines of an export. */
import { fromBase64Url, toHex } from '@strongroom/kernel';
import { eventJson, fields, readEventJson, readOpeningJson, text } from './entry-json.ts';
import { AuditLogError } from './errors.ts';
import type { LogEntry } from './log-source.ts';

/** Who is behind a pseudonym. */
export interface KnownPerson {
  readonly account: string;
  readonly pseudonym: string;
}

export interface FoundPage {
  readonly entries: readonly LogEntry[];
  /** The cursor of the next page; null at the end. */
  readonly next: string | null;
  readonly people: readonly KnownPerson[];
}

/** The answer of `GET …/audit/events`. Throws `audit-log.invalid-entry`. */
export function readFoundPage(answer: unknown): FoundPage {
  const page = fields(answer, 3);
  const { items, next, people } = page;
  if (!Array.isArray(items) || !Array.isArray(people)) throw invalid();
  return {
    entries: items.map(readEntry),
    next: next === null ? null : text(page, 'next'),
    people: people.map(readPerson),
  };
}

/** The answer of `POST …/audit/people`: null for a person who is not known here. Throws `audit-log.invalid-entry`. */
export function readPersonAnswer(answer: unknown): KnownPerson | null {
  const { person } = fields(answer, 1);
  return person === null ? null : readPerson(person);
}

function readPerson(value: unknown): KnownPerson {
  const from = fields(value, 2);
  return { account: text(from, 'account'), pseudonym: text(from, 'pseudonym') };
}

function readEntry(value: unknown): LogEntry {
  const from = fields(value, 4);
  const { index, event, addressPrefix } = from;
  if (!Number.isSafeInteger(index)) throw invalid();
  return {
    index: Number(index),
    leafHash: fromBase64Url(text(from, 'leafHash')),
    event: event === null ? 'withheld' : readEventJson(event),
    addressPrefix: readOpeningJson(addressPrefix),
  };
}

/** One event as plain JSON for people and their tools: open fields as an object, the network as text. Null for what is not shown. */
export function plainEvent(entry: LogEntry): Readonly<Record<string, unknown>> | null {
  if (typeof entry.event === 'string') return null;
  const { details, addressCommitment: _, ...event } = eventJson(entry.event);
  return {
    index: entry.index,
    leafHash: toHex(entry.leafHash),
    ...event,
    // An opening that is there for digests alone has no address.
    addressPrefix: entry.addressPrefix?.value || null,
    details: parsed(details),
  };
}

/** The stored text was hashed, so it is what it was; whether it is JSON is for verification to say. */
function parsed(details: string): unknown {
  try {
    return JSON.parse(details);
  } catch {
    return details;
  }
}

const invalid = () => new AuditLogError('audit-log.invalid-entry', { detail: 'The server’s answer is not readable.' });
