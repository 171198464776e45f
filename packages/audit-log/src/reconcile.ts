/** Comparing the rows of covered tables with the log: every committed insert, update and delete belongs to an event. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { type Counted, countedRows, digestOf, keyOf, readArguments, TRIGGER_PREFIX } from './covered-table.ts';
import { lockInbox } from './internal/inbox.ts';

export interface UnloggedChange {
  readonly table: string;
  /** The row's primary key; several columns are joined by a slash. */
  readonly row: string;
  readonly kind: 'inserted' | 'changed' | 'deleted';
  /**
   * `no-event`: the transaction that did it wrote no event. `behind-triggers`: nothing recorded it, so it was done by somebody who
   * may switch triggers off. `event-missing`: the event it belonged to is not in the log.
   */
  readonly reason: 'no-event' | 'behind-triggers' | 'event-missing';
}

export interface CoveredTable {
  readonly name: string;
  /** Rows it holds. */
  readonly rows: number;
  /** False when one of its triggers is gone or switched off: what changes meanwhile is found, but not who did it. */
  readonly isWatched: boolean;
}

export interface Reconciliation {
  readonly ok: boolean;
  readonly tables: readonly CoveredTable[];
  readonly changes: readonly UnloggedChange[];
  /** Changes found in all; at most `NAMED` of each table are listed. */
  readonly count: number;
}

/** Changes of one table that are named one by one. */
const NAMED = 100;

/** Inserting, updating and deleting. */
const TRIGGERS = 3;

/**
 * For the system role. A change without an event is found for as long as nobody accepted it, also when a later one had its event. Each table is compared in one statement, which sees rows, ledger and waiting events as they were at one moment; writers
 * go on meanwhile.
 */
export async function reconcile(transaction: Transaction): Promise<Reconciliation> {
  const tables: CoveredTable[] = [];
  const changes: UnloggedChange[] = [];
  let count = 0;
  for (const covered of await readCovered(transaction)) {
    const { name, isWatched } = covered;
    const found = await compare(transaction, covered);
    tables.push({ name, rows: found.rows, isWatched });
    changes.push(...found.changes);
    count += found.count;
  }
  return { ok: count === 0 && tables.every(({ isWatched }) => isWatched), tables, changes, count };
}

/**
 * Takes the rows as they are from now on, after somebody looked into what `reconcile` found. The caller writes the event that says so, in the
 * same transaction. Returns how many changes are no longer findings.
 */
export async function acceptChanges(transaction: Transaction): Promise<number> {
  await lockInbox(transaction);
  const { count } = await reconcile(transaction);
  await sql`delete from audit_changes as c
    where not exists (select from audit_inbox as i where i.transaction = c.transaction)`.execute(transaction);
  for (const { name, key, columns, rows } of await readCovered(transaction)) {
    if (key.length === 0) {
      await sql`delete from audit_rows where table_name = ${name}`.execute(transaction);
      continue;
    }
    const stored = sql`select ${sql.raw(keyOf(key))} as key, ${sql.raw(digestOf(columns))} as digest from ${sql.table(name)} as r
      where ${sql.raw(countedRows(rows))}`;
    await sql`delete from audit_rows where table_name = ${name} and key not in (select key from (${stored}) as stored)`.execute(
      transaction,
    );
    await sql`insert into audit_rows as known (table_name, key, digest, changed_at)
      select ${name}, key, digest, clock_timestamp() from (${stored}) as stored
      on conflict (table_name, key) do update
        set digest = excluded.digest, changed_at = excluded.changed_at, event_id = null
        where known.digest is distinct from excluded.digest
          or not exists (select from audit_leaves as l where l.event_id = known.event_id)`.execute(transaction);
  }
  return count;
}

/** The key is empty when no trigger tells it any more. */
interface Covered extends Counted {
  readonly name: string;
  readonly isWatched: boolean;
}

/** Tables with triggers, and those the ledger knows although they have none. */
async function readCovered(transaction: Transaction): Promise<Covered[]> {
  const { rows } = await sql<{ name: string; given: string; enabled: number }>`
    with watched as (
      select c.relname::text as name, max(encode(t.tgargs, 'escape')) as given, count(*) filter (where t.tgenabled in ('O', 'A'))::int as enabled
      from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
      where starts_with(t.tgname::text, ${TRIGGER_PREFIX}) and c.relnamespace = 'public'::regnamespace
      group by c.relname
    )
    select name, given, enabled from watched
    union all
    select distinct table_name, '', 0 from audit_rows where table_name not in (select name from watched)
    order by name`.execute(transaction);
  return rows.map(({ name, given, enabled }) => ({
    name,
    // Each argument ends with a zero byte, which is shown as an octal escape.
    ...readArguments(given.split('\\000').slice(0, -1)),
    isWatched: enabled === TRIGGERS,
  }));
}

interface Compared {
  readonly rows: number;
  readonly count: number;
  readonly changes: readonly UnloggedChange[];
}

async function compare(
  transaction: Transaction,
  { name: table, key, columns, rows: counted }: Covered,
): Promise<Compared> {
  // Without its triggers nobody says what its key is; that they are gone is finding enough.
  if (key.length === 0) return { rows: 0, count: 0, changes: [] };
  const { rows } = await sql<{ rows: number; count: number; changes: UnloggedChange[] }>`
    with waiting as materialized (
      select distinct transaction from audit_inbox
    ), known as materialized (
      select key, digest, changed_at, true as has_event, event_id from audit_rows where table_name = ${table}
      union all
      select c.key, c.digest, c.changed_at, w.transaction is not null, null
      from audit_changes as c left join waiting as w using (transaction)
      where c.table_name = ${table}
    ), expected as (
      select distinct on (key) key, digest, event_id is not null and not exists (
        select from audit_leaves as l where l.event_id = known.event_id) as is_missing
      from known order by key, changed_at desc
    ), without_event as (
      select distinct on (key) key, digest from known where not has_event order by key, changed_at desc
    ), stored as materialized (
      select ${sql.raw(keyOf(key))} as key, ${sql.raw(digestOf(columns))} as digest from ${sql.table(table)} as r
      where ${sql.raw(countedRows(counted))}
    ), unlogged as (
      select key as row,
        case
          when e.digest is distinct from s.digest then
            case when s.digest is null then 'deleted' when e.digest is null then 'inserted' else 'changed' end
          when w.key is not null and w.digest is null then 'deleted'
          when w.key is not null and not exists (select from known as k where k.key = w.key and k.has_event and k.digest is not null)
            then 'inserted'
          else 'changed' end as kind,
        case when e.digest is distinct from s.digest then 'behind-triggers'
          when w.key is not null then 'no-event' else 'event-missing' end as reason
      from expected as e full join stored as s using (key) left join without_event as w using (key)
      where e.digest is distinct from s.digest or w.key is not null or e.is_missing
    )
    select (select count(*) from stored) as rows, (select count(*) from unlogged) as count,
      (select coalesce(json_agg(json_build_object('table', ${table}::text, 'row', row, 'kind', kind, 'reason', reason)), '[]')
        from (select * from unlogged order by row limit ${NAMED}::int) as named) as changes`.execute(transaction);
  return rows[0]!;
}
