/** Buckets in the database: they survive a restart and all replicas share them. */
import type { LimitDecision, LimitPolicy } from '@strongroom/pipeline';
import { inInstallation, type Database } from '@strongroom/storage';
import { sql } from 'kysely';
import { allowedDecision, intervalOf, refusedDecision } from './gcra.ts';

interface BucketRow {
  readonly full_at: number;
}

/**
 * One statement decides and counts, so that any number of takers at once get exactly what the bucket holds: a conflict
 * locks the row, and the condition is evaluated on its newest version. A refused take changes no row. Only then the
 * bucket is read, for the waiting time. `fullAt` is the bucket as it was seen, when it was.
 */
export async function takeDurable(
  database: Database,
  policy: LimitPolicy,
  keyHash: Uint8Array,
  cost: number,
  now: number,
): Promise<{ readonly decision: LimitDecision; readonly fullAt: number | undefined }> {
  const interval = intervalOf(policy);
  const taken = cost * interval;
  const depth = policy.burst * interval;
  return await database.transaction(inInstallation, async (transaction) => {
    const admitted = await sql<BucketRow>`
      insert into rate_limits as bucket (policy, key_hash, full_at)
      values (${policy.name}, ${keyHash}, ${now + taken})
      on conflict (policy, key_hash) do update
        set full_at = greatest(bucket.full_at, ${now}::bigint) + ${taken}::bigint
        where greatest(bucket.full_at, ${now}::bigint) <= ${now + depth - taken}::bigint
      returning full_at
    `.execute(transaction);
    const fullAt = admitted.rows[0]?.full_at;
    if (fullAt !== undefined) return { decision: allowedDecision(policy, fullAt, now), fullAt };
    const refusing = await sql<BucketRow>`
      select full_at from rate_limits where policy = ${policy.name} and key_hash = ${keyHash}
    `.execute(transaction);
    const seen = refusing.rows[0]?.full_at;
    return { decision: refusedDecision(policy, Math.max(seen ?? now + depth, now), now, cost), fullAt: seen };
  });
}

/** Rows whose bucket has long been full mean the same as no row. Returns how many went. */
export async function purgeDurable(database: Database, before: number): Promise<number> {
  const { rows } = await database.transaction(inInstallation, (transaction) =>
    sql<{ readonly purged: number }>`
      with gone as (delete from rate_limits where full_at < ${before}::bigint returning 1)
      select count(*) as purged from gone
    `.execute(transaction),
  );
  return rows[0]?.purged ?? 0;
}
