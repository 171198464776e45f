/** Forgetting a person: what leads from the log to them is deleted, and an event says that it was. */
import { newUuid, type RequestContext, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { type RawBuilder, sql } from 'kysely';
import { REDACTION } from '../entry.ts';
import { appendEvent, type People } from './append-event.ts';
import { asSystemRole } from './as-system-role.ts';
import { lockInbox } from './inbox.ts';

export interface Redaction {
  /** Values that were deleted. */
  readonly openings: number;
  /** Events written, one for each tenant with traces of the person. */
  readonly events: number;
}

export async function redactSubject(
  transaction: Transaction,
  people: People,
  account: Uuid,
  now: number,
  context: RequestContext = bySystem(now),
): Promise<Redaction | null> {
  // The serving role may neither see traces in other tenants nor delete any.
  return asSystemRole(transaction, () => redact(transaction, people, account, now, context));
}

async function redact(
  transaction: Transaction,
  people: People,
  account: Uuid,
  now: number,
  context: RequestContext,
): Promise<Redaction | null> {
  // No event about the person is on its way from the inbox into the log while what is about them is looked for in both. Of events that
  // are committed later the sequencer keeps no opening; see late-redactions.ts.
  await lockInbox(transaction);
  const deleted = await sql<{ pseudonym: string }>`
    delete from audit_pseudonyms where account_id = ${account}::uuid returning pseudonym`.execute(transaction);
  const pseudonym = deleted.rows[0]?.pseudonym;
  if (pseudonym === undefined) return null;
  await sql`select set_config('strongroom.audit_forgotten',
    coalesce(current_setting('strongroom.audit_forgotten', true), '') || ${`${account}=${pseudonym};`}::text, true)`.execute(
    transaction,
  );
  people.pseudonyms.forget(transaction, account);
  people.openings.forget(pseudonym);
  // Those of the person, and those with digests of what was changed in events that only name them; see `holdersOf`.
  const openings = await sql<{ count: number }>`
    with named as materialized (
      select event_id from audit_events as e where ${withDigests(sql`e.details`)} and (e.actor = ${pseudonym}::uuid
        or e.subjects @> array[${pseudonym}::uuid] or (e.object_type = 'account' and e.object_id = ${pseudonym}::text))
    ), gone as (
      delete from audit_openings where subject = ${pseudonym}::uuid or event_id in (select event_id from named) returning 1
    )
    select (select count(*) from gone)
      + (select count(opening) from audit_inbox where strpos(event, ${pseudonym}::text) > 0
        and (subject = ${pseudonym}::uuid or ${withDigests(sql`event::jsonb->>15`)})) as count`.execute(transaction);
  const tenants = await sql<{ tenant: Uuid | null }>`
    select tenant_id as tenant from audit_events
    where actor = ${pseudonym}::uuid or subjects @> array[${pseudonym}::uuid] or object_id = ${pseudonym}::text
    union
    select (event::jsonb->>9)::uuid from audit_inbox where strpos(event, ${pseudonym}::text) > 0`.execute(transaction);
  const count = openings.rows[0]!.count;
  for (const { tenant } of tenants.rows) {
    await appendEvent(
      transaction,
      people,
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

/** As `hasDigests` does it. */
const withDigests = (details: RawBuilder<unknown>) =>
  sql`(strpos(${details}, '"beforeDigest":') > 0 or strpos(${details}, '"afterDigest":') > 0)`;

const bySystem = (now: number): RequestContext => ({
  requestId: newUuid(now),
  actor: { kind: 'system', job: 'audit-log.redaction' },
  addressPrefix: null,
  receivedAt: now,
});
