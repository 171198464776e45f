/** Events as a sink sends them: lines of JSON, as in an export. */
import type { EventCatalogue } from '../catalogue.ts';
import { plainEvent } from '../found-events.ts';
import type { LogEntry } from '../log-source.ts';
import { ocsfEvent } from '../ocsf.ts';

/** Bytes of one batch, but for its first line: half of what nginx accepts unless told otherwise (client_max_body_size, 1 MiB). */
export const BATCH_BYTES = 512 * 1024;

/** Events of one batch: a page of the log. */
export const BATCH_EVENTS = 512;

export interface LineOptions {
  readonly format: 'jsonl' | 'ocsf';
  /** Whether network prefixes are sent too. */
  readonly withAddresses: boolean;
  readonly events: EventCatalogue;
  readonly program: string;
  readonly origin: string;
}

export interface Lines {
  /** Empty when no event is left to send. */
  readonly body: string;
  /** How many of the entries are in it, or have nothing that could be. */
  readonly taken: number;
}

/** As many of the entries as fit into `limit` bytes, but at least one. */
export function sinkLines(entries: readonly LogEntry[], options: LineOptions, limit: number): Lines {
  let body = '';
  let bytes = 0;
  for (const [taken, entry] of entries.entries()) {
    const shown = options.withAddresses ? entry : { ...entry, addressPrefix: null };
    const event = options.format === 'jsonl' ? plainEvent(shown) : ocsfEvent(shown, options);
    if (event === null) continue;
    const line = `${JSON.stringify(event)}\n`;
    bytes += Buffer.byteLength(line);
    if (bytes > limit && body !== '') return { body, taken };
    body += line;
  }
  return { body, taken: entries.length };
}
