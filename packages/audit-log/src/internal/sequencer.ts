/** From the inbox into the tree: one batch, one transaction, one signed checkpoint. */
import type { Encryption } from '@strongroom/encryption';
import { equalBytes } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { checkpointVerifier } from '../checkpoint.ts';
import { eventLeaf, KEY_ROTATION } from '../entry.ts';
import { AuditLogError } from '../errors.ts';
import { emptyRoot, HASH_LENGTH } from '../merkle.ts';
import { type FullTile, partialTiles, TileBuilder } from '../tiles.ts';
import { RETENTION_RUN } from '../retention.ts';
import { copyEvents, lockInbox, readForgotten, readInbox, removeFromInbox, type WaitingEvent } from './inbox.ts';
import { dropDeleted, settleChanges } from './ledger.ts';
import { addLateRedactions } from './late-redactions.ts';
import { createSigningKeys, keysOf, loadSigningKeys, signCheckpoint, type SigningKeys } from './signing-keys.ts';
import { insertLeaves, insertTiles, readEdge, readNewestCheckpoint } from './tree-store.ts';

/** Events of one batch. Tile work and signature are spread over them; the transaction stays well under a second. */
export const BATCH = 8192;

const HOUR = 3_600_000;

/** What this process signed last, and the keys it signed with. */
export interface SequencerState {
  readonly keys: SigningKeys;
  readonly size: number;
  readonly root: Uint8Array;
}

export interface BatchResult {
  readonly sequenced: number;
  /** What to remember once the transaction has committed. */
  readonly state: SequencerState | undefined;
}

/**
 * Sequences up to `BATCH` waiting events. Throws `audit-log.damaged` rather than extend a tree that is not the one signed last: a
 * log must never sign two histories.
 */
export async function sequenceBatch(
  transaction: Transaction,
  encryption: Encryption,
  now: number,
  last: SequencerState | undefined,
): Promise<BatchResult> {
  // Every statement after it sees what the former holder committed.
  await lockInbox(transaction);
  const waiting = await readInbox(transaction, BATCH);
  if (waiting.length === 0) return { sequenced: 0, state: last };
  // A run and its entry are one transaction, so none ever waits: whoever put one there wants to account for what they deleted.
  if (waiting.some(({ event }) => event.type === RETENTION_RUN)) {
    throw damaged('An event claims a retention run that this log did not make.');
  }
  if (waiting.some(({ event }) => event.type === KEY_ROTATION)) {
    throw damaged('An event claims a change of keys that this log did not make.');
  }
  const forgotten = await readForgotten(transaction, waiting);
  const events = await addLateRedactions(transaction, waiting, forgotten, now);
  const tree = await lastTree(transaction, encryption, now, last);
  const state = await extendTree(transaction, tree, events, { forgotten, now });
  if (waiting.length < BATCH) await dropDeleted(transaction);
  return { sequenced: events.length, state };
}

/** Gives the events, which lie in the inbox, their places, and signs. */
export async function extendTree(
  transaction: Transaction,
  tree: SequencerState,
  events: readonly WaitingEvent[],
  {
    forgotten,
    now,
    successor,
  }: {
    readonly forgotten: ReadonlySet<string>;
    readonly now: number;
    /** Sign as well, and alone from here on. */
    readonly successor?: SigningKeys;
  },
): Promise<SequencerState> {
  const tiles: FullTile[] = [];
  const builder = new TileBuilder({ size: tree.size, edge: await intactEdge(transaction, tree) }, (tile) =>
    tiles.push(tile),
  );
  if (!equalBytes(builder.root(), tree.root)) throw damaged('The tree does not have the root that was signed.');
  const hashes = events.map(({ event }) => eventLeaf(event));
  for (const hash of hashes) builder.append(hash);

  await copyEvents(transaction, events, forgotten);
  await insertLeaves(
    transaction,
    tree.size,
    events.map(({ event }) => event.eventId),
    hashes,
  );
  await insertTiles(transaction, tiles);
  await settleChanges(transaction, events);
  await removeFromInbox(transaction, events);
  const signed = { keys: successor ?? tree.keys, size: builder.size, root: builder.root() };
  await insertCheckpoint(transaction, signed, successor === undefined ? [tree.keys] : [tree.keys, successor], now);
  return signed;
}

/** The tree to continue, vouched for by our own signatures or by what this process remembers. */
export async function lastTree(
  transaction: Transaction,
  encryption: Encryption,
  now: number,
  last: SequencerState | undefined,
): Promise<SequencerState> {
  // Another process may have changed them.
  const keys = await loadSigningKeys(transaction, encryption, last?.keys);
  const newest = await readNewestCheckpoint(transaction);
  if (newest === null) {
    if (last !== undefined) throw damaged('All checkpoints are gone.');
    return { keys: keys ?? (await createSigningKeys(transaction, encryption, now)), size: 0, root: emptyRoot() };
  }
  if (keys === undefined) throw damaged('The signing keys are gone.');
  const { size, root } = newest.columns;
  if (last !== undefined) {
    if (size === last.size && equalBytes(root, last.root)) return { ...last, keys };
    if (size <= last.size) throw damaged(`The newest checkpoint has ${size} entries, ${last.size} were signed.`);
  }
  const verifier = await checkpointVerifier(keysOf(keys));
  const signed = await verifier.verify(newest.note).catch((cause: unknown) => {
    throw new AuditLogError('audit-log.damaged', { detail: 'The newest checkpoint is not signed by this log.', cause });
  });
  if (signed.size !== size || !equalBytes(signed.root, root)) throw damaged('The newest checkpoint was changed.');
  return { keys, size, root };
}

async function intactEdge(transaction: Transaction, { size }: SequencerState): Promise<Uint8Array[]> {
  const edge = await readEdge(transaction, size);
  const complete = partialTiles(size).every(({ width }, position) => edge[position]!.length === width * HASH_LENGTH);
  if (!complete) throw damaged('Leaves or tiles are missing.');
  return edge;
}

/**
 * Keeps the newest checkpoint and the last one of every hour: each says all that its predecessors said, and at 4 KB they would otherwise
 * outgrow the events of a quiet log.
 */
async function insertCheckpoint(
  transaction: Transaction,
  { size, root }: SequencerState,
  signers: readonly [SigningKeys, ...SigningKeys[]],
  now: number,
): Promise<void> {
  const timestamp = Math.floor(now / 1000);
  const note = signCheckpoint(signers, { size, root }, timestamp);
  await sql`insert into audit_checkpoints (size, root, signed_at, note)
    values (${size}, ${root}, ${new Date(timestamp * 1000)}, ${note})`.execute(transaction);
  await sql`delete from audit_checkpoints
    where size < ${size} and signed_at >= ${new Date(now - (now % HOUR))}
      and not exists (select from audit_cosignatures as s where s.size = audit_checkpoints.size)`.execute(transaction);
}

const damaged = (detail: string) => new AuditLogError('audit-log.damaged', { detail });
