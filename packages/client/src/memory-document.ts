/**
 * What is inside a sealed memory: a small JSON document, docs/format/memory.md. The shape is closed; a field
 * that is not known here means a newer writer, and such a memory is shown as it is, never rewritten.
 */
import { fromUtf8, utf8, type Bytes, type JsonValue } from '@strongroom/kernel';
import { ClientError } from './errors.ts';

export const MEMORY_FORMAT = 1;

/** Where a memory came from. */
export interface MemorySource {
  /** `mcp-memory`, `chatgpt`, `markdown`, `strongroom` for an export; for what people write themselves there is no source. */
  readonly name: string;
  /** Names the original within its source, the same at every import. */
  readonly key: string;
  /** SHA-256 of the original as it was imported, base64url: tells whether the original changed since. */
  readonly digest: string;
  /** What the source knows beyond the memory's own fields. */
  readonly details: Readonly<Record<string, JsonValue>>;
}

export interface MemoryDocument {
  readonly text: string;
  readonly title?: string;
  /** `fact`, `preference`, `person`, `project`, `note`, `conversation`, `relation`, or a word of the source. */
  readonly kind?: string;
  readonly tags: readonly string[];
  readonly source?: MemorySource;
  /** RFC 3339 UTC with milliseconds: when the memory, or its original, was first written. */
  readonly createdAt: string;
}

/** Characters. */
const LONGEST_TITLE = 500;
const LONGEST_KIND = 100;
const LONGEST_TAG = 100;
const MOST_TAGS = 100;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const FIELDS = new Set(['format', 'text', 'title', 'kind', 'tags', 'source', 'createdAt']);
const SOURCE_FIELDS = new Set(['name', 'key', 'digest', 'details']);

/** Throws `client.invalid-memory` for what `decodeDocument` would not read again. */
export function encodeDocument(document: MemoryDocument): Bytes {
  const { text, title, kind, tags, source, createdAt } = document;
  const fields = { format: MEMORY_FORMAT, text, title, kind, tags, source, createdAt };
  const wrong = problemOf(fields);
  if (wrong !== null) throw new ClientError('client.invalid-memory', { detail: wrong });
  return utf8(JSON.stringify(fields));
}

/** Whether these are a document's fields but its format, as an export has them. Says what is wrong, null when nothing is. */
export const problemOfFields = (fields: Readonly<Record<string, unknown>>): string | null =>
  problemOf({ ...fields, format: MEMORY_FORMAT });

/** Throws `client.unknown-format`. */
export function decodeDocument(bytes: Uint8Array): MemoryDocument {
  let fields: unknown;
  try {
    fields = JSON.parse(fromUtf8(bytes));
  } catch (cause) {
    throw new ClientError('client.unknown-format', { cause });
  }
  if (!isRecord(fields) || problemOf(fields) !== null) throw new ClientError('client.unknown-format');
  const { format: _format, ...document } = fields;
  return document as unknown as MemoryDocument;
}

/** What is wrong, naming the field and never its value; null when nothing is. */
function problemOf(fields: Readonly<Record<string, unknown>>): string | null {
  const { format, text, title, kind, tags, source, createdAt } = fields;
  if (format !== MEMORY_FORMAT) return 'Check "format".';
  if (Object.keys(fields).some((name) => !FIELDS.has(name))) return 'There is an unknown field.';
  if (typeof text !== 'string' || text.trim() === '') return 'Check "text": it must not be empty.';
  if (title !== undefined && !isShort(title, LONGEST_TITLE)) return `Check "title": 1 to ${LONGEST_TITLE} characters.`;
  if (kind !== undefined && !isShort(kind, LONGEST_KIND)) return `Check "kind": 1 to ${LONGEST_KIND} characters.`;
  if (!Array.isArray(tags) || tags.length > MOST_TAGS || !tags.every((tag) => isShort(tag, LONGEST_TAG))) {
    return `Check "tags": at most ${MOST_TAGS}, each 1 to ${LONGEST_TAG} characters.`;
  }
  if (typeof createdAt !== 'string' || !TIME.test(createdAt) || Number.isNaN(Date.parse(createdAt))) {
    return 'Check "createdAt".';
  }
  return source === undefined || isSource(source) ? null : 'Check "source".';
}

function isSource(value: unknown): boolean {
  if (!isRecord(value) || Object.keys(value).some((name) => !SOURCE_FIELDS.has(name))) return false;
  const { name, key, digest, details } = value;
  return [name, key, digest].every((field) => typeof field === 'string') && isRecord(details);
}

const isShort = (value: unknown, longest: number): boolean =>
  typeof value === 'string' && value.trim() !== '' && value.length <= longest;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
