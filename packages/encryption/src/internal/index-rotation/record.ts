/** The rows of `blind_index_rotations`: one for each index that was ever rotated. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { EncryptionError } from '../../errors.ts';
import type { RowKey } from '../batches/walk.ts';

/** `filled`: every row was compared with its value; until then `cancel` is possible, from `switch` on only forward. */
export type IndexState = 'settled' | 'filling' | 'filled' | 'emptying';

export interface IndexReport {
  readonly table: string;
  readonly column: string;
  readonly state: IndexState;
  readonly liveColumn: string;
  readonly liveVersion: number;
  /** While filling and filled the one that comes, while emptying the one that goes. */
  readonly otherColumn: string | null;
  readonly otherVersion: number | null;
  /** The part of the time that the rotation may be at work. */
  readonly share: number;
  /** Rows in all and done, of the present pass. */
  readonly total: number;
  readonly seen: number;
  /** Values written and removed by the rotation, without those that writers wrote. */
  readonly changed: number;
  /** How it ends, from the switch or the cancellation on. */
  readonly outcome: 'complete' | 'cancelled' | null;
  /** The code of what stopped the last attempt; it is repeated. */
  readonly failure: string | null;
  /** Milliseconds since the epoch; of the present rotation or the last one, `null` for an index that was never rotated. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

export interface IndexRow {
  readonly table_name: string;
  readonly column_name: string;
  readonly live_column: string;
  readonly live_version: number;
  readonly other_column: string | null;
  readonly other_version: number | null;
  readonly state: IndexState;
  readonly cursor: RowKey | null;
  readonly share: number;
  readonly total: number;
  readonly seen: number;
  /** Rows of the present pass whose index was not as it should be. A pass without any is the last one. */
  readonly wrong_in_pass: number;
  readonly changed: number;
  readonly outcome: IndexReport['outcome'];
  readonly failure: string | null;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

/** An index that was never rotated has no row. */
export const neverRotated = (
  { table, column, live }: { readonly table: string; readonly column: string; readonly live: string },
  version: number,
): IndexRow => ({
  table_name: table,
  column_name: column,
  live_column: live,
  live_version: version,
  other_column: null,
  other_version: null,
  state: 'settled',
  cursor: null,
  share: 1,
  total: 0,
  seen: 0,
  wrong_in_pass: 0,
  changed: 0,
  outcome: null,
  failure: null,
  started_at: null,
  finished_at: null,
});

export async function readIndexes(transaction: Transaction): Promise<readonly IndexRow[]> {
  const { rows } = await sql<IndexRow>`select * from blind_index_rotations`.execute(transaction);
  return rows;
}

/** Locked until the transaction ends. */
export async function lockIndex(
  transaction: Transaction,
  table: string,
  column: string,
): Promise<IndexRow | undefined> {
  const { rows } = await sql<IndexRow>`
    select * from blind_index_rotations where table_name = ${table} and column_name = ${column} for update`.execute(
    transaction,
  );
  return rows[0];
}

/** Throws `encryption.rotation-running` when it is in another state than `from` by now, or in that of another rotation. */
export async function moveIndex(transaction: Transaction, from: IndexState, to: IndexRow, now: Date): Promise<void> {
  const row = await lockIndex(transaction, to.table_name, to.column_name);
  if (row?.state !== from || row.other_column !== (to.other_column ?? row.other_column)) throw running(row ?? to);
  await writeIndex(transaction, to, now);
}

export async function writeIndex(transaction: Transaction, row: IndexRow, now: Date): Promise<void> {
  const values = {
    ...row,
    cursor: row.cursor === null ? null : sql`${JSON.stringify(row.cursor)}::jsonb`,
    changed_at: now,
  };
  const names = Object.keys(values);
  const others = names.filter((name) => name !== 'table_name' && name !== 'column_name');
  await sql`
    insert into blind_index_rotations (${sql.join(names.map((name) => sql.ref(name)))}) values (${sql.join(Object.values(values))})
    on conflict (table_name, column_name) do update
      set ${sql.join(others.map((name) => sql`${sql.ref(name)} = ${sql.ref(`excluded.${name}`)}`))}`.execute(
    transaction,
  );
}

export const reportOf = (row: IndexRow): IndexReport => ({
  table: row.table_name,
  column: row.column_name,
  state: row.state,
  liveColumn: row.live_column,
  liveVersion: row.live_version,
  otherColumn: row.other_column,
  otherVersion: row.other_version,
  share: row.share,
  total: row.total,
  seen: row.seen,
  changed: row.changed,
  outcome: row.outcome,
  failure: row.failure,
  startedAt: row.started_at?.getTime() ?? null,
  finishedAt: row.finished_at?.getTime() ?? null,
});

export const running = ({ state }: IndexRow): EncryptionError =>
  new EncryptionError('encryption.rotation-running', { detail: `The index is ${state}.` });
