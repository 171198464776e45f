/**
 * Changes of covered tables that belong to nobody's request. What a job or a migration did is recorded by how many rows of which tables,
 * so that none of them has to remember it.
 */
import type { Clock } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { AuditLog } from './audit-log.ts';
import { FOUND_BEFORE } from './internal/ledger.ts';
import { unrequestedEvent } from './unrequested-event.ts';

export const BACKGROUND_CHANGE = 'audit.background-change';

interface BackgroundServices {
  readonly auditLog: AuditLog;
  readonly clock: Clock;
}

interface ChangedRows {
  readonly name: string;
  readonly rows: number;
}

/**
 * The same database for a job: each of its transactions in the system scope that changes rows of covered tables writes an event that
 * names the job, the tables and how many changes there were. Costs a transaction that changes none one small query.
 */
export function databaseOfJob(database: Database, job: string, services: BackgroundServices): Database {
  return {
    engine: database.engine,
    warnings: database.warnings,
    transaction: (scope, work) =>
      database.transaction(scope, async (transaction) => {
        const result = await work(transaction);
        if (scope.kind === 'system') {
          await record(transaction, job, services, await changedNow(transaction), {});
        }
        return result;
      }),
    close: () => database.close(),
  };
}

/**
 * Has an event account for what migrations did to rows of tables that were covered already. For a start, after the database was opened. The database
 * itself says which transactions those were: each left its row in `schema_migrations`.
 */
export function accountForMigrations(database: Database, services: BackgroundServices): Promise<void> {
  return database.transaction(asSystem, async (transaction) => {
    const { rows } = await sql<{ migrations: string | null }>`
      with migrated as (
        select c.ctid as place, m.room || '/' || m.name as migration
        from audit_changes as c join schema_migrations as m on m.xmin = c.transaction::xid
        where c.transaction < ${FOUND_BEFORE}::text::xid8
      ), taken as (
        delete from audit_changes where ctid = any(array(select place from migrated)) returning table_name, key, digest, changed_at
      ), kept as (
        insert into audit_changes (table_name, key, digest, changed_at) select * from taken
      )
      select string_agg(distinct migration, ' ') as migrations from migrated`.execute(transaction);
    const { migrations } = rows[0]!;
    if (migrations === null) return;
    await record(transaction, 'storage.migrate', services, await changedNow(transaction), { migrations });
  });
}

/** What the transaction changed until now. */
async function changedNow(transaction: Transaction): Promise<readonly ChangedRows[]> {
  const { rows } = await sql<ChangedRows>`
    select table_name as name, count(*)::integer as rows from audit_changes
    where transaction = pg_current_xact_id_if_assigned() group by table_name order by table_name`.execute(transaction);
  return rows;
}

async function record(
  transaction: Transaction,
  job: string,
  { auditLog, clock }: BackgroundServices,
  changed: readonly ChangedRows[],
  more: Readonly<Record<string, string>>,
): Promise<void> {
  if (changed.length === 0) return;
  const details = { ...more, ...Object.fromEntries(changed.map(({ name, rows }) => [name, rows])) };
  const event = unrequestedEvent({ kind: 'system', job }, clock.now(), { type: BACKGROUND_CHANGE, details });
  await auditLog.append(transaction, event);
}
