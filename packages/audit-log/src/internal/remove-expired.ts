/** One batch of a retention run: what is older than its period is removed, and the entry that says so takes its place in the tree, in one transaction. */
import type { Encryption } from '@strongroom/encryption';
import { type AuditRetention } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { type RawBuilder, sql } from 'kysely';
import type { EventCatalogue } from '../catalogue.ts';
import { canonicalDetails, eventLeaf, type EventColumns } from '../entry.ts';
import { AuditLogError } from '../errors.ts';
import type { LogEntry } from '../log-source.ts';
import { HASH_LENGTH } from '../merkle.ts';
import { createInclusionProof, nodesFromTiles, type ReadNode, verifyInclusion } from '../proofs.ts';
import {
  DAY,
  type Hold,
  KEPT_TYPES,
  periodFor,
  rangesOf,
  RETENTION_RUN,
  RetentionRules,
  runDetails,
} from '../retention.ts';
import { lockInbox } from './inbox.ts';
import { eventJson, parseEntries, waitingJson } from './read-events.ts';
import { readRetentionRules, readRuleEntries } from './retention-rules.ts';
import { extendTree, lastTree, type SequencerState } from './sequencer.ts';
import { readNewestCheckpoint, readTiles } from './tree-store.ts';
import { ownEvent } from './own-event.ts';

/** Entries of one batch. Each is proved to be in the signed tree first, and the batch shall not keep writers' events waiting for more than about a second. */
export const RETENTION_BATCH = 1024;

/** Who made the run: the job, or the operator. */
export interface RunActor {
  readonly kind: 'system' | 'operator';
  readonly via: string;
}

export interface RemovedBatch {
  readonly removed: number;
  /** What to remember once the transaction has committed. */
  readonly state: SequencerState | undefined;
}

interface Run {
  readonly events: EventCatalogue;
  readonly now: number;
  readonly actor: RunActor;
}

/**
 * Removes up to `RETENTION_BATCH` events and what belongs to them. Throws `audit-log.damaged`, and removes nothing, when an event to remove, or one that sets periods or
 * holds, is not as it was logged: a changed time must not let the log itself destroy the evidence.
 */
export async function removeExpired(
  transaction: Transaction,
  encryption: Encryption,
  { events, now, actor }: Run,
  last: SequencerState | undefined,
): Promise<RemovedBatch> {
  await lockInbox(transaction);
  if ((await readNewestCheckpoint(transaction)) === null) return { removed: 0, state: last };
  const tree = await lastTree(transaction, encryption, now, last);
  const expect = expectLogged(transaction, tree);
  const rules = new RetentionRules();
  for (const entry of await readRuleEntries(transaction)) rules.follow(await expect(entry));

  const entries = await readExpired(transaction, expiredBefore(events, rules, now), [...rules.holds.values()]);
  if (entries.length === 0) return { removed: 0, state: last };
  const ids: string[] = [];
  for (const entry of entries) ids.push((await expect(entry)).eventId);

  const ranges = rangesOf(entries.map(({ index }) => index));
  const details = runDetails({ ranges, periods: rules.periods, holds: [...rules.holds.keys()] });
  const event = ownEvent(now, RETENTION_RUN, actor, canonicalDetails(details));
  const { rows } = await sql<{ row: string; transaction: string }>`
    insert into audit_inbox (event) values (${waitingJson(event)}) returning ctid::text as row, transaction::text`.execute(
    transaction,
  );
  const waiting = { ...rows[0]!, hasOpening: false, event };
  const state = await extendTree(transaction, tree, [waiting], { forgotten: new Set(), now });
  await sql`insert into audit_removals (from_index, to_index, event_id)
    select from_index, to_index, ${event.eventId}::uuid
    from unnest(${ranges.map(({ from }) => from)}::bigint[], ${ranges.map(({ to }) => to)}::bigint[]) as named (from_index, to_index)`.execute(
    transaction,
  );
  await sql`delete from audit_openings where event_id = any(${ids}::uuid[])`.execute(transaction);
  await sql`delete from audit_events where event_id = any(${ids}::uuid[])`.execute(transaction);
  return { removed: ids.length, state };
}

export interface RetentionPreview {
  /** Events older than their period, by the retention of their type, without those on hold. */
  readonly due: Readonly<Record<AuditRetention, number>>;
  /** Events older than their period that a hold keeps. */
  readonly held: number;
}

/** What a run would do now. */
export async function previewRetention(
  transaction: Transaction,
  events: EventCatalogue,
  now: number,
): Promise<RetentionPreview> {
  const rules = await readRetentionRules(transaction);
  const held = heldBy([...rules.holds.values()]);
  const due = { security: 0, access: 0, operational: 0 };
  let kept = 0;
  for (const { retention, condition } of expiredBefore(events, rules, now)) {
    const { rows } = await sql<{ due: number; held: number }>`
      select count(*) filter (where ${held} is not true) as due, count(*) filter (where ${held}) as held
      from audit_events as e join audit_leaves using (event_id) where ${condition}`.execute(transaction);
    due[retention] = rows[0]!.due;
    kept += rows[0]!.held;
  }
  return { due, held: kept };
}

interface Expired {
  readonly retention: AuditRetention;
  readonly condition: RawBuilder<unknown>;
}

/** A type that nobody declares any more is kept as long as any. */
function expiredBefore(events: EventCatalogue, { periods }: RetentionRules, now: number): Expired[] {
  const typesOf = (retention: AuditRetention): string[] =>
    [...events].flatMap(([type, declared]) =>
      declared.retention === retention && !KEPT_TYPES.includes(type) ? [type] : [],
    );
  const others = [...typesOf('access'), ...typesOf('operational'), ...KEPT_TYPES];
  return (['operational', 'access', 'security'] as const).map((retention) => {
    const before = sql`e.occurred_at < ${new Date(now - periodFor(periods, retention) * DAY)}`;
    const types =
      retention === 'security'
        ? sql`e.type <> all(${others}::text[])`
        : sql`e.type = any(${typesOf(retention)}::text[])`;
    return { retention, condition: sql`${types} and ${before}` };
  });
}

/** Whether some hold is about event `e`. Null, where a condition meets no value, is no. */
function heldBy(holds: readonly Hold[]): RawBuilder<unknown> {
  if (holds.length === 0) return sql`false`;
  const conditions = holds.map(({ tenant, person, from, to }) => {
    const all = [
      ...(tenant === null ? [] : [sql`e.tenant_id = ${tenant}::uuid`]),
      ...(person === null
        ? []
        : [
            sql`(coalesce(e.actor = ${person}::uuid, false) or e.subjects @> array[${person}::uuid] or coalesce(e.object_id = ${person}::text, false))`,
          ]),
      ...(from === null ? [] : [sql`e.occurred_at >= ${from}::timestamptz`]),
      ...(to === null ? [] : [sql`e.occurred_at < ${to}::timestamptz`]),
    ];
    return all.length === 0 ? sql`true` : sql`coalesce(${sql.join(all, sql` and `)}, false)`;
  });
  return sql`(${sql.join(conditions, sql` or `)})`;
}

/** The oldest first, each class until the batch is full; in the order of the log. */
async function readExpired(
  transaction: Transaction,
  expired: readonly Expired[],
  holds: readonly Hold[],
): Promise<LogEntry[]> {
  const held = heldBy(holds);
  const entries: LogEntry[] = [];
  for (const { condition } of expired) {
    const room = RETENTION_BATCH - entries.length;
    if (room === 0) break;
    const { rows } = await sql<{ entries: string }>`
      with found as materialized (
        select e.*, l.index, l.hash from audit_events as e join audit_leaves as l using (event_id)
        where ${condition} and ${held} is not true order by e.occurred_at, e.event_id limit ${room}::int
      )
      select coalesce(json_agg(json_build_array(e.index, encode(e.hash, 'hex'), ${eventJson}, null)), '[]')::text as entries
      from found as e`.execute(transaction);
    entries.push(...parseEntries(rows[0]!.entries, 'missing'));
  }
  return entries.toSorted((left, right) => left.index - right.index);
}

/** Returns the event of an entry that is, column by column, in the tree that was signed. */
function expectLogged(
  transaction: Transaction,
  { size, root }: SequencerState,
): (entry: LogEntry) => Promise<EventColumns> {
  const nodes = remembering(
    nodesFromTiles(size, async (level, index, width) => {
      const [tile] = await readTiles(transaction, [{ level, index, width }]);
      if (tile?.hashes.length !== width * HASH_LENGTH) throw damaged(`Tile ${level}/${index} is missing.`);
      return tile.hashes;
    }),
  );
  return async ({ index, event }) => {
    if (typeof event === 'string') throw damaged(`Event ${index} is missing.`);
    const claim = { index, size, leaf: eventLeaf(event), root };
    if (index >= size || !verifyInclusion(claim, await createInclusionProof(nodes, index, size))) {
      throw damaged(`Event ${index} is not as it was logged. Nothing is removed; verify the log.`);
    }
    return event;
  };
}

/** Neighbours share most of their paths. */
function remembering(read: ReadNode): ReadNode {
  const known = new Map<string, Promise<Uint8Array>>();
  return (height, index) => {
    const name = `${height}/${index}`;
    const node = known.get(name) ?? read(height, index);
    known.set(name, node);
    return node;
  };
}

const damaged = (detail: string) => new AuditLogError('audit-log.damaged', { detail });
