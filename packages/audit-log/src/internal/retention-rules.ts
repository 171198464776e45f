/** What a retention run has to obey, read from the log itself: what changed periods and holds are entries like any other. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { EventColumns } from '../entry.ts';
import type { LogEntry } from '../log-source.ts';
import { HOLD_ADDED, HOLD_RELEASED, RETENTION_CHANGED, RetentionRules } from '../retention.ts';
import { eventColumns, eventJson, type EventJson, parseEntries } from './read-events.ts';

const RULES: readonly string[] = [RETENTION_CHANGED, HOLD_ADDED, HOLD_RELEASED];

/** Those that have their place in the log, in its order. */
export async function readRuleEntries(transaction: Transaction): Promise<LogEntry[]> {
  const { rows } = await sql<{ entries: string }>`
    select coalesce(json_agg(json_build_array(l.index, encode(l.hash, 'hex'), ${eventJson}, null) order by l.index), '[]')::text as entries
    from audit_events as e join audit_leaves as l using (event_id) where e.type = any(${RULES}::text[])`.execute(
    transaction,
  );
  return parseEntries(rows[0]!.entries, 'missing');
}

/** For showing them, and for the system role: also what was committed a moment ago and still waits for its place. */
export async function readRetentionRules(transaction: Transaction): Promise<RetentionRules> {
  const { rows } = await sql<{ event: string }>`
    select event from audit_inbox where ${sql.join(
      RULES.map((type) => sql`strpos(event, ${`"${type}"`}) > 0`),
      sql` or `,
    )}`.execute(transaction);
  const waiting = rows.map(({ event }) => eventColumns(JSON.parse(event) as EventJson));
  const logged = (await readRuleEntries(transaction)).flatMap(({ event }) =>
    typeof event === 'string' ? [] : [event],
  );
  const known = new Set(logged.map(({ eventId }) => eventId));
  const rules = new RetentionRules();
  for (const event of [...logged, ...waiting.filter(({ eventId }) => !known.has(eventId)).toSorted(byId)]) {
    rules.follow(event);
  }
  return rules;
}

const byId = (left: EventColumns, right: EventColumns): number => (left.eventId < right.eventId ? -1 : 1);
