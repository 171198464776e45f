/** Changing the keys that sign the log: an entry says so, and the checkpoint that ends with it is signed by the former keys and by the new ones. */
import type { Encryption } from '@strongroom/encryption';
import { utf8 } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { eventJson } from '../entry-json.ts';
import { KEY_ROTATION } from '../entry.ts';
import { AuditLogError } from '../errors.ts';
import { rotationDetails } from '../key-succession.ts';
import { createInclusionProof, nodesFromTiles } from '../proofs.ts';
import { formatVerifierKey } from '../signed-note.ts';
import { formatTlogProof } from '../tlog-proof-text.ts';
import { lockInbox } from './inbox.ts';
import { waitingJson } from './read-events.ts';
import { extendTree, lastTree, type SequencerState } from './sequencer.ts';
import { createKeys, insertHandover, keysOf } from './signing-keys.ts';
import { readNewestCheckpoint, readTiles } from './tree-store.ts';
import { ownEvent } from './own-event.ts';

export interface KeyRotation {
  /** Entries under the checkpoint that both signed. */
  readonly size: number;
  /** Verifier keys from here on. */
  readonly keys: readonly string[];
  /** C2SP tlog-proof that leads from the former keys to these. */
  readonly handover: string;
}

export async function rotateKeys(
  transaction: Transaction,
  encryption: Encryption,
  { now, via }: { readonly now: number; readonly via: string },
  last: SequencerState | undefined,
): Promise<{ readonly rotation: KeyRotation; readonly state: SequencerState }> {
  await lockInbox(transaction);
  if ((await readNewestCheckpoint(transaction)) === null) throw new AuditLogError('audit-log.no-checkpoint');
  const tree = await lastTree(transaction, encryption, now, last);
  const former = keysOf(tree.keys);
  const successor = await createKeys(transaction, encryption, tree.keys.ed25519.verifier.name, now);
  const event = ownEvent(now, KEY_ROTATION, { kind: 'operator', via }, rotationDetails(former, keysOf(successor)));
  const { rows } = await sql<{ row: string; transaction: string }>`
    insert into audit_inbox (event) values (${waitingJson(event)}) returning ctid::text as row, transaction::text`.execute(
    transaction,
  );
  const waiting = { ...rows[0]!, hasOpening: false, event };
  const state = await extendTree(transaction, tree, [waiting], { forgotten: new Set(), now, successor });
  const { size } = state;
  const nodes = nodesFromTiles(size, async (level, index, width) => {
    const [tile] = await readTiles(transaction, [{ level, index, width }]);
    return tile!.hashes;
  });
  const handover = formatTlogProof({
    extra: utf8(JSON.stringify({ event: eventJson(event) })),
    index: size - 1,
    path: await createInclusionProof(nodes, size - 1, size),
    checkpoint: (await readNewestCheckpoint(transaction))!.note,
  });
  await insertHandover(transaction, tree.keys, { size, proof: handover, now });
  return { rotation: { size, keys: keysOf(successor).map(formatVerifierKey), handover }, state };
}
