/** Which rows of covered tables are accounted for by which event. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { WaitingEvent } from './inbox.ts';

/** Takes what the transactions of these events changed, and remembers the newest state of each row. */
export async function settleChanges(transaction: Transaction, logged: readonly WaitingEvent[]): Promise<void> {
  const byTransaction = new Map(logged.map(({ transaction: id, event }) => [id, event]));
  await sql`
    with taken as (
      delete from audit_changes where transaction = any(${[...byTransaction.keys()]}::xid8[])
      returning transaction, table_name, key, digest, changed_at
    ), newest as (
      select distinct on (table_name, key) * from taken
      order by table_name, key, changed_at desc
    )
    insert into audit_rows (table_name, key, digest, changed_at, event_id)
    select table_name, key, digest, changed_at, event_id
    from newest join unnest(${[...byTransaction.keys()]}::xid8[], ${[...byTransaction.values()].map(({ eventId }) => eventId)}::uuid[])
      as logged (transaction, event_id) using (transaction)
    on conflict (table_name, key) do update
      set digest = excluded.digest, changed_at = excluded.changed_at, event_id = excluded.event_id
      where excluded.changed_at > audit_rows.changed_at`.execute(transaction);
}

/**
 * Deleted rows are remembered until no older change of theirs can be waiting any more, which is when the inbox is empty, and as long as a
 * change without an event is known of them.
 */
export async function dropDeleted(transaction: Transaction): Promise<void> {
  await sql`delete from audit_rows as r where digest is null
    and not exists (select from audit_changes as c where c.table_name = r.table_name and c.key = r.key)`.execute(
    transaction,
  );
}

/**
 * Transactions of the database that a backup was made of have no meaning in the one it is restored into, where the same ids come again. Changes without an
 * event get ids from here on, which no transaction ever reaches: 2^62.
 */
export const FOUND_BEFORE = 2n ** 62n;

/**
 * For a restore, in its transaction, when all rows are in place and those that are to be left out were removed again. The ledger came with the backup and stays as
 * it is: the restore vouches for nothing that was wrong before the backup was made. What was left out, such as people erased since, leaves
 * the ledger as well. Does nothing in a schema from before there was a ledger.
 */
export async function settleRestored(transaction: Transaction): Promise<void> {
  const { rows } = await sql<{ exists: boolean }>`select to_regclass('audit_changes') is not null as exists`.execute(
    transaction,
  );
  if (!rows[0]!.exists) return;
  const isOwn = sql`transaction = pg_current_xact_id() and changed_at >= transaction_timestamp()`;
  await sql`
    with left_out as materialized (
      select table_name, key from audit_changes where ${isOwn} and digest is null
    ), forgotten as (
      delete from audit_rows where (table_name, key) in (select * from left_out)
    )
    delete from audit_changes where ${isOwn} or (table_name, key) in (select * from left_out)`.execute(transaction);
  await sql`
    with stale as (
      delete from audit_changes where transaction not in (select transaction from audit_inbox)
      returning transaction, table_name, key, digest, changed_at
    )
    insert into audit_changes (transaction, table_name, key, digest, changed_at)
    select (${FOUND_BEFORE}::text::numeric + dense_rank() over (order by transaction))::text::xid8, table_name, key, digest, changed_at
    from stale`.execute(transaction);
}
