/** From the queue into the tree: one batch, one transaction, one signed checkpoint. */
import type { Encryption } from '@strongroom/encryption';
import { equalBytes } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { checkpointVerifier } from '../checkpoint.ts';
import { eventLeaf } from '../entry.ts';
import { AuditLogError } from '../errors.ts';
import { emptyRoot, HASH_LENGTH } from '../merkle.ts';
import { type FullTile, partialTiles, TileBuilder } from '../tiles.ts';
import { eventColumns, eventJson, type EventJson } from './read-events.ts';
import { createSigningKeys, keysOf, loadSigningKeys, signCheckpoint, type SigningKeys } from './signing-keys.ts';
import { insertLeaves, insertTiles, readEdge, readNewestCheckpoint } from './tree-store.ts';

/** Events of one batch. Tile work and signature are spread over them; the transaction stays well under a second. */
export const BATCH = 8192;

/** Any number that no other advisory lock of this database uses: the ASCII codes of `SRAL`. */
const ADVISORY_LOCK = 0x53_52_41_4c;

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

export async function isWaiting(transaction: Transaction): Promise<boolean> {
  const { rows } = await sql<{ waiting: boolean }>`
    select exists (select from audit_queue) as waiting`.execute(transaction);
  return rows[0]!.waiting;
}

/**
 * Sequences up to `BATCH` queued events. Throws `audit-log.damaged` rather than extend a tree that is not the one signed last: a
 * log must never sign two histories.
 */
export async function sequenceBatch(
  transaction: Transaction,
  encryption: Encryption,
  now: number,
  last: SequencerState | undefined,
): Promise<BatchResult> {
  // Held to the end of the transaction; every statement after it sees what the former holder committed.
  await sql`select pg_advisory_xact_lock(${ADVISORY_LOCK}::bigint)`.execute(transaction);
  const { rows } = await sql<{ events: string }>`
    select coalesce(json_agg(${eventJson} order by e.event_id), '[]')::text as events
    from (select event_id from audit_queue order by event_id limit ${BATCH}::int) as queued
    join audit_events as e using (event_id)`.execute(transaction);
  const events = (JSON.parse(rows[0]!.events) as EventJson[]).map(eventColumns);
  if (events.length === 0) return { sequenced: 0, state: last };

  const tree = await lastTree(transaction, encryption, now, last);
  const tiles: FullTile[] = [];
  const builder = new TileBuilder({ size: tree.size, edge: await intactEdge(transaction, tree) }, (tile) =>
    tiles.push(tile),
  );
  if (!equalBytes(builder.root(), tree.root)) throw damaged('The tree does not have the root that was signed.');
  const hashes = events.map(eventLeaf);
  for (const hash of hashes) builder.append(hash);

  const eventIds = events.map(({ eventId }) => eventId);
  await insertLeaves(transaction, tree.size, eventIds, hashes);
  await insertTiles(transaction, tiles);
  await sql`delete from audit_queue where event_id = any(${eventIds}::uuid[])`.execute(transaction);
  const signed = { keys: tree.keys, size: builder.size, root: builder.root() };
  await insertCheckpoint(transaction, signed, now);
  return { sequenced: events.length, state: signed };
}

/** The tree to continue, vouched for by our own signatures or by what this process remembers. */
async function lastTree(
  transaction: Transaction,
  encryption: Encryption,
  now: number,
  last: SequencerState | undefined,
): Promise<SequencerState> {
  const keys = last?.keys ?? (await loadSigningKeys(transaction, encryption));
  const newest = await readNewestCheckpoint(transaction);
  if (newest === null) {
    if (last !== undefined) throw damaged('All checkpoints are gone.');
    return { keys: keys ?? (await createSigningKeys(transaction, encryption, now)), size: 0, root: emptyRoot() };
  }
  if (keys === undefined) throw damaged('The signing keys are gone.');
  const { size, root } = newest.columns;
  if (last !== undefined) {
    if (size === last.size && equalBytes(root, last.root)) return last;
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
  { keys, size, root }: SequencerState,
  now: number,
): Promise<void> {
  const timestamp = Math.floor(now / 1000);
  const note = signCheckpoint(keys, { size, root }, timestamp);
  await sql`insert into audit_checkpoints (size, root, signed_at, note)
    values (${size}, ${root}, ${new Date(timestamp * 1000)}, ${note})`.execute(transaction);
  await sql`delete from audit_checkpoints
    where size < ${size} and signed_at >= ${new Date(now - (now % HOUR))}
      and not exists (select from audit_cosignatures as s where s.size = audit_checkpoints.size)`.execute(transaction);
}

const damaged = (detail: string) => new AuditLogError('audit-log.damaged', { detail });
