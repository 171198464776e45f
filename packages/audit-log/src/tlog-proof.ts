/** C2SP tlog-proof: that one entry is in the log, in one small text file. */
import { equalBytes, fromBase64, fromUtf8, toBase64, utf8 } from '@strongroom/kernel';
import { parseCheckpoint } from './checkpoint.ts';
import { entryJson, fields, readEventJson } from './entry-json.ts';
import { eventLeaf, type EventColumns } from './entry.ts';
import { AuditLogError } from './errors.ts';
import { Judgement, type Standing, type Yardstick } from './internal/judgement.ts';
import type { LogSource } from './log-source.ts';
import { HASH_LENGTH } from './merkle.ts';
import { createInclusionProof, nodesFromTiles, verifyInclusion } from './proofs.ts';
import { parseNote } from './signed-note.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';

/** tlog-proof and RFC 9162 know no longer path: sizes are below 2^63. */
const MAXIMUM_PATH = 63;

/**
 * The proof for the entry in place `index`, under the newest checkpoint. `extra` holds the entry as JSON, `{"event": …}`, so that it can be read and hashed
 * without the log; it is left out where the source withholds the event. Throws `audit-log.no-checkpoint` or `audit-log.unknown-entry`.
 */
export async function createTlogProof(source: LogSource, index: number): Promise<string> {
  const newest = await source.newestCheckpoint();
  if (newest === null) throw new AuditLogError('audit-log.no-checkpoint');
  const { size } = parseCheckpoint(parseNote(newest.note).text);
  const [entry] = index < size ? await source.entries(index, index + 1) : [];
  if (entry?.index !== index) throw new AuditLogError('audit-log.unknown-entry');
  const nodes = nodesFromTiles(size, async (level, tile, width) => {
    const [found] = await source.tiles([{ level, index: tile, width }]);
    if (found?.hashes.length !== width * HASH_LENGTH) throw new AuditLogError('audit-log.unknown-tile');
    return found.hashes;
  });
  const path = await createInclusionProof(nodes, index, size);
  const { event } = entryJson(entry);
  return formatTlogProof({
    extra: event === null ? null : utf8(JSON.stringify({ event })),
    index,
    path,
    checkpoint: newest.note,
  });
}

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
export function parseTlogProof(text: string): TlogProof {
  const gap = text.indexOf('\n\n');
  const lines = text.slice(0, Math.max(gap, 0)).split('\n');
  if (gap === -1 || lines.shift() !== HEADER) throw invalid('It does not begin as one.');
  const extra = lines[0]?.startsWith('extra ') === true ? decoded(lines.shift()!.slice('extra '.length)) : null;
  const [, digits] = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '') ?? [];
  if (digits === undefined || lines.length > MAXIMUM_PATH) throw invalid('Its index or its path is not readable.');
  const path = lines.map(decoded);
  if (path.some((hash) => hash.length !== HASH_LENGTH)) throw invalid('A hash has the wrong length.');
  return { extra, index: Number(digits), path, checkpoint: text.slice(gap + 2) };
}

export interface TlogProofVerdict {
  readonly ok: boolean;
  readonly standing: Standing;
  readonly index: number;
  readonly size: number;
  /** What is proved to be in the log; `null` when the caller named the leaf. */
  readonly event: EventColumns | null;
  readonly findings: readonly { readonly where: string; readonly what: string }[];
}

/**
 * `leaf`: the leaf hash of the entry in question; when absent, it is computed from the event that the proof itself shows. Throws
 * `audit-log.invalid-proof` where neither is there.
 */
export async function verifyTlogProof(
  proof: TlogProof,
  yardstick: Yardstick,
  leaf?: Uint8Array,
): Promise<TlogProofVerdict> {
  const judgement = await Judgement.by(yardstick);
  const event = leaf === undefined ? shownEvent(proof.extra) : null;
  let size = 0;
  try {
    const checkpoint = await judgement.verify(proof.checkpoint);
    ({ size } = checkpoint);
    const hash = leaf ?? eventLeaf(event!);
    if (!verifyInclusion({ index: proof.index, size, leaf: hash, root: checkpoint.root }, proof.path)) {
      judgement.report(`entry ${proof.index}`, 'it is not in the tree of the checkpoint');
    }
    for (const stated of judgement.statedElsewhere(size - 1, size).values()) {
      if (stated.some(({ root }) => !equalBytes(root, checkpoint.root))) judgement.compare(stated, checkpoint.root);
    }
  } catch (error) {
    if (!(error instanceof AuditLogError)) throw error;
    judgement.report('checkpoint', error.message);
  }
  const { findings, standing } = judgement;
  return { ok: findings.list.length === 0, standing, index: proof.index, size, event, findings: findings.list };
}

function shownEvent(extra: Uint8Array | null): EventColumns {
  if (extra === null) throw invalid('It does not show the entry.');
  try {
    return readEventJson(fields(JSON.parse(fromUtf8(extra)), 1)['event']);
  } catch (cause) {
    throw invalid('The entry that it shows is not readable.', cause);
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
