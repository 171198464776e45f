/** Puts the rows of a backup into empty tables. */
import type { Transaction } from '@strongroom/storage';
import { sql, type RawBuilder } from 'kysely';
import { BackupError } from '../errors.ts';
import { prepareTransaction, quote, readTables } from './catalogue.ts';
import type { BackedUpTable, BackupReader, TableShape } from './document.ts';

/** Gone at the end of the transaction. */
const STAGE = 'backup_stage';

/** Throws `backup.target-not-empty`, naming a table that holds rows. Must come before `loadBackup`. */
export async function prepareLoad(transaction: Transaction): Promise<void> {
  await prepareTransaction(transaction);
  for (const { name } of await readTables(transaction)) {
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(transaction);
    if (rows.length > 0) throw new BackupError('backup.target-not-empty', { detail: `There are rows in ${name}.` });
  }
  await sql.raw(`create temporary table ${STAGE} (cells json not null) on commit drop`).execute(transaction);
}

const keysOf = ({ name, columns }: TableShape): string[] =>
  columns.map((column) => JSON.stringify([name, column.name, column.type]));

/** Every wanted table must be here with every column and its type: both become part of statements. */
async function expectSameTables(transaction: Transaction, tables: readonly TableShape[]): Promise<void> {
  const here = new Set((await readTables(transaction)).flatMap(keysOf));
  const foreign = tables.flatMap(keysOf).find((key) => !here.has(key));
  if (foreign !== undefined)
    throw new BackupError('backup.other-schema', { detail: `The first difference is ${foreign}.` });
}

/** `source` gives rows with one column `cells`, the JSON array of a row's values. */
function insertFrom({ name, columns }: BackedUpTable, source: RawBuilder<unknown>): RawBuilder<unknown> {
  const names = columns.map((column) => quote(column.name)).join(', ');
  const values = columns.map(({ type }, index) =>
    type === 'bytea' ? `decode(source.cells->>${index}, 'base64')` : `(source.cells->>${index})::${type}`,
  );
  return sql`insert into ${sql.raw(quote(name))} (${sql.raw(names)}) select ${sql.raw(values.join(', '))} from ${source}`;
}

const elements = (rows: readonly string[]): RawBuilder<unknown> =>
  sql`json_array_elements(${`[${rows.join(',')}]`}::json) as source(cells)`;

/** Reads the backup to its end, which is checked before this resolves, and keeps the rows of the tables that are wanted. */
export async function loadBackup(
  transaction: Transaction,
  reader: BackupReader,
  isWanted: (table: string) => boolean,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const { tables } = reader.header;
  await expectSameTables(
    transaction,
    tables.filter(({ name }) => isWanted(name)),
  );
  const total = tables.reduce((sum, { rows }) => sum + rows, 0);
  let done = 0;
  let staged = 0;
  for await (const { table, rows } of reader.rows()) {
    if (isWanted(table.name)) {
      if (table.refersToItself) {
        await sql`insert into ${sql.table(STAGE)} select cells from ${elements(rows)}`.execute(transaction);
        staged += rows.length;
        if (staged === table.rows) {
          // References are checked at the end of a statement, so this one must bring all rows.
          await insertFrom(table, sql`${sql.table(STAGE)} as source`).execute(transaction);
          await sql`truncate ${sql.table(STAGE)}`.execute(transaction);
          staged = 0;
        }
      } else await insertFrom(table, elements(rows)).execute(transaction);
    }
    done += rows.length;
    onProgress(done, total);
  }
}
