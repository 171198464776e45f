/** The rows of all tables as one moment saw them. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { prepareTransaction, quote, readMigrations, readTables } from './catalogue.ts';
import { BackupWriter, FORMAT, type BackedUpTable, type Header, type TableShape } from './document.ts';

/** Fetched at once: as many rows as make about this many characters, so that the memory needed does not depend on the rows. */
const PAGE_CHARACTERS = 1024 * 1024;
const FIRST_PAGE_ROWS = 50;
const MOST_PAGE_ROWS = 1_000;

const CURSOR = 'backup_rows';

export interface DumpOptions {
  readonly createdAt: Date;
  readonly program: string;
  readonly isWanted: (table: string) => boolean;
  readonly whole: boolean;
  readonly onHeader: (header: Header) => void;
  /** Rows so far and in all. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** One snapshot for all statements of the transaction. Must come before any query in it. */
export async function beginSnapshot(transaction: Transaction): Promise<void> {
  await sql`set transaction isolation level repeatable read, read only`.execute(transaction);
  await prepareTransaction(transaction);
}

/** The transaction must have begun with `beginSnapshot`. */
export async function* dump(transaction: Transaction, options: DumpOptions): AsyncGenerator<Uint8Array, void> {
  const writer = new BackupWriter();
  const header = await readHeader(transaction, options);
  options.onHeader(header);
  yield writer.lines([JSON.stringify(header)]);
  const total = header.tables.reduce((sum, { rows }) => sum + rows, 0);
  let done = 0;
  for (const table of header.tables) {
    yield writer.lines([JSON.stringify({ table: table.name })]);
    for await (const lines of readRows(transaction, table)) {
      options.signal?.throwIfAborted();
      yield writer.lines(lines);
      done += lines.length;
      options.onProgress(done, total);
    }
  }
  yield writer.finish();
}

async function readHeader(transaction: Transaction, options: DumpOptions): Promise<Header> {
  const all = await readTables(transaction);
  const tables: BackedUpTable[] = [];
  for (const table of all) {
    if (options.isWanted(table.name)) tables.push({ ...table, rows: await countRows(transaction, table) });
  }
  return {
    strongroom: 'backup',
    format: FORMAT,
    createdAt: options.createdAt.toISOString(),
    program: options.program,
    migrations: await readMigrations(transaction),
    whole: options.whole,
    tables,
    leftOut: all.filter(({ name }) => !options.isWanted(name)),
  };
}

async function countRows(transaction: Transaction, { name }: TableShape): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(name)}`.execute(transaction);
  return rows[0]?.count ?? 0;
}

async function* readRows(transaction: Transaction, { name, columns }: BackedUpTable): AsyncGenerator<string[], void> {
  const cells = columns.map((column, index) => {
    // Bytes come as bytes, which costs less than having them spelled out twice.
    const value = column.type === 'bytea' ? quote(column.name) : `${quote(column.name)}::text`;
    return `${value} as c${index}`;
  });
  await sql
    .raw(`declare ${CURSOR} no scroll cursor for select ${cells.join(', ')} from ${quote(name)}`)
    .execute(transaction);
  let size = FIRST_PAGE_ROWS;
  for (;;) {
    const { rows } = await sql
      .raw<Readonly<Record<string, unknown>>>(`fetch forward ${size} from ${CURSOR}`)
      .execute(transaction);
    if (rows.length > 0) {
      const lines = rows.map((row) => JSON.stringify(columns.map((_, index) => toText(row[`c${index}`]))));
      yield lines;
      const characters = lines.reduce((sum, line) => sum + line.length, 0);
      size = Math.max(1, Math.min(size * 2, MOST_PAGE_ROWS, Math.floor((PAGE_CHARACTERS * rows.length) / characters)));
    } else break;
  }
  await sql.raw(`close ${CURSOR}`).execute(transaction);
}

function toText(value: unknown): string | null {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  }
  return value as string | null;
}
