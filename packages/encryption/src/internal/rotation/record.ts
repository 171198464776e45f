/** The rows of `key_rotations`. */
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { EncryptionError } from '../../errors.ts';
import type { RotationReport, RotationScope } from '../../rotation-report.ts';
import type { RowKey } from '../batches/walk.ts';
import type { RewriteResult } from './rewrite.ts';

/** Places of values that do not open: enough to begin looking, not a list of a whole table. */
const MOST_PLACES = 20;

export interface RotationRow {
  readonly id: Uuid;
  readonly kind: RotationScope['kind'];
  readonly of_tenant: Uuid | null;
  readonly of_table: string | null;
  readonly of_column: string | null;
  readonly key_version: number;
  readonly keeps_former: boolean;
  readonly share: number;
  readonly state: 'running' | 'finishing' | 'complete' | 'failed' | 'cancelled';
  readonly pass: number;
  readonly at_table: string | null;
  readonly cursor: RowKey | null;
  readonly total: number;
  readonly seen: number;
  readonly rewritten_in_pass: number;
  readonly rewritten: number;
  readonly left_to_writers: number;
  readonly authenticated: number;
  readonly erased: number;
  readonly damaged: number;
  readonly damaged_places: readonly string[];
  readonly retired: readonly number[];
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly failure: string | null;
}

/** Another process goes on with this rotation, or it was cancelled. */
export class NotOurs extends Error {}

export async function insertRotation(
  transaction: Transaction,
  row: Pick<
    RotationRow,
    'id' | 'kind' | 'of_tenant' | 'of_table' | 'of_column' | 'key_version' | 'keeps_former' | 'share' | 'total'
  >,
  now: Date,
): Promise<RotationRow> {
  const { rows } = await sql<RotationRow>`
    insert into key_rotations (id, kind, of_tenant, of_table, of_column, key_version, keeps_former, share, state, total, started_at, changed_at)
    values (${row.id}, ${row.kind}, ${row.of_tenant}, ${row.of_table}, ${row.of_column}, ${row.key_version}, ${row.keeps_former},
      ${row.share}, 'running', ${row.total}, ${now}, ${now})
    on conflict do nothing returning *`.execute(transaction);
  if (rows[0] === undefined) throw new EncryptionError('encryption.rotation-running');
  return rows[0];
}

/** The one that is not finished. */
export async function openRotation(transaction: Transaction): Promise<RotationRow | undefined> {
  const { rows } = await sql<RotationRow>`select * from key_rotations where finished_at is null`.execute(transaction);
  return rows[0];
}

export async function readRotations(
  transaction: Transaction,
  limit: number,
  id?: Uuid,
): Promise<readonly RotationRow[]> {
  const { rows } = await sql<RotationRow>`
    select * from key_rotations where ${id === undefined ? sql`true` : sql`id = ${id}`}
    order by started_at desc, id desc limit ${limit}`.execute(transaction);
  return rows;
}

/** What a batch did and where the walk is now; in the batch's transaction. Throws NotOurs. */
export async function advance(
  transaction: Transaction,
  row: RotationRow,
  step: {
    readonly table: string;
    readonly after: RowKey | null;
    readonly seen: number;
    readonly result?: RewriteResult;
  },
  now: Date,
): Promise<RotationRow> {
  const { rewritten = 0, leftToWriters = 0, authenticated = 0, erased = 0, damaged = [] } = step.result ?? {};
  const places = [...row.damaged_places, ...damaged].slice(0, MOST_PLACES);
  const { rows } = await sql<RotationRow>`
    update key_rotations set at_table = ${step.table}, cursor = ${json(step.after)}::jsonb, seen = seen + ${step.seen},
      rewritten_in_pass = rewritten_in_pass + ${rewritten + leftToWriters}, rewritten = rewritten + ${rewritten},
      left_to_writers = left_to_writers + ${leftToWriters}, authenticated = authenticated + ${authenticated},
      erased = erased + ${erased}, damaged = damaged + ${damaged.length}, damaged_places = ${json(places)}::jsonb,
      failure = null, changed_at = ${now}
    where ${unchanged(row)} returning *`.execute(transaction);
  return ours(rows);
}

/** From the beginning once more. */
export async function nextPass(
  transaction: Transaction,
  row: RotationRow,
  total: number,
  now: Date,
): Promise<RotationRow> {
  const { rows } = await sql<RotationRow>`
    update key_rotations set pass = pass + 1, at_table = null, cursor = null, total = ${total}, seen = 0, rewritten_in_pass = 0,
      authenticated = 0, erased = 0, damaged = 0, damaged_places = '[]', changed_at = ${now}
    where ${unchanged(row)} returning *`.execute(transaction);
  return ours(rows);
}

export async function toFinishing(transaction: Transaction, row: RotationRow, now: Date): Promise<RotationRow> {
  const { rows } = await sql<RotationRow>`
    update key_rotations set state = 'finishing', changed_at = ${now} where ${unchanged(row)} returning *`.execute(
    transaction,
  );
  return ours(rows);
}

export async function finish(
  transaction: Transaction,
  id: Uuid,
  { state, retired }: { readonly state: 'complete' | 'failed' | 'cancelled'; readonly retired: readonly number[] },
  now: Date,
): Promise<RotationRow> {
  const { rows } = await sql<RotationRow>`
    update key_rotations set state = ${state}, failure = null, retired = ${json(retired)}::jsonb, changed_at = ${now}, finished_at = ${now}
    where id = ${id} and finished_at is null returning *`.execute(transaction);
  return ours(rows);
}

/** For whoever asks why it does not go on. */
export async function recordFailure(transaction: Transaction, failure: string): Promise<void> {
  await sql`update key_rotations set failure = ${failure} where finished_at is null`.execute(transaction);
}

/** Also locks the row until the batch is done. */
const unchanged = (row: RotationRow) => sql`
  id = ${row.id} and state = ${row.state} and pass = ${row.pass} and at_table is not distinct from ${row.at_table}
    and cursor is not distinct from ${json(row.cursor)}::jsonb`;

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

function ours(rows: readonly RotationRow[]): RotationRow {
  if (rows[0] === undefined) throw new NotOurs('rotation: somebody else goes on with it');
  return rows[0];
}

export const reportOf = (row: RotationRow): RotationReport => ({
  id: row.id,
  scope: scopeOf(row),
  keyVersion: row.key_version,
  state: row.state,
  pass: row.pass,
  total: row.total,
  seen: row.seen,
  rewritten: row.rewritten,
  leftToWriters: row.left_to_writers,
  authenticated: row.authenticated,
  erased: row.erased,
  damaged: row.damaged,
  damagedPlaces: row.damaged_places,
  retired: row.retired,
  startedAt: row.started_at.getTime(),
  finishedAt: row.finished_at?.getTime() ?? null,
  failure: row.failure,
});

export function scopeOf({ kind, of_tenant: tenant, of_table: table, of_column: column }: RotationRow): RotationScope {
  if (kind === 'tenant') return { kind, tenant: tenant! };
  return kind === 'column' ? { kind, table: table!, column: column! } : { kind };
}
