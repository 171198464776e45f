/** The tree in the database: leaves and full tiles are rows that never change; partial tiles are read from the level below. */
import type { Transaction } from '@strongroom/storage';
import { type RawBuilder, sql } from 'kysely';
import { HASH_LENGTH } from '../merkle.ts';
import type { StoredCheckpoint, StoredTile } from '../log-source.ts';
import { type FullTile, partialTiles, TILE_WIDTH, type TilePlace } from '../tiles.ts';

interface CheckpointRow {
  readonly size: number;
  readonly root: Uint8Array;
  readonly signed_at: number;
  readonly note: string;
}

const storedCheckpoint = (row: CheckpointRow): StoredCheckpoint & Required<Pick<StoredCheckpoint, 'columns'>> => ({
  note: row.note,
  columns: { size: row.size, root: row.root, signedAt: row.signed_at },
});

/** Microseconds, so that nothing of the column escapes comparison. */
const checkpointColumns = sql`size, root,
  case when isfinite(signed_at) then (extract(epoch from signed_at) * 1000000)::bigint else -1 end as signed_at,
  note || coalesce((select string_agg(line, '' order by key_id) from audit_cosignatures as s
    where s.size = audit_checkpoints.size), '') as note`;

export async function readNewestCheckpoint(transaction: Transaction) {
  const { rows } = await sql<CheckpointRow>`
    select ${checkpointColumns} from audit_checkpoints order by size desc limit 1`.execute(transaction);
  return rows[0] === undefined ? null : storedCheckpoint(rows[0]);
}

/** Those with `after` < size ≤ `upTo`, ascending. */
export async function readCheckpoints(transaction: Transaction, after: number, upTo: number) {
  const { rows } = await sql<CheckpointRow>`
    select ${checkpointColumns} from audit_checkpoints where size > ${after} and size <= ${upTo} order by size`.execute(
    transaction,
  );
  return rows.map(storedCheckpoint);
}

/** Behind the last entry that retention removed; 0 when there is none. */
export async function readMinimumIndex(transaction: Transaction): Promise<number> {
  const { rows } = await sql<{ index: number }>`
    select coalesce((select to_index from audit_removals order by from_index desc limit 1), 0)::bigint as index`.execute(
    transaction,
  );
  return rows[0]!.index;
}

interface TileRow {
  readonly level: number;
  readonly index: number;
  readonly hashes: Uint8Array | null;
  readonly root: Uint8Array | null;
}

/** One answer for each place, all by one query. */
export async function readTiles(
  transaction: Transaction,
  places: readonly TilePlace[],
): Promise<(StoredTile | null)[]> {
  const full = places.filter(({ width }) => width === TILE_WIDTH);
  const partial = places.filter(({ width }) => width < TILE_WIDTH);
  const stored = sql`select level, index, hashes, root from audit_tiles
    join unnest(${full.map(({ level }) => level)}::integer[], ${full.map(({ index }) => index)}::bigint[]) as wanted (level, index)
      using (level, index)`;
  const queries = [stored, ...partial.map(partialTile)];
  const { rows } = await sql<TileRow>`${sql.join(queries, sql` union all `)}`.execute(transaction);
  const found = new Map<string, TileRow>();
  for (const row of rows) {
    const name = `${row.level}/${row.index}`;
    // Of two there is no telling which is read elsewhere: neither is of use.
    found.set(name, found.has(name) ? { ...row, hashes: new Uint8Array(0) } : row);
  }
  return places.map(({ level, index }) => {
    const { hashes = null, root = null } = found.get(`${level}/${index}`) ?? {};
    return hashes === null ? null : { hashes, ...(root === null ? {} : { root }) };
  });
}

/** From the level below, where its hashes are the roots of full tiles, or leaves. */
function partialTile({ level, index, width }: TilePlace): RawBuilder<unknown> {
  const from = index * TILE_WIDTH;
  const below =
    level === 0
      ? sql`select index, hash from audit_leaves`
      : sql`select index, root as hash from audit_tiles where level = ${level - 1}`;
  return sql`select ${level}::integer, ${index}::bigint, string_agg(hash, ''::bytea order by index), null::bytea
    from (${below}) as below where index >= ${from} and index < ${from + width}`;
}

/** The right edge of a tree of this size: what `TileBuilder` continues from. */
export async function readEdge(transaction: Transaction, size: number): Promise<Uint8Array[]> {
  const tiles = await readTiles(transaction, partialTiles(size));
  return tiles.map((tile) => tile?.hashes ?? new Uint8Array(0));
}

export async function insertLeaves(
  transaction: Transaction,
  start: number,
  eventIds: readonly string[],
  hashes: readonly Uint8Array[],
): Promise<void> {
  const joined = new Uint8Array(hashes.length * HASH_LENGTH);
  for (const [position, hash] of hashes.entries()) joined.set(hash, position * HASH_LENGTH);
  await sql`
    insert into audit_leaves (index, event_id, hash)
    select ${start}::bigint + position - 1, event_id, substr(${joined}::bytea, ((position - 1) * ${HASH_LENGTH}::int + 1)::int, ${HASH_LENGTH}::int)
    from unnest(${eventIds}::uuid[]) with ordinality as listed (event_id, position)`.execute(transaction);
}

/** Tiles of one statement: 16 × 8 KiB keeps the statement far below every limit. */
const TILES_AT_ONCE = 16;

export async function insertTiles(transaction: Transaction, tiles: readonly FullTile[]): Promise<void> {
  for (let from = 0; from < tiles.length; from += TILES_AT_ONCE) {
    const rows = tiles
      .slice(from, from + TILES_AT_ONCE)
      .map(
        ({ level, index, hashes, root }) =>
          sql`(${level}::integer, ${index}::bigint, ${hashes}::bytea, ${root}::bytea)`,
      );
    await sql`insert into audit_tiles (level, index, hashes, root) values ${sql.join(rows)}`.execute(transaction);
  }
}
