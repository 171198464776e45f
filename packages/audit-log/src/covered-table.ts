/** Tables of which every committed change must have its event. */

/** PostgreSQL documentation §4.1.1, without the characters that would need quoting; the trigger's name adds to it. */
const PLAIN_IDENTIFIER = /^[a-z_][a-z0-9_]{0,40}$/;

/** The prefix of the triggers by which `reconcile` knows a covered table. */
export const TRIGGER_PREFIX = 'audit_change_';

/** Its key as one text. */
export const keyOf = (key: readonly string[]): string => key.map((column) => `r.${column}::text`).join(` || '/' || `);

/** What its columns held. Columns that are NULL are left out, so that a column added later changes no digest. */
export const DIGEST = `sha256(convert_to(jsonb_strip_nulls(to_jsonb(r))::text, 'UTF8'))`;

/**
 * Statements for a migration of a room that is migrated after the audit log, to follow the `create table`. From then on each insert, update
 * and delete leaves a trace, and a transaction that changes the table without an audit event is found by `reconcile`, as is whoever changes rows
 * behind the triggers. Rows that are there already are taken as they are. `key`: columns of the primary key, which are never updated.
 */
export function coveredTable(name: string, key: readonly string[]): string {
  if (![name, ...key].every((identifier) => PLAIN_IDENTIFIER.test(identifier)) || key.length === 0) {
    throw new TypeError('coveredTable: name and key must be plain identifiers');
  }
  const trigger = (event: string, rows: string): string => `
create trigger ${TRIGGER_PREFIX}${event} after ${event} on ${name} referencing ${rows}
  for each statement execute function ${TRIGGER_PREFIX}in_${name}(${key.map((column) => `'${column}'`).join(', ')});`;
  return `
create function ${TRIGGER_PREFIX}in_${name}() returns trigger language plpgsql as $function$
begin
  if tg_op = 'DELETE' then
    insert into audit_changes (table_name, key, digest) select '${name}', ${keyOf(key)}, null from gone as r;
  else
    insert into audit_changes (table_name, key, digest) select '${name}', ${keyOf(key)}, ${DIGEST} from present as r;
  end if;
  return null;
end
$function$;
${trigger('insert', 'new table as present')}
${trigger('update', 'new table as present')}
${trigger('delete', 'old table as gone')}
do $block$
declare
  is_forced boolean := (select relforcerowsecurity from pg_class where oid = '${name}'::regclass);
begin
  if is_forced then alter table ${name} no force row level security; end if;
  insert into audit_rows (table_name, key, digest, changed_at) select '${name}', ${keyOf(key)}, ${DIGEST}, clock_timestamp() from ${name} as r;
  if is_forced then alter table ${name} force row level security; end if;
end
$block$;
`;
}
