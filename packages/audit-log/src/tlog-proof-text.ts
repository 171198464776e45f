/** The text of a C2SP tlog-proof: what it holds, without judging it. */
import { fromBase64, fromUtf8, toBase64 } from '@strongroom/kernel';
import { fields, readEventJson } from './entry-json.ts';
import type { EventColumns } from './entry.ts';
import { AuditLogError } from './errors.ts';
import { HASH_LENGTH } from './merkle.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';

/** tlog-proof and RFC 9162 know no longer path: sizes are below 2^63. */
const MAXIMUM_PATH = 63;

export interface TlogProof {
  /** Not covered by any signature. */
  readonly extra: Uint8Array | null;
  readonly index: number;
  readonly path: readonly Uint8Array[];
  /** Signed note. */
  readonly checkpoint: string;
}

export const formatTlogProof = ({ extra, index, path, checkpoint }: TlogProof): string =>
  [
    HEADER,
    ...(extra === null ? [] : [`extra ${toBase64(extra)}`]),
    `index ${index}`,
    ...path.map(toBase64),
    '',
    checkpoint,
  ].join('\n');

/** Throws `audit-log.invalid-proof`. */
export function parseTlogProof(file: string | Uint8Array): TlogProof {
  const text = typeof file === 'string' ? file : decodedText(file);
  const gap = text.indexOf('\n\n');
  const lines = text.slice(0, Math.max(gap, 0)).split('\n');
  if (gap === -1 || lines.shift() !== HEADER) throw invalid('It does not begin as one.');
  const extra = lines[0]?.startsWith('extra ') === true ? decoded(lines.shift()!.slice('extra '.length)) : null;
  const [, digits] = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '') ?? [];
  if (!Number.isSafeInteger(Number(digits)) || lines.length > MAXIMUM_PATH)
    throw invalid('Its index or its path is not readable.');
  const path = lines.map(decoded);
  if (path.some((hash) => hash.length !== HASH_LENGTH)) throw invalid('A hash has the wrong length.');
  return { extra, index: Number(digits), path, checkpoint: text.slice(gap + 2) };
}

/** The event that `extra` shows. Throws `audit-log.invalid-proof`. */
export function shownEvent({ extra }: TlogProof): EventColumns {
  if (extra === null) throw invalid('It does not show the entry.');
  try {
    return readEventJson(fields(JSON.parse(fromUtf8(extra)), 1)['event']);
  } catch (cause) {
    throw invalid('The entry that it shows is not readable.', cause);
  }
}

function decodedText(file: Uint8Array): string {
  try {
    return fromUtf8(file);
  } catch (cause) {
    throw invalid('It is not UTF-8.', cause);
  }
}

function decoded(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw invalid('It holds what is not base64.', cause);
  }
}

const invalid = (detail: string, cause?: unknown) => new AuditLogError('audit-log.invalid-proof', { detail, cause });
