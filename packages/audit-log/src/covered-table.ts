/** Tables of which every committed change must have its event. */
import { textLiteral } from '@strongroom/storage';

/** PostgreSQL documentation §4.1.1, without the characters that would need quoting; the trigger's name adds to it. */
const PLAIN_IDENTIFIER = /^[a-z_][a-z0-9_]{0,40}$/;

/** The prefix of the triggers by which `reconcile` knows a covered table. */
export const TRIGGER_PREFIX = 'audit_change_';

/** Its key as one text; `row` names the record. */
export const keyOf = (key: readonly string[], row = 'r'): string =>
  key.map((column) => `${row}.${column}::text`).join(` || '/' || `);

/** What all its columns held. Columns that are NULL are left out, so that a column added later changes no digest. */
const DIGEST = `sha256(convert_to(jsonb_strip_nulls(to_jsonb(r))::text, 'UTF8'))`;

/**
 * What these columns held; without any, what all did. Named columns go in their binary form (PostgreSQL's `record_send`): it
 * depends on no setting of the session, tells NULL from every value, and costs a third of JSON, which spells bytes out.
 */
export const digestOf = (columns: readonly string[], row = 'r'): string =>
  columns.length === 0 ? DIGEST : `sha256(record_send(row(${columns.map((column) => `${row}.${column}`).join(', ')})))`;

/** What counts of a covered table. */
export interface Counted {
  /** Of the primary key; never updated. */
  readonly key: readonly string[];
  /** Others may change without an event, which costs nothing. Without any all count, those that are added later too. */
  readonly columns: readonly string[];
  /** A condition on the row `r`; the empty text when all rows count. */
  readonly rows: string;
}

/** As arguments of the triggers, where `reconcile` reads them: nobody but the owner of the table can change those. */
const argumentsOf = ({ key, columns, rows }: Counted): readonly string[] =>
  columns.length === 0 ? key : [...key, '', ...columns, ...(rows === '' ? [] : ['', rows])];

const names = (part = ''): readonly string[] => part.split('\0').filter((name) => name !== '');

/** The arguments of a trigger, as `argumentsOf` gave them. */
export function readArguments(given: readonly string[]): Counted {
  const [key, columns, rows] = given.join('\0').split('\0\0');
  return { key: names(key), columns: names(columns), rows: rows ?? '' };
}

/** The rows that count, as a condition. */
export const countedRows = (rows: string): string => (rows === '' ? 'true' : `(${rows})`);

interface CountedParts {
  /** See `Counted`. */
  readonly columns?: readonly string[];
  /** Rows that do not count may come, change and go without an event. Given the name of the record. */
  readonly rows?: (row: string) => string;
}

/**
 * Statements for a migration of a room that is migrated after the audit log, to follow the `create table`. From then on each insert, update
 * and delete leaves a trace, and a transaction that changes the table without an audit event is found by `reconcile`, as is whoever changes rows
 * behind the triggers. Rows that are there already are taken as they are. `key`: columns of the primary key, which are never updated.
 */
export function coveredTable(name: string, key: readonly string[], counted: CountedParts = {}): string {
  const { columns = [], rows = () => '' } = counted;
  if (![name, ...key, ...columns].every((identifier) => PLAIN_IDENTIFIER.test(identifier)) || key.length === 0) {
    throw new TypeError('coveredTable: name, key and columns must be plain identifiers');
  }
  if (columns.length === 0 && rows('r') !== '') throw new TypeError('coveredTable: rows need columns');
  const parameters = argumentsOf({ key, columns, rows: rows('r') })
    .map((text) => textLiteral(text))
    .join(', ');
  const trigger = (event: string, transition: string): string => `
create trigger ${TRIGGER_PREFIX}${event} after ${event} on ${name} referencing ${transition}
  for each statement execute function ${TRIGGER_PREFIX}in_${name}(${parameters});`;
  const only = rows('r') === '' ? '' : ` where ${rows('r')}`;
  const updates =
    columns.length === 0
      ? trigger('update', 'new table as present')
      : updatesOf({ name, key, columns, rows, parameters });
  return `
create function ${TRIGGER_PREFIX}in_${name}() returns trigger language plpgsql as $function$
begin
  if tg_op = 'DELETE' then
    insert into audit_changes (table_name, key, digest) select '${name}', ${keyOf(key)}, null from gone as r${only};
  else
    insert into audit_changes (table_name, key, digest) select '${name}', ${keyOf(key)}, ${digestOf(columns)} from present as r${only};
  end if;
  return null;
end
$function$;
${trigger('insert', 'new table as present')}
${updates}
${trigger('delete', 'old table as gone')}
do $block$
declare
  is_forced boolean := (select relforcerowsecurity from pg_class where oid = '${name}'::regclass);
begin
  if is_forced then alter table ${name} no force row level security; end if;
  insert into audit_rows (table_name, key, digest, changed_at) select '${name}', ${keyOf(key)}, ${digestOf(columns)}, clock_timestamp() from ${name} as r${only};
  if is_forced then alter table ${name} force row level security; end if;
end
$block$;
`;
}

interface Updates extends Required<CountedParts> {
  readonly name: string;
  readonly key: readonly string[];
  readonly parameters: string;
}

/**
 * Row by row, since only such a trigger is left alone by statements that set other columns, and by an `insert … on conflict do update` that finds
 * no conflict. A row that no longer counts is one that is gone.
 */
function updatesOf({ name, key, columns, rows, parameters }: Updates): string {
  const values = (row: string): string => `row(${columns.map((column) => `${row}.${column}`).join(', ')})`;
  const isAll = rows('r') === '';
  const digest = digestOf(columns, 'new');
  return `
create function ${TRIGGER_PREFIX}of_${name}() returns trigger language plpgsql as $function$
begin
  insert into audit_changes (table_name, key, digest)
    values ('${name}', ${keyOf(key, 'new')}, ${isAll ? digest : `case when ${rows('new')} then ${digest} end`});
  return null;
end
$function$;
create trigger ${TRIGGER_PREFIX}update after update of ${columns.join(', ')} on ${name}
  for each row when (${values('old')} is distinct from ${values('new')}${isAll ? '' : ` and (${rows('old')} or ${rows('new')})`})
  execute function ${TRIGGER_PREFIX}of_${name}(${parameters});`;
}
