/** Compares the database with what the rooms declared about it, and fails closed. */
import type { Column, Manifest, TableDeclaration } from '@strongroom/kernel';
import { sql } from 'kysely';
import type { OwnerConnection } from './database.ts';
import { StorageError, type StorageErrorCode } from './errors.ts';

interface FoundColumn {
  readonly table_name: string;
  readonly column_name: string;
  readonly type: string;
}

interface FoundTable {
  readonly table_name: string;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly policies: number;
}

/** How many offenders an error names. */
const NAMED = 10;

function refuse(code: StorageErrorCode, offenders: readonly string[]): void {
  if (offenders.length === 0) return;
  const more = offenders.length > NAMED ? ` and ${offenders.length - NAMED} more` : '';
  throw new StorageError(code, { detail: `${offenders.slice(0, NAMED).join(', ')}${more}.` });
}

/** Values that only a key opens, or a digest of something secret: text in such a column would be a mistake. */
const mustBeBytes = (column: Column): boolean =>
  (column.kind === 'personal' || column.kind === 'secret') && column.protection !== 'clear';

function declaredTables(manifests: readonly Pick<Manifest, 'name' | 'dataMap'>[]): Map<string, TableDeclaration> {
  const tables = new Map<string, TableDeclaration>();
  for (const { name, dataMap = {} } of manifests) {
    for (const [table, declaration] of Object.entries(dataMap)) {
      if (tables.has(table)) throw new TypeError(`data map: "${name}" declares ${table}, as another room does`);
      tables.set(table, declaration);
    }
  }
  return tables;
}

/**
 * Throws `storage.undeclared-column`, `storage.missing-column`, `storage.missing-row-security` or `storage.wrong-protection`, naming
 * `table.column`. Every table of the schema `public` is looked at: the database is Strongroom's alone.
 */
export async function checkDataMap(
  connection: OwnerConnection,
  manifests: readonly Pick<Manifest, 'name' | 'dataMap'>[],
): Promise<void> {
  const declared = declaredTables(manifests);
  const { rows: columns } = await sql<FoundColumn>`
    select c.relname as table_name, a.attname as column_name, format_type(a.atttypid, a.atttypmod) as type
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and a.attnum > 0 and not a.attisdropped
    order by 1, a.attnum`.execute(connection);
  const { rows: tables } = await sql<FoundTable>`
    select c.relname as table_name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
      (select count(*) from pg_policy p where p.polrelid = c.oid) as policies
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`.execute(connection);

  const nameOf = (column: FoundColumn): string => `${column.table_name}.${column.column_name}`;
  const find = (column: FoundColumn): Column | undefined =>
    declared.get(column.table_name)?.columns[column.column_name];
  const present = new Set(columns.map(nameOf));

  refuse('storage.undeclared-column', columns.filter((column) => find(column) === undefined).map(nameOf));
  refuse(
    'storage.missing-column',
    [...declared]
      .flatMap(([table, { columns: wanted }]) => Object.keys(wanted).map((column) => `${table}.${column}`))
      .filter((name) => !present.has(name)),
  );
  refuse(
    'storage.missing-row-security',
    tables
      .filter((table) => declared.get(table.table_name)?.scope === 'tenant')
      .filter((table) => !(table.enabled && table.forced && table.policies > 0))
      .map((table) => table.table_name),
  );
  refuse(
    'storage.wrong-protection',
    columns
      .filter((column) => {
        const declaration = find(column);
        return declaration !== undefined && mustBeBytes(declaration) && column.type !== 'bytea';
      })
      .map(nameOf),
  );
}
