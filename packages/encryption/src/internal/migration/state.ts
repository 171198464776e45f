/** How far columns that are being encrypted are, as the database has it. */
import { newUuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql, type RawBuilder } from 'kysely';
import type { RowKey } from '../batches/walk.ts';
import type { DeclaredTable } from '../codec/declaration.ts';
import { migrationPhases, type MigrationPhase, type Phases } from '../codec/phases.ts';

const isPhase = (text: string): text is MigrationPhase => migrationPhases.some((phase) => phase === text);

/**
 * Phases of a table's columns; `undefined` for a table that has none being encrypted. Nobody changes a phase until this transaction has ended, so
 * never do two transactions at the same time go by different phases.
 */
export async function readPhases(
  transaction: Transaction,
  { table, columns }: Pick<DeclaredTable, 'table' | 'columns'>,
  now: number,
): Promise<Phases | undefined> {
  const moving = [...columns.values()].filter(({ column }) => column.moving !== undefined);
  if (moving.length === 0) return undefined;
  // In a statement of its own: what the next one sees is decided when it begins.
  await sql`select pg_advisory_xact_lock_shared(${lockOf(table)})`.execute(transaction);
  const { rows } = await sql<{ name: string; phase: string }>`
    select of_column as name, phase from column_migrations where of_table = ${table}`.execute(transaction);
  const phases = new Map<string, MigrationPhase>(moving.map(({ name }) => [name, 'declared']));
  for (const { name, phase } of rows) if (phases.has(name) && isPhase(phase)) phases.set(name, phase);
  return { phases, now };
}

/** One lock for each table, apart from other uses of such locks. */
const lockOf = (table: string): RawBuilder<unknown> =>
  sql`hashtextextended(${`strongroom/column-migration/${table}`}, 0)`;

/** Which column. */
export interface MigratedColumn {
  readonly table: string;
  readonly column: string;
}

export interface MigrationState {
  readonly phase: MigrationPhase;
  readonly cursor: RowKey | null;
  readonly total: number;
  readonly seen: number;
  readonly changed: number;
  readonly erased: number;
  readonly problems: number;
}

const BEGINNING: MigrationState = {
  phase: 'declared',
  cursor: null,
  total: 0,
  seen: 0,
  changed: 0,
  erased: 0,
  problems: 0,
};

export async function readState(transaction: Transaction, { table, column }: MigratedColumn): Promise<MigrationState> {
  const { rows } = await sql<MigrationState>`
    select phase, cursor, total, seen, changed, erased, problems from column_migrations
    where of_table = ${table} and of_column = ${column}`.execute(transaction);
  return rows[0] ?? BEGINNING;
}

/**
 * Changes the phase when every transaction that goes by the present one has ended; those that begin meanwhile wait. Answers the state before, with the
 * phase that `from` did not allow when nothing was changed. A walk begins anew.
 */
export async function movePhase(
  transaction: Transaction,
  { table, column }: MigratedColumn,
  move: {
    readonly from: readonly MigrationPhase[];
    readonly to: MigrationPhase;
    readonly now: number;
    readonly total?: number;
  },
): Promise<{ readonly moved: boolean; readonly before: MigrationState }> {
  await sql`select pg_advisory_xact_lock(${lockOf(table)})`.execute(transaction);
  const before = await readState(transaction, { table, column });
  if (!move.from.includes(before.phase)) return { moved: false, before };
  const at = new Date(move.now);
  await sql`
    insert into column_migrations (of_table, of_column, phase, total, changed_at)
    values (${table}, ${column}, ${move.to}, ${move.total ?? 0}, ${at})
    on conflict (of_table, of_column) do update set phase = excluded.phase, total = excluded.total, cursor = null,
      seen = 0, changed = 0, erased = 0, problems = 0, changed_at = excluded.changed_at`.execute(transaction);
  await sql`
    insert into column_migration_steps (id, of_table, of_column, from_phase, to_phase, seen, problems, at)
    values (${newUuid(move.now)}, ${table}, ${column}, ${before.phase}, ${move.to}, ${before.seen}, ${before.problems},
      ${at})`.execute(transaction);
  return { moved: true, before };
}

export interface WalkedRows {
  readonly seen: number;
  readonly changed: number;
  readonly erased: number;
  readonly problems: number;
}

/** In the transaction of a batch. */
export async function saveProgress(
  transaction: Transaction,
  { table, column }: MigratedColumn,
  after: RowKey,
  { seen, changed, erased, problems }: WalkedRows,
): Promise<void> {
  await sql`
    update column_migrations set cursor = ${JSON.stringify(after)}::jsonb, seen = seen + ${seen},
      changed = changed + ${changed}, erased = erased + ${erased}, problems = problems + ${problems}
    where of_table = ${table} and of_column = ${column}`.execute(transaction);
}
