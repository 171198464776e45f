/** Forgetting a person: what leads from the log to them is deleted, and an event says that it was. */
import { newUuid, type RequestContext, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { REDACTION } from '../entry.ts';
import { appendEvent } from './append-event.ts';

export interface Redaction {
  /** Values that were deleted. */
  readonly openings: number;
  /** Events written, one for each tenant with traces of the person. */
  readonly events: number;
}

export async function redactSubject(
  transaction: Transaction,
  account: Uuid,
  now: number,
  context: RequestContext = bySystem(now),
): Promise<Redaction | null> {
  // The serving role may neither see traces in other tenants nor delete any. The role is the transaction's own and put back.
  const { rows } = await sql<{ role: string }>`select current_setting('role') as role`.execute(transaction);
  await sql`set local role strongroom_system`.execute(transaction);
  const redaction = await redact(transaction, account, now, context);
  await sql`select set_config('role', ${rows[0]!.role}::text, true)`.execute(transaction);
  return redaction;
}

async function redact(
  transaction: Transaction,
  account: Uuid,
  now: number,
  context: RequestContext,
): Promise<Redaction | null> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${account}::text, 0))`.execute(transaction);
  const deleted = await sql<{ pseudonym: string }>`
    delete from audit_pseudonyms where account_id = ${account}::uuid returning pseudonym`.execute(transaction);
  const pseudonym = deleted.rows[0]?.pseudonym;
  if (pseudonym === undefined) return null;
  await sql`select set_config('strongroom.audit_forgotten',
    coalesce(current_setting('strongroom.audit_forgotten', true), '') || ${`${account}=${pseudonym};`}::text, true)`.execute(
    transaction,
  );
  const openings = await sql<{ count: number }>`
    with gone as (delete from audit_openings where subject = ${pseudonym}::uuid returning 1)
    select count(*) as count from gone`.execute(transaction);
  const tenants = await sql<{ tenant: Uuid | null }>`
    select distinct tenant_id as tenant from audit_events
    where actor = ${pseudonym}::uuid or subjects @> array[${pseudonym}::uuid]
      or object_id = ${pseudonym}::text`.execute(transaction);
  const count = openings.rows[0]!.count;
  for (const { tenant } of tenants.rows) {
    await appendEvent(
      transaction,
      {
        type: REDACTION,
        outcome: 'success',
        context,
        tenant,
        object: null,
        subjects: [account],
        details: { openings: count },
      },
      now,
    );
  }
  return { openings: count, events: tenants.rows.length };
}

const bySystem = (now: number): RequestContext => ({
  requestId: newUuid(now),
  actor: { kind: 'system', job: 'audit-log.redaction' },
  addressPrefix: null,
  receivedAt: now,
});
