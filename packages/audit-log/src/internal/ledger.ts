/** Which rows of covered tables are accounted for by which event. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { WaitingEvent } from './inbox.ts';

/**
 * A logical restore writes every row anew. The ledger came with it and stays as it is: otherwise the restore would vouch for whatever had been
 * changed before the backup was made. Only what a restore leaves out, such as people erased since, it accounts for.
 */
export const RESTORE = 'backup.restore';

/** Takes what the transactions of these events changed, and remembers the newest state of each row. */
export async function settleChanges(transaction: Transaction, logged: readonly WaitingEvent[]): Promise<void> {
  const byTransaction = new Map(logged.map(({ transaction: id, event }) => [id, event]));
  const restores = logged.flatMap(({ transaction: id, event: { type } }) => (type === RESTORE ? [id] : []));
  await sql`
    with taken as (
      delete from audit_changes where transaction = any(${[...byTransaction.keys()]}::xid8[])
      returning transaction, table_name, key, digest, changed_at
    ), newest as (
      select distinct on (table_name, key) * from taken
      where digest is null or transaction <> all(${restores}::xid8[])
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
