/** What every importer gives: one original of a source, as a memory to be. */
import type { JsonValue } from '@strongroom/kernel';
import { ClientError } from './errors.ts';

/** What a file can be, by the program that made it. */
export type SourceName = 'mcp-memory' | 'chatgpt' | 'markdown';

/** Where memories come from that had no origin when they were exported. */
export const OWN_EXPORT = 'strongroom';

export interface ImportItem {
  /** A `SourceName`; of an export of ours, where the memory had come from before, or `strongroom`. */
  readonly source: string;
  /** Names the original within its source, the same at every import. */
  readonly key: string;
  readonly text: string;
  readonly title?: string;
  readonly kind?: string;
  readonly tags: readonly string[];
  /** RFC 3339 UTC with milliseconds, or null when the original does not say. */
  readonly createdAt: string | null;
  /** What the original knows beyond the fields above, enough to write it back. */
  readonly details: Readonly<Record<string, JsonValue>>;
  /** Of the original, where only a copy of it that may have been edited since is at hand. */
  readonly digest?: string;
  /** The memory that was exported: where it still is, or was deleted, nothing is to be written. */
  readonly exported?: string;
}

/** Text in pieces, as files and network streams give it; or at once. */
export type TextSource = string | Iterable<string> | AsyncIterable<string>;

/** `where` tells the place in the file, never its content. */
export const invalidImport = (where: string, cause?: unknown): ClientError =>
  new ClientError('client.invalid-import', { detail: where, ...(cause === undefined ? {} : { cause }) });

export const isRecord = (value: unknown): value is Readonly<Record<string, JsonValue>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A time as the document wants it; null for what is no time. */
export function timeOf(milliseconds: number): string | null {
  const time = new Date(milliseconds);
  // Years beyond 9999 have another spelling, and are a mistake anyway.
  return Number.isNaN(time.getTime()) || milliseconds < 0 || time.getUTCFullYear() > 9999 ? null : time.toISOString();
}
