/** The one path by which sealed content leaves the tables. */
import type { Encryption } from '@strongroom/encryption';
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { MemoriesError } from '../errors.ts';
import { openTokens, withToken } from './outer-layer.ts';
import { tables, type SpacePlace } from './tables.ts';

/**
 * Bytes of tokens in one page, before base64url: a page of the largest memories stays a few megabytes. A page always holds
 * at least one item, so a walk through the list always gets on.
 */
const PAGE_BYTES = 4 * 1024 * 1024;

export interface VersionRow {
  readonly id: Uuid;
  readonly version: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly token: Uint8Array;
  readonly author: Uuid;
  readonly at: Date;
}

export interface ChangeRow {
  readonly id: Uuid;
  readonly version: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly token: Uint8Array | null;
  readonly author: Uuid | null;
  readonly at: Date;
  readonly deleted: boolean;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly more: boolean;
}

/** A page from which rows may have been left out. */
export interface OpenedPage<Row extends object> extends Page<Row> {
  /** Where the next page continues. */
  readonly last: Omit<Row, 'token'> | undefined;
}

/** The current version; throws `memories.not-found`, or `memories.deleted`, which the content of an erased author is as well. */
export async function readMemory(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  id: Uuid,
): Promise<VersionRow> {
  const row = await tables(transaction)
    .selectFrom('memories as memory')
    .leftJoin('memory_versions as current', (join) =>
      join
        .onRef('current.tenant_id', '=', 'memory.tenant_id')
        .onRef('current.space_id', '=', 'memory.space_id')
        .onRef('current.memory_id', '=', 'memory.id')
        .onRef('current.version', '=', 'memory.version'),
    )
    .select([
      'memory.id',
      'memory.version',
      'memory.epoch',
      'memory.sequence',
      'memory.changed_at as at',
      'current.token',
      'current.author_id as author',
    ])
    .where('memory.tenant_id', '=', place.tenant)
    .where('memory.space_id', '=', place.space)
    .where('memory.id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw new MemoriesError('memories.not-found');
  const { author } = row;
  const [opened] = await openTokens(encryption, transaction, place, [row]);
  if (author === null || opened === undefined || !withToken(opened)) throw new MemoriesError('memories.deleted');
  return { ...opened, author };
}

/** Current versions in the order of their ids, which is the order of creation as clients dated it. Without those of erased authors. */
export async function listMemories(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  options: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<OpenedPage<VersionRow>> {
  await readInIndexOrder(transaction);
  const { rows } = await sql<VersionRow & { bytes_before: number }>`
    select page.id, page.version, page.epoch, page.sequence, page.author_id as author, page.created_at as at, page.token,
      (sum(page.size) over (order by page.id) - page.size)::integer as bytes_before
    from (
      select memory.id, memory.version, memory.epoch, memory.sequence, version.author_id, version.created_at, version.token, version.size
      from memories as memory
      join memory_versions as version on version.tenant_id = memory.tenant_id and version.space_id = memory.space_id
        and version.memory_id = memory.id and version.version = memory.version
      where memory.tenant_id = ${place.tenant} and memory.space_id = ${place.space} and memory.deleted_at is null
        ${options.after === undefined ? sql`` : sql`and memory.id > ${options.after}`}
      order by memory.id
      limit ${options.limit + 1}
    ) as page
    order by page.id`.execute(transaction);
  return openPage(encryption, transaction, place, cut(rows, options.limit));
}

/** All versions of one memory, newest first. */
export async function listVersions(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  id: Uuid,
  options: { readonly before: number | undefined; readonly limit: number },
): Promise<OpenedPage<VersionRow>> {
  // Tells a deleted memory and one that never was from one with no older versions.
  await readMemory(encryption, transaction, place, id);
  const { rows } = await sql<VersionRow & { bytes_before: number }>`
    select page.memory_id as id, page.version, page.epoch, page.sequence, page.author_id as author, page.created_at as at, page.token,
      (sum(page.size) over (order by page.version desc) - page.size)::integer as bytes_before
    from (
      select * from memory_versions
      where tenant_id = ${place.tenant} and space_id = ${place.space} and memory_id = ${id}
        ${options.before === undefined ? sql`` : sql`and version < ${options.before}`}
      order by version desc
      limit ${options.limit + 1}
    ) as page
    order by page.version desc`.execute(transaction);
  return openPage(encryption, transaction, place, cut(rows, options.limit));
}

/**
 * What changed after a sequence, in the order of commits: each memory once, in its current state. What erased authors wrote counts as deleted. One statement, so that
 * the page and the high mark are of the same moment.
 */
export async function listChanges(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  options: { readonly after: number; readonly limit: number },
): Promise<Page<ChangeRow> & { readonly sequence: number }> {
  await readInIndexOrder(transaction);
  type Row = { [Name in keyof ChangeRow]: ChangeRow[Name] | null } & { high: number; bytes_before: number | null };
  const { rows } = await sql<Row>`
    select space.change_sequence as high, page.id, page.version, page.epoch, page.sequence, page.author_id as author,
      page.changed_at as at, page.deleted_at is not null as deleted, page.token,
      (sum(coalesce(page.size, 0)) over (order by page.sequence) - coalesce(page.size, 0))::integer as bytes_before
    from spaces as space
    left join (
      select memory.id, memory.version, memory.epoch, memory.sequence, memory.changed_at, memory.deleted_at,
        version.author_id, version.token, version.size
      from memories as memory
      left join memory_versions as version on version.tenant_id = memory.tenant_id and version.space_id = memory.space_id
        and version.memory_id = memory.id and version.version = memory.version
      where memory.tenant_id = ${place.tenant} and memory.space_id = ${place.space} and memory.sequence > ${options.after}
      order by memory.sequence
      limit ${options.limit + 1}
    ) as page on true
    where space.tenant_id = ${place.tenant} and space.id = ${place.space}
    order by page.sequence`.execute(transaction);
  const [first] = rows;
  if (first === undefined) throw new MemoriesError('memories.space-not-found');
  const found = rows.filter((row): row is ChangeRow & { high: number; bytes_before: number } => row.id !== null);
  const page = cut(found, options.limit);
  const opened = await openTokens(encryption, transaction, place, page.rows);
  const changes = opened.map((row) => (row.token === null ? { ...row, author: null, deleted: true } : row));
  return { rows: changes, more: page.more, sequence: first.high };
}

/**
 * A page must cost what a page holds, however large the space is. Without statistics the planner expects a handful of rows, and would
 * collect and sort all the rest of the space for each page.
 */
const readInIndexOrder = (transaction: Transaction) => sql`set local enable_bitmapscan = off`.execute(transaction);

async function openPage(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  page: Page<VersionRow>,
): Promise<OpenedPage<VersionRow>> {
  const opened = await openTokens(encryption, transaction, place, page.rows);
  return { rows: opened.filter(withToken), more: page.more, last: page.rows.at(-1) };
}

function cut<Row extends { readonly bytes_before: number }>(rows: readonly Row[], limit: number): Page<Row> {
  const fitting = rows.filter((row, index) => index < limit && (index === 0 || row.bytes_before < PAGE_BYTES));
  return { rows: fitting, more: fitting.length < rows.length };
}
