/** What the database itself says about its tables. */
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { BackupError } from '../errors.ts';
import type { BackedUpMigration, TableShape } from './document.ts';

interface FoundColumn {
  readonly table_name: string;
  readonly column_name: string;
  readonly type: string;
  readonly counted: boolean;
  readonly computed: boolean;
}

/** Written by storage itself, and in a backup's header. */
export const MIGRATIONS_TABLE = 'schema_migrations';

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Every table but that of the migrations, a table after those it refers to. Throws
 * `backup.unsupported-schema` for what could not be put back: counters outside the rows, and tables that refer to each other in a circle.
 */
export async function readTables(transaction: Transaction): Promise<readonly TableShape[]> {
  const { rows } = await sql<FoundColumn>`
    select c.relname as table_name, a.attname as column_name, format_type(a.atttypid, a.atttypmod) as type,
      a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid) like 'nextval(%', false) as counted,
      a.attgenerated <> '' as computed
    from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      and c.relname <> ${MIGRATIONS_TABLE}
    order by 1, a.attnum`.execute(transaction);
  const counted = rows.find((column) => column.counted);
  if (counted !== undefined) {
    throw new BackupError('backup.unsupported-schema', {
      detail: `${counted.table_name}.${counted.column_name} is counted by a sequence.`,
    });
  }
  const columns = Map.groupBy(rows, ({ table_name }) => table_name);
  const references = await readReferences(transaction);
  const tables = [...columns].map(([name, found]) => ({
    name,
    columns: found.filter(({ computed }) => !computed).map(({ column_name, type }) => ({ name: column_name, type })),
    computed: found.filter(({ computed }) => computed).map(({ column_name }) => column_name),
    refersToItself: references.some((reference) => reference.from_table === name && reference.to_table === name),
  }));
  return inOrder(
    tables,
    references.filter(({ from_table, to_table }) => from_table !== to_table),
  );
}

interface Reference {
  readonly from_table: string;
  readonly to_table: string;
}

async function readReferences(transaction: Transaction): Promise<readonly Reference[]> {
  const { rows } = await sql<Reference>`
    select f.relname as from_table, t.relname as to_table from pg_constraint k
    join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid
    where k.contype = 'f' and f.relnamespace = 'public'::regnamespace`.execute(transaction);
  return rows;
}

/** Alphabetical where nothing else decides, so that two backups of the same data are alike. */
function inOrder(tables: readonly TableShape[], references: readonly Reference[]): readonly TableShape[] {
  const ordered: TableShape[] = [];
  let left = tables;
  while (left.length > 0) {
    const waiting = new Set(left.map(({ name }) => name));
    const ready = left.filter(
      ({ name }) => !references.some((reference) => reference.from_table === name && waiting.has(reference.to_table)),
    );
    if (ready.length === 0) {
      throw new BackupError('backup.unsupported-schema', {
        detail: `These refer to each other in a circle: ${[...waiting].join(', ')}.`,
      });
    }
    ordered.push(...ready);
    left = left.filter((table) => !ready.includes(table));
  }
  return ordered;
}

export async function readMigrations(transaction: Transaction): Promise<readonly BackedUpMigration[]> {
  const { rows } = await sql<BackedUpMigration>`
    select room, name, encode(checksum, 'hex') as checksum from ${sql.table(MIGRATIONS_TABLE)}
    order by applied_at, room, name`.execute(transaction);
  return rows;
}

/** Values as text mean the same on every server, whatever it was configured to print. */
const textForm = `
set local timezone = 'UTC';
set local datestyle = 'ISO';
set local intervalstyle = 'postgres';
set local extra_float_digits = 1;
set local bytea_output = 'hex'`;

/** Between two pages a disk may be slow; a database at rest for longer has lost its client. */
const patience = `
set local idle_in_transaction_session_timeout = '15min';
set local statement_timeout = '15min'`;

/** To be called before anything else in a transaction that reads or writes whole tables. */
export async function prepareTransaction(transaction: Transaction): Promise<void> {
  for (const statement of `${textForm};${patience}`.split(';')) await sql.raw(statement).execute(transaction);
}
