/**
 * The one path by which sealed content enters the tables (`read.ts` is the one out). Whatever is to happen to every stored token (the outer
 * layer under the author's key, a quota) belongs here.
 */
import type { Encryption } from '@strongroom/encryption';
import { equalBytes, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { tokenDigest } from './digests.ts';
import { openTokens, sealToken } from './outer-layer.ts';
import type { Refusal } from './refusal.ts';
import { advance, lockSpaceFor } from './sequence.ts';
import { tables, type SpacePlace } from './tables.ts';

export interface Write {
  readonly id: Uuid;
  /** The version this write replaces; 0 creates the memory. */
  readonly expectedVersion: number;
  readonly epoch: number;
  readonly token: Uint8Array;
}

export interface Outcome {
  readonly id: Uuid;
  readonly version: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly at: Date;
  /** True when this very write was stored before, and nothing changed now. */
  readonly repeated: boolean;
  /** Digest of the token that was the present one until now; null where there was none, or its author was erased. */
  readonly replaced: Uint8Array | null;
}

export type WriteResult =
  | { readonly kind: 'written'; readonly outcomes: readonly Outcome[] }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] };

/** Writes all or none. Answers in the order of `writes`, whose ids must differ from each other. */
export async function writeMemories(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  by: { readonly author: Uuid; readonly now: number },
  writes: readonly Write[],
): Promise<WriteResult> {
  const space = await lockSpaceFor(transaction, place, { account: by.author, permission: 'memory.write' });
  const stored = await storedState(encryption, transaction, place, writes);
  const refusals: Refusal[] = [];
  const repeated = new Map<Uuid, Outcome>();
  const fresh: Write[] = [];
  for (const write of writes) {
    const judged = judge(write, stored.get(write.id), space.epoch);
    if (judged === 'fresh') fresh.push(write);
    else if ('code' in judged) refusals.push(judged);
    else repeated.set(write.id, judged);
  }
  if (refusals.length > 0) return { kind: 'refused', refusals };
  const done = await store(encryption, transaction, place, by, space.sequence, fresh, stored);
  return { kind: 'written', outcomes: writes.map((write) => done.get(write.id) ?? repeated.get(write.id)!) };
}

interface Stored {
  readonly version: number;
  readonly deleted: boolean;
  /** What is stored under the version that the write would create, if it exists. */
  readonly sameVersion: { epoch: number; sequence: number; token: Uint8Array | null; at: Date } | undefined;
  /** Digest of the token under the version that the write would replace. */
  readonly replaced: Uint8Array | null;
}

async function storedState(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  writes: readonly Write[],
): Promise<ReadonlyMap<Uuid, Stored>> {
  const ids = writes.map((write) => write.id);
  const rows = await tables(transaction)
    .selectFrom('memories')
    .select(['id', 'version', 'deleted_at'])
    .where('tenant_id', '=', place.tenant)
    .where('space_id', '=', place.space)
    .where('id', 'in', ids)
    .execute();
  const state = new Map<Uuid, Stored>();
  if (rows.length === 0) return state;

  const expected = new Map(writes.map((write) => [write.id, write.expectedVersion]));
  const versions = await tables(transaction)
    .selectFrom('memory_versions')
    .select(['memory_id as id', 'version', 'epoch', 'sequence', 'token', 'author_id as author', 'created_at'])
    .where('tenant_id', '=', place.tenant)
    .where('space_id', '=', place.space)
    .where((where) =>
      where.or(
        rows.map(({ id }) => {
          const version = expected.get(id)!;
          return where.and([where('memory_id', '=', id), where('version', 'in', [version, version + 1])]);
        }),
      ),
    )
    .execute();
  const opened = await openTokens(encryption, transaction, place, versions);
  const found = new Map(opened.map((row) => [`${row.id} ${row.version}`, row]));
  for (const row of rows) {
    const version = expected.get(row.id)!;
    const same = found.get(`${row.id} ${version + 1}`);
    const former = found.get(`${row.id} ${version}`)?.token ?? null;
    state.set(row.id, {
      version: row.version,
      deleted: row.deleted_at !== null,
      sameVersion: same && { epoch: same.epoch, sequence: same.sequence, token: same.token, at: same.created_at },
      replaced: former === null ? null : tokenDigest(former),
    });
  }
  return state;
}

function judge(write: Write, stored: Stored | undefined, currentEpoch: number): 'fresh' | Outcome | Refusal {
  const { id } = write;
  if (stored?.deleted === true) return { id, code: 'memories.deleted' };
  const same = stored?.sameVersion;
  const token = same?.token ?? undefined;
  if (same !== undefined && token !== undefined && same.epoch === write.epoch && equalBytes(token, write.token)) {
    const version = write.expectedVersion + 1;
    return { id, version, epoch: same.epoch, sequence: same.sequence, at: same.at, repeated: true, replaced: null };
  }
  if (stored === undefined && write.expectedVersion > 0) return { id, code: 'memories.not-found' };
  if (stored !== undefined && stored.version !== write.expectedVersion) {
    return { id, code: 'memories.conflict', currentVersion: stored.version };
  }
  if (write.epoch !== currentEpoch) return { id, code: 'memories.stale-epoch', currentEpoch };
  return 'fresh';
}

async function store(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  by: { readonly author: Uuid; readonly now: number },
  sequenceBefore: number,
  writes: readonly Write[],
  stored: ReadonlyMap<Uuid, Stored>,
): Promise<ReadonlyMap<Uuid, Outcome>> {
  if (writes.length === 0) return new Map();
  const at = new Date(by.now);
  const key = { tenant_id: place.tenant, space_id: place.space };
  const outcomes = writes.map((write, index): Outcome => {
    const version = write.expectedVersion + 1;
    const sequence = sequenceBefore + index + 1;
    const replaced = stored.get(write.id)?.replaced ?? null;
    return { id: write.id, version, epoch: write.epoch, sequence, at, repeated: false, replaced };
  });
  await advance(transaction, place, writes.length);
  await tables(transaction)
    .insertInto('memories')
    .values(
      outcomes.map(({ id, version, epoch, sequence }) => ({
        ...key,
        id,
        version,
        epoch,
        sequence,
        changed_at: at,
        deleted_at: null,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'space_id', 'id']).doUpdateSet((row) => ({
        version: row.ref('excluded.version'),
        epoch: row.ref('excluded.epoch'),
        sequence: row.ref('excluded.sequence'),
        changed_at: row.ref('excluded.changed_at'),
      })),
    )
    .execute();
  const keys = await encryption.subjects(transaction, [by.author], { create: true });
  await tables(transaction)
    .insertInto('memory_versions')
    .values(
      outcomes.map(({ id, version, epoch, sequence }, index) => {
        const { token: content } = writes[index]!;
        const token = sealToken(keys, place, { id, version }, by.author, content);
        const row = { ...key, memory_id: id, version, epoch, sequence, token, size: content.length };
        return { ...row, author_id: by.author, created_at: at };
      }),
    )
    .execute();
  return new Map(outcomes.map((outcome) => [outcome.id, outcome]));
}
