/** C2SP tlog-proof: that one entry is in the log, in one small text file. */
import { equalBytes, utf8 } from '@strongroom/kernel';
import { parseCheckpoint } from './checkpoint.ts';
import { entryJson } from './entry-json.ts';
import { eventLeaf, type EventColumns } from './entry.ts';
import { AuditLogError } from './errors.ts';
import { Judgement, type Standing, type Yardstick } from './internal/judgement.ts';
import type { LogSource } from './log-source.ts';
import { HASH_LENGTH } from './merkle.ts';
import { createInclusionProof, inclusionTiles, nodesFromTiles, verifyInclusion } from './proofs.ts';
import { parseNote } from './signed-note.ts';
import { formatTlogProof, shownEvent, type TlogProof } from './tlog-proof-text.ts';

export { formatTlogProof, parseTlogProof, type TlogProof } from './tlog-proof-text.ts';

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
  const places = inclusionTiles(index, size);
  const tiles = await source.tiles(places);
  const found = new Map(places.map((place, position) => [`${place.level}/${place.index}`, tiles[position]]));
  const nodes = nodesFromTiles(size, async (level, tile, width) => {
    const hashes = found.get(`${level}/${tile}`)?.hashes;
    if (hashes?.length !== width * HASH_LENGTH) throw new AuditLogError('audit-log.unknown-tile');
    return hashes;
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
  const event = leaf === undefined ? shownEvent(proof) : null;
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
